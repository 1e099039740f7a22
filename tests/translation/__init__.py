"""Tests of the translation between the two worlds."""

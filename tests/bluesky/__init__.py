"""Tests of the wing that faces Bluesky."""

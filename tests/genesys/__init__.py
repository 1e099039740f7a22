"""Tests of the wing that faces Genesys Cloud."""

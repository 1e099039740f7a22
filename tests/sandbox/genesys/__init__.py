"""Tests of the sandbox Genesys Cloud."""

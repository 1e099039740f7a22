"""Measures the connector beside bare loops that make the same HTTP calls on the same libraries."""

"""The official contracts of the two platforms, as checks."""

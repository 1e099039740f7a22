"""Pure functions between the two worlds. Nothing in here does input or output."""

"""All tests, laid out like the code they are for."""

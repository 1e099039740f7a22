"""A small Bluesky and a small Genesys Cloud on loopback, for trying out and for tests."""

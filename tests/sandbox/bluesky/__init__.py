"""The sandbox's Bluesky: the facts of the real one, each as a test."""

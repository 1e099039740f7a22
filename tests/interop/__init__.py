"""Tests against a real Bluesky network on loopback."""

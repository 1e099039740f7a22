"""The real process between two sandboxes, killed, starved and cut off, and then held to account."""

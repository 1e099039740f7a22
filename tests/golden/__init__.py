"""What Bluesky shows, and beside it what Genesys Cloud is sent."""

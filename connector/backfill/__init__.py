"""``bluesky-genesys backfill``: take in once what was there before the connector was."""

from connector.backfill.command import Order, backfill, read_since

__all__ = ["Order", "backfill", "read_since"]

"""``bluesky-genesys check``: is everything set up, and if not, what to do."""

from connector.check.command import Order, check_everything

__all__ = ["Order", "check_everything"]

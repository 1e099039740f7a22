"""How any actor lives: mailboxes, supervision, rate limits, backoff and health.

Nothing in here knows Bluesky, Genesys Cloud or Redis.
"""

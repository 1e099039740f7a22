"""Which store the settings name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from actors.dedup_store import Database, RedisAddress, open_database, parse_address
from connector.settings import Settings
from runtime.context import EventLog

_SHARE_OF_STOPPING = 0.4
"""A thread cannot be cancelled: connecting and an answer must fit into the time to stop."""


def find_address(settings: Settings) -> RedisAddress | None:
    """Where ``REDIS_URL`` and ``REDIS_TOKEN`` point; ``None`` for the embedded store.

    Raises:
        ValueError: with what is expected.
    """
    if settings.redis_url is None:
        return None
    token = settings.redis_token.get_secret_value() if settings.redis_token else None
    return parse_address(settings.redis_url.get_secret_value(), token)


def open_store(settings: Settings, log: EventLog) -> AbstractAsyncContextManager[Database]:
    """Open it for the life of the process."""
    return open_database(
        find_address(settings),
        state_dir=settings.state_dir,
        timeout_s=settings.stop_within_s * _SHARE_OF_STOPPING,
        threads=settings.dedup_store.concurrency + 1,
        log=log,
    )

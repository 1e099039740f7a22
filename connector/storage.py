"""Which store the settings name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from actors.dedup_store import Database, RedisAddress, open_database, parse_address
from connector.settings import Settings
from runtime.context import EventLog

_SHARE_OF_STOPPING = 0.4
"""What was sent is waited for: an answer, and a second where scripts are missing, fit in."""


def find_address(url: str | None, token: str | None) -> RedisAddress | None:
    """Where ``REDIS_URL`` and ``REDIS_TOKEN`` point; ``None`` for the embedded store.

    Raises:
        ValueError: with what is expected.
    """
    if url is None:
        if token is not None:
            raise ValueError("REDIS_TOKEN: is set without REDIS_URL, which says where Redis is")
        return None
    return parse_address(url, token)


def open_store(settings: Settings, log: EventLog) -> AbstractAsyncContextManager[Database]:
    """Open it for the life of the process."""
    return open_database(
        find_address(_reveal(settings.redis_url), _reveal(settings.redis_token)),
        state_dir=settings.state_dir,
        timeout_s=settings.stop_within_s * _SHARE_OF_STOPPING,
        connections=settings.dedup_store.concurrency + 1,
        log=log,
    )


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()

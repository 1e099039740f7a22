"""An empty store for each test, and an administrator at work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from tests.connector.setup.administrator import Administrator, open_office


@pytest.fixture
def store(redis_url: str) -> dict[str, str]:
    """Where an empty store is. Logins are counted in it, so that tests may not share one."""
    forget_everything(redis_url)
    return {"REDIS_URL": redis_url}


@pytest.fixture
async def office(tmp_path: Path, store: dict[str, str]) -> AsyncIterator[Administrator]:
    """An administrator in an empty folder, and an organization in which there is nothing."""
    async with open_office(tmp_path, store) as administrator:
        yield administrator


def forget_everything(redis_url: str) -> None:
    """Empty the store."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

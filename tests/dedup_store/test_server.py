"""What a Redis says of itself is read, and what it does not say is not made up."""

from __future__ import annotations

from contextlib import closing

import pytest
import redis

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.opening import open_remote
from actors.dedup_store.server import ServerFacts, ask_server

pytestmark = pytest.mark.redis


async def test_a_server_tells_its_release_its_memory_and_how_it_keeps(
    redis_address: RedisAddress,
) -> None:
    """As it was started: without snapshots, and without an append-only file."""
    with closing(open_remote(redis_address, timeout_s=5.0, connections=1)) as database:
        facts = await ask_server(database)
    assert facts.version is not None
    assert not facts.is_too_old
    assert facts.memory_used is not None
    assert facts.memory_used > 100_000
    assert (facts.memory_most, facts.eviction) == (0, "noeviction")
    assert (facts.appends, facts.saves) == (False, False)


async def test_a_user_who_may_not_ask_learns_nothing_and_nothing_fails(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """As hosted ones forbid CONFIG, and some of them INFO."""
    redis_client.acl_setuser(
        "narrow",
        enabled=True,
        passwords=["+x"],
        keys=["*"],
        categories=["+@all"],
        commands=["-config", "-info"],
    )
    narrow = RedisAddress(path=redis_address.path, username="narrow", password="x")
    try:
        with closing(open_remote(narrow, timeout_s=5.0, connections=1)) as database:
            assert await ask_server(database) == ServerFacts(None, None, None, None, None, None)
    finally:
        redis_client.acl_deluser("narrow")

"""Nothing stays in the store for ever, whatever came through the connector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.keys import LONGEST_KEEP_S
from actors.dedup_store.state_dir import choose_socket
from sandbox.faults import Status
from tests.connector.connected import Connected, open_connected
from tests.support.redis_client import connect

KINDS = {
    "active",
    "dead",
    "journal",
    "later",
    "leader",
    "lease",
    "posts",
    "queue",
    "reference",
    "seen",
    "sequence",
    "value:contact",
    "value:cursor",
    "value:session",
    "value:written",
}
"""What a busy day leaves behind while one thing cannot be carried."""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[redis.Redis]:
    """To look into the embedded store."""
    address = RedisAddress(path=str(choose_socket(tmp_path)))
    with closing(connect(address, timeout_s=5.0)) as client:
        yield client


async def live_a_day(connected: Connected) -> None:
    """All kinds of messages in both directions, some of them refused, one that cannot be sent."""
    world, genesys = connected.world, connected.world.genesys
    conversation = await connected.conversation()
    world.bluesky.post(world.customers[1], "the acmephone is fine")
    world.bluesky.direct_messages.send(world.customers[2], world.brand, "hello")
    private = await connected.receives("hello")
    sent = [
        genesys.agent_reply(conversation, "We are on it.", public=True),
        genesys.agent_reply(conversation, "!like", public=True),
        genesys.agent_reply(conversation, "!dance", public=True),
        genesys.agent_reply(
            genesys.conversations[private.conversation_id], "In private.", public=False
        ),
    ]
    for message in sent:
        await connected.concluded(message)
    await connected.first(lambda: list(genesys.contacts.by_id.values()))
    genesys.faults.add("inbound/open/message", Status(503), count=None)
    world.bluesky.direct_messages.send(world.customers[2], world.brand, "and now?")
    await connected.until("GenesysSender", lambda actor: actor["last_error"] is not None)


def kind_of(key: str) -> str:
    """The first word of a key's name, or the first two of a value's."""
    words = key.partition("}:")[2].split(":")
    return ":".join(words[:2]) if words[0] == "value" else words[0]


async def test_every_key_has_a_life_time(tmp_path: Path, client: redis.Redis) -> None:
    """No key is kept for ever, and so no set or list either: each has a last day."""
    async with open_connected(tmp_path) as connected:
        await live_a_day(connected)
        with trio.fail_after(10):
            while True:
                keys = [str(key) for key in client.scan_iter()]
                if {kind_of(key) for key in keys} >= KINDS:
                    break
                await trio.sleep(0.1)
        left_s = {key: client.ttl(key) for key in keys}
    assert {key: left for key, left in left_s.items() if left == -1} == {}
    assert max(left_s.values()) <= LONGEST_KEEP_S

"""Any one actor may crash: it is restarted, what waited is handled, the others go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.connector.connected import Connected, open_connected

EIGHT = (
    "NotificationPoller",
    "SearchPoller",
    "DMPoller",
    "WebhookReceiver",
    "GenesysSender",
    "BlueskySender",
    "ContactResolver",
    "DedupStore",
)
WAITING = 3


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[Connected]:
    async with open_connected(tmp_path) as connected:
        yield connected


async def mentions_arrive(connected: Connected) -> None:
    world = connected.world
    posts = [
        world.bluesky.post(world.customers[0], f"@{world.brand.handle} question {number}")
        for number in range(WAITING)
    ]
    for post in posts:
        await connected.arrives(post)
    assert sorted(one.provider_message_id for one in world.genesys.ingested) == sorted(
        post.uri for post in posts
    )


async def hits_arrive(connected: Connected) -> None:
    world = connected.world
    posts = [
        world.bluesky.post(world.customers[1], f"the acmephone, part {number}")
        for number in range(WAITING)
    ]
    for post in posts:
        await connected.arrives(post)
    assert len(world.genesys.ingested) == WAITING


async def direct_messages_arrive(connected: Connected) -> None:
    world = connected.world
    texts = [f"private question {number}" for number in range(WAITING)]
    for text in texts:
        world.bluesky.direct_messages.send(world.customers[2], world.brand, text)
    for text in texts:
        await connected.receives(text)
    assert [one.text for one in world.genesys.private_messages] == texts


async def contacts_are_made(connected: Connected) -> None:
    world = connected.world
    for customer in world.customers:
        world.bluesky.post(customer, f"@{world.brand.handle} hello")
    await connected.first(
        lambda: [True] if len(world.genesys.contacts.by_id) == len(world.customers) else []
    )


async def answers_arrive(connected: Connected) -> None:
    world = connected.world
    conversation = await connected.conversation()
    texts = [f"answer {number}" for number in range(WAITING)]
    sent = [world.genesys.agent_reply(conversation, text, public=True) for text in texts]
    for message in sent:
        assert await connected.concluded(message) == "Delivered"
    written = [call for call in world.bluesky.calls.all() if call.nsid.endswith("putRecord")]
    assert [call.body["record"]["text"] for call in written] == texts
    assert len(world.bluesky.posts(world.brand)) == WAITING
    assert all(len(message.receipts) == 1 for message in sent)


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("NotificationPoller", mentions_arrive),
        ("SearchPoller", hits_arrive),
        ("DMPoller", direct_messages_arrive),
        ("WebhookReceiver", answers_arrive),
        ("GenesysSender", mentions_arrive),
        ("BlueskySender", answers_arrive),
        ("ContactResolver", contacts_are_made),
        ("DedupStore", answers_arrive),
    ],
)
async def test_one_actor_crashes_and_nothing_is_lost_or_doubled(
    connected: Connected, name: str, work: Callable[[Connected], Awaitable[None]]
) -> None:
    """The actor comes back by itself; what waited takes effect once; the others never stopped."""
    assert connected.crasher.crash(name)

    await work(connected)

    crashed = await connected.until(name, lambda actor: actor["state"] == "running")
    assert crashed["restarts"] == 1
    assert crashed["last_error"]["type"] == "CrashOrderedError"
    actors = (await connected.health())["actors"]
    assert tuple(sorted(actors)) == tuple(sorted(EIGHT))
    assert {other: actors[other]["restarts"] for other in EIGHT if other != name} == {
        other: 0 for other in EIGHT if other != name
    }

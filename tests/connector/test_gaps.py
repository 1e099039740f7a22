"""What agents wrote while no webhook could be taken in arrives all the same, once."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
import trio

from actors.dedup_store.state_dir import choose_socket
from sandbox.genesys import Conversation, OutboundMessage
from sandbox.world import World, open_world
from tests.connector.connected import Connected, connect

LONG = "We are sorry to hear that, and we will send you a new one. " * 10


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Both platforms. Genesys gives a message up after 7 s, and then tries the next one."""
    async with open_world(random.SystemRandom(), retry_after_s=1.4) as world:
        yield world


async def begin_to_talk(connected: Connected) -> tuple[Conversation, Conversation]:
    """Alice has written in public and in private."""
    world = connected.world
    thread = await connected.conversation()
    world.bluesky.direct_messages.send(world.customers[0], world.brand, "Hello?")
    message = await connected.receives("Hello?")
    return thread, world.genesys.conversations[message.conversation_id]


async def given_up(world: World, sent: list[OutboundMessage], within_s: float) -> None:
    """Genesys will not deliver any of these any more."""
    with trio.fail_after(within_s):
        await world.genesys.wait_until(lambda: all(one.status == "failed" for one in sent))


@pytest.mark.durability
async def test_answers_that_were_given_up_while_nobody_was_there_arrive_once(
    world: World, tmp_path: Path
) -> None:
    """In public and in private, a command and a long one; each has one receipt. It takes a while:
    as long as nothing can have been missed, nothing is looked for."""
    genesys, bluesky = world.genesys, world.bluesky
    async with connect(world, tmp_path) as connected:
        thread, chat = await begin_to_talk(connected)
    sent = [
        genesys.agent_reply(thread, "Sorry to hear that!", public=True),
        genesys.agent_reply(chat, "Which model is it?", public=False),
        genesys.agent_reply(thread, "!like", public=True),
        genesys.agent_reply(thread, LONG, public=True),
    ]
    await given_up(world, sent, within_s=60)

    async with connect(world, tmp_path) as connected:
        for message in sent:
            assert await connected.concluded(message) == "Delivered"
        late = genesys.agent_reply(chat, "And since when?", public=False)
        assert await connected.concluded(late) == "Delivered"
        receiver = await connected.actor("WebhookReceiver")

    assert receiver["state"] == "running"
    assert receiver["skipped"] == {}
    assert [len(message.receipts) for message in (*sent, late)] == [1] * 5
    written = [call for call in bluesky.calls.all() if call.nsid.endswith("putRecord")]
    texts = [call.body["record"].get("text") for call in written]
    assert [text for text in texts if text in {"Sorry to hear that!", None}] == [
        "Sorry to hear that!",
        None,
    ]
    assert len(bluesky.posts(world.brand)) == len(texts) - 1 > 2
    said = [
        call.body["message"]["text"] for call in bluesky.calls.all() if "sendMessage" in call.nsid
    ]
    assert said == ["Which model is it?", "And since when?"]


@pytest.mark.durability
async def test_an_answer_that_a_full_store_refused_arrives_once_there_is_room(
    world: World, tmp_path: Path
) -> None:
    """In the same process, and although no webhook comes any more. It takes a minute."""
    async with connect(world, tmp_path) as connected:
        _, chat = await begin_to_talk(connected)
        await connected.first(lambda: [True] if len(world.genesys.contacts.by_id) == 1 else [])
        with closing(redis.Redis(unix_socket_path=str(choose_socket(tmp_path)))) as store:
            store.config_set("maxmemory", "1")
            sent = world.genesys.agent_reply(chat, "Which model is it?", public=False)
            await given_up(world, [sent], within_s=90)
            assert sent.attempts == [503] * 6
            store.config_set("maxmemory", "0")
        assert await connected.concluded(sent) == "Delivered"
    assert len(sent.receipts) == 1

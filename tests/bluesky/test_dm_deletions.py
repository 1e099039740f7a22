"""A direct message that was taken in and is deleted yields one note in its conversation."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.dm_poller import DMPoller
from actors.messages import InboundDirectMessage
from actors.translation.open_message import make_private_message
from runtime.errors import Rejected
from tests.bluesky.chat import CONVO, DEFS, Chat
from tests.bluesky.network import BRAND, time_at
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

DAY_S = 86_400.0


class World:
    """A chat service, a memory, and a poller that can be run for a while, again and again."""

    def __init__(self, watch_deletes_s: float = DAY_S) -> None:
        self.chat = Chat()
        self.memory = MemoryStore()
        self.context = FakeContext("DMPoller")
        self._watch_deletes_s = watch_deletes_s

    async def poll_for(self, seconds: float) -> None:
        poller = DMPoller(
            self.context,
            self.chat,
            self.memory.store,
            virtual_wall_clock,
            interval_s=120.0,
            lookback_s=3600.0,
            requests="accept",
            at_once=500,
            watch_deletes_s=self._watch_deletes_s,
        )
        with trio.move_on_after(seconds):
            await poller.run()

    def delete(self, convo_id: str, message_id: str, sent_s: float, sender: str = "alice") -> None:
        """Somebody deletes a message, which shows in the log."""
        message: dict[str, Any] = {
            "$type": f"{DEFS}deletedMessageView",
            "id": message_id,
            "rev": "9",
            "sender": {"did": f"did:plc:{sender}"},
            "sentAt": time_at(sent_s),
        }
        self.chat.event("DeleteMessage", convo_id, message=message)

    @property
    def messages(self) -> list[InboundDirectMessage]:
        return [one for one in self.memory.payloads if isinstance(one, InboundDirectMessage)]

    @property
    def ids(self) -> list[str]:
        return [one.message_id for one in self.messages]


async def test_a_deleted_message_is_noted_once(autojump_clock: Clock) -> None:
    """As a message of the same person in the same conversation, under an id of its own."""
    world = World()
    convo = world.chat.convo("alice")
    await world.poll_for(10)
    sent = world.chat.write(convo, 20)
    await world.poll_for(10)
    world.delete(convo, sent, 20)
    world.delete(convo, sent, 20)
    await world.poll_for(130)
    await world.poll_for(130)
    assert world.ids == [sent, f"{sent}#deleted"]
    body = make_private_message(world.messages[1])
    assert body["channel"]["from"]["id"] == "did:plc:alice"
    assert body["channel"]["from"]["nickname"] == "alice.test"
    assert body["channel"]["messageId"] == f"{sent}#deleted"
    assert body["metadata"]["deleted"] == sent
    assert body["text"]
    entries = list(world.memory.entries.values())
    assert entries[0].conversation == entries[1].conversation


async def test_a_message_that_is_deleted_in_the_same_poll_is_noted_after_it(
    autojump_clock: Clock,
) -> None:
    """Both are recorded in one step."""
    world = World()
    convo = world.chat.convo("alice")
    await world.poll_for(10)
    sent = world.chat.write(convo, 20)
    world.delete(convo, sent, 20)
    await world.poll_for(10)
    assert world.ids == [sent, f"{sent}#deleted"]


@pytest.mark.parametrize(
    ("message", "sender", "sent_s", "watch_s"),
    [
        ("never-seen", "alice", 5.0, DAY_S),
        ("m1", "brand", 5.0, DAY_S),
        ("m1", "alice", -DAY_S - 1, DAY_S),
        ("m1", "alice", 5.0, 0.0),
    ],
    ids=["never taken in", "our own", "too old", "turned off"],
)
async def test_other_deletions_say_nothing(
    autojump_clock: Clock, message: str, sender: str, sent_s: float, watch_s: float
) -> None:
    """What Genesys never saw, what we deleted ourselves, what is long ago."""
    assert BRAND == "did:plc:brand"
    world = World(watch_s)
    convo = world.chat.convo("alice")
    await world.poll_for(10)
    world.chat.write(convo, 5)
    await world.poll_for(10)
    world.delete(convo, message, sent_s, sender)
    await world.poll_for(10)
    assert world.ids == ["m1"]


async def test_a_deletion_that_cannot_be_read_or_placed_stops_nothing(
    autojump_clock: Clock,
) -> None:
    """The log goes on."""
    world = World()
    convo = world.chat.convo("alice")
    await world.poll_for(10)
    sent = world.chat.write(convo, 20)
    await world.poll_for(10)
    world.chat.event("DeleteMessage", convo, message={"id": 7})
    world.chat.event("DeleteMessage", convo)
    world.chat.faults[f"{CONVO}getConvo"] = [Rejected("InvalidConvo", "left")]
    world.delete(convo, sent, 20)
    await world.poll_for(10)
    later = world.chat.write(convo, 40)
    await world.poll_for(10)
    assert world.ids == [sent, later]

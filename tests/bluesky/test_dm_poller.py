"""DMPoller carries every direct message once, from the first start on."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.dm_chores import READ_AT_ONCE
from actors.bluesky.dm_poller import DMPoller
from actors.messages import InboundDirectMessage
from actors.store import StoreUnavailable
from runtime.errors import AuthRejected, Malformed, Rejected, Retryable
from tests.bluesky.chat import CONVO, DEFS, Chat
from tests.bluesky.network import profile, time_at
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0
LOG = f"{CONVO}getLog"
ACCEPT = f"{CONVO}acceptConvo"
READ = f"{CONVO}updateRead"


class World:
    """A chat service, a memory, and a poller that can be run for a while, again and again."""

    def __init__(self, requests: Literal["accept", "ignore"] = "accept") -> None:
        self.chat = Chat()
        self.memory = MemoryStore()
        self.context = FakeContext("DMPoller", concurrency=2)
        self.requests: Literal["accept", "ignore"] = requests

    async def poll_for(self, seconds: float) -> None:
        """Run a new incarnation of the poller for so long."""
        poller = DMPoller(
            self.context,
            self.chat,
            self.memory.store,
            virtual_wall_clock,
            interval_s=120.0,
            lookback_s=HOUR_S,
            requests=self.requests,
            at_once=500,
        )
        with trio.move_on_after(seconds):
            await poller.run()

    @property
    def messages(self) -> list[InboundDirectMessage]:
        return [one for one in self.memory.payloads if isinstance(one, InboundDirectMessage)]

    @property
    def ids(self) -> list[str]:
        return [one.message_id for one in self.messages]


async def test_the_first_start_takes_the_look_back_then_follows_the_log(
    autojump_clock: Clock,
) -> None:
    """getLog without a cursor starts now: what was written before is in the conversations."""
    world = World()
    alice = world.chat.convo("alice")
    world.chat.write(alice, -2 * HOUR_S)
    recent = [world.chat.write(alice, -30), world.chat.write(alice, -20)]
    await world.poll_for(1)
    assert world.ids == recent
    later = world.chat.write(alice, 5)
    await world.poll_for(1)
    assert world.ids == [*recent, later]
    assert world.chat.count(f"{CONVO}listConvos") == 1


async def test_what_is_written_during_the_first_look_back_falls_in_no_gap(
    autojump_clock: Clock,
) -> None:
    """The cursor is taken first; what is in both is recorded once."""
    world = World()
    alice, bob = world.chat.convo("alice"), world.chat.convo("bob")
    first = world.chat.write(bob, -1)
    written: list[str] = []
    world.chat.on_list = [
        lambda: written.append(world.chat.write(alice, 0)),
        lambda: written.append(world.chat.write(bob, 0)),
    ]
    await world.poll_for(10)
    assert sorted(world.ids) == sorted([first, *written])


async def test_quiet_conversations_are_not_read_through(autojump_clock: Clock) -> None:
    """Only those whose last message is within the look-back."""
    world = World()
    for number in range(250):
        world.chat.write(world.chat.convo(f"old{number}"), -2 * HOUR_S)
    alice = world.chat.convo("alice")
    written = [world.chat.write(alice, -200 + number) for number in range(150)]
    await world.poll_for(10)
    assert world.ids == written
    assert world.chat.count(f"{CONVO}getMessages") == 2


async def test_the_sender_is_named_from_the_members_or_newer_profiles(
    autojump_clock: Clock,
) -> None:
    """A message itself carries only a DID; a handle may change at any time."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    world.chat.write(alice, 2)
    world.chat.write(alice, 3)
    world.chat.log[-1]["relatedProfiles"] = [{**profile("alice"), "handle": "new.test"}]
    world.chat.write(alice, 4, sender="stranger")
    await world.poll_for(1)
    assert [(one.author.did, one.author.handle) for one in world.messages] == [
        ("did:plc:alice", "alice.test"),
        ("did:plc:alice", "new.test"),
        ("did:plc:stranger", "handle.invalid"),
    ]
    assert world.chat.count(f"{CONVO}getConvo") == 1


async def test_own_deleted_and_system_messages_are_left_out(autojump_clock: Clock) -> None:
    """Each with its reason; all other events of the log are ignored quietly."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    world.chat.write(alice, 1, sender="brand")
    world.chat.write(alice, 2, **{"$type": f"{DEFS}deletedMessageView"})
    world.chat.write(alice, 3, **{"$type": f"{DEFS}systemMessageView"})
    for kind in ("BeginConvo", "ReadMessage", "RemoveReaction", "MuteConvo", "SomethingNew"):
        world.chat.event(kind, alice)
    kept = world.chat.write(alice, 4)
    await world.poll_for(1)
    assert world.ids == [kept]
    reasons = {"own_message": 1, "deleted_message": 1, "system_message": 1}
    assert world.context.skips == reasons
    assert not world.memory.letters


def react(chat: Chat, convo_id: str, message: dict[str, Any], value: str, *, by: str) -> None:
    """Somebody puts an emoji on a message."""
    sender = {"did": f"did:plc:{by}"}
    reaction = {"value": value, "sender": sender, "createdAt": time_at(3)}
    chat.event("AddReaction", convo_id, message=message, reaction=reaction)


async def test_a_reaction_is_a_note_in_the_conversation(autojump_clock: Clock) -> None:
    """What was reacted to is quoted; ours are left out, and the same one is told once."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    world.chat.write(alice, 1, sender="brand", text="Does it work?\nTell us.")
    ours = world.chat.messages[alice][-1]
    react(world.chat, alice, ours, "👍🏽", by="brand")
    react(world.chat, alice, ours, "❤️", by="alice")
    world.chat.event("RemoveReaction", alice)
    react(world.chat, alice, ours, "❤️", by="alice")
    react(world.chat, alice, {"$type": f"{DEFS}deletedMessageView", "id": "x"}, "❤️", by="alice")
    await world.poll_for(1)
    (note,) = world.messages
    assert note.text == "[Reacted with ❤️ to:]\n> Does it work?\n> Tell us."
    assert (note.author.handle, note.sent_at) == ("alice.test", time_at(3))
    assert note.message_id == f"{ours['id']}:reaction:2764-fe0f"
    assert note.metadata["reaction"] == "❤️"
    assert world.context.skips == {"own_message": 1, "own_reaction": 1, "deleted_message": 1}


async def test_a_reaction_that_cannot_be_read_is_kept(autojump_clock: Clock) -> None:
    """And those behind it go on."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    world.chat.write(alice, 1, sender="brand")
    ours = world.chat.messages[alice][-1]
    world.chat.event("AddReaction", alice, message=ours)
    react(world.chat, alice, {**ours, "text": 5}, "x", by="alice")
    react(world.chat, alice, ours, "❤️", by="alice")
    await world.poll_for(1)
    assert len(world.messages) == 1
    assert len(world.memory.letters) == 2
    assert all('"reaction"' in one.payload for one in world.memory.letters.values())


async def test_a_conversation_is_marked_as_read_once_it_is_recorded(
    autojump_clock: Clock,
) -> None:
    """Up to the last message that was taken in, in the look-back and in the log."""
    world = World()
    alice, bob = world.chat.convo("alice"), world.chat.convo("bob")
    world.chat.write(alice, -2)
    last = world.chat.write(alice, -1)
    await world.poll_for(1)
    assert world.chat.read == {alice: last}
    world.chat.write(bob, 1)
    newest = world.chat.write(bob, 2)
    world.chat.write(bob, 3, sender="brand")
    await world.poll_for(1)
    assert world.chat.read == {alice: last, bob: newest}


async def test_what_cannot_be_recorded_is_not_marked_as_read(autojump_clock: Clock) -> None:
    """It would look answered for, and be lost from sight."""
    world = World()
    world.chat.write(world.chat.convo("alice"), -1)
    world.memory.away = True
    with pytest.raises(StoreUnavailable):
        await world.poll_for(1)
    assert world.chat.count(READ) == 0


async def test_a_failure_to_mark_as_read_is_counted_and_tried_again(
    autojump_clock: Clock,
) -> None:
    """At the next poll or after a restart, unless it is refused; messages do not wait for it."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    first = world.chat.write(alice, 1)
    away = Retryable("502")
    world.chat.faults[READ] = [away]
    await world.poll_for(1)
    assert world.ids == [first]
    assert world.chat.read == {}
    assert world.context.failures == [away]
    await world.poll_for(1)
    assert world.chat.read == {alice: first}
    refused = Rejected("InvalidConvo", "Convo not found")
    world.chat.faults[READ] = [refused]
    world.chat.write(alice, 4)
    asked = world.chat.count(READ)
    await world.poll_for(150)
    assert world.context.failures == [away, refused]
    assert world.chat.count(READ) == asked + 1


async def test_many_conversations_are_marked_as_read_poll_by_poll(
    autojump_clock: Clock,
) -> None:
    """New messages are more urgent."""
    world = World()
    await world.poll_for(1)
    for number in range(READ_AT_ONCE + 10):
        world.chat.write(world.chat.convo(f"customer{number}"), 1)
    await world.poll_for(60)
    assert len(world.chat.read) == READ_AT_ONCE
    await world.poll_for(180)
    assert len(world.chat.read) == READ_AT_ONCE + 10


async def test_what_is_known_of_the_sender_goes_with_the_message(autojump_clock: Clock) -> None:
    """As with posts."""
    world = World()
    world.chat.profiles["did:plc:alice"] = {**profile("alice"), "followersCount": 12}
    world.chat.write(world.chat.convo("alice"), -1)
    await world.poll_for(1)
    assert world.messages[0].metadata["authorFollowers"] == "12"


async def test_groups_are_left_out_and_counted(autojump_clock: Clock) -> None:
    """In the look-back and in the log."""
    world = World()
    group = world.chat.convo("club", group=True)
    world.chat.write(group, -1)
    await world.poll_for(1)
    assert world.context.skips == {"group_conversation": 1}
    world.chat.write(group, 1)
    await world.poll_for(1)
    assert world.ids == []
    assert world.context.skips == {"group_conversation": 2}
    assert world.chat.count(ACCEPT) == 0


@pytest.mark.parametrize("when", [-5.0, 5.0], ids=["look-back", "log"])
async def test_a_request_is_taken_in_then_accepted(when: float, autojump_clock: Clock) -> None:
    """First recorded, then accepted: once for all its messages."""
    world = World("accept")
    carol = world.chat.convo("carol", request=True)
    if when < 0:
        written = [world.chat.write(carol, when), world.chat.write(carol, when + 1)]
        await world.poll_for(1)
    else:
        await world.poll_for(1)
        written = [world.chat.write(carol, when), world.chat.write(carol, when + 1)]
    await world.poll_for(300)
    assert world.ids == written
    assert world.chat.convos[carol]["status"] == "accepted"


async def test_an_ignored_request_is_neither_taken_in_nor_accepted(
    autojump_clock: Clock,
) -> None:
    """It is counted, and what an accepted conversation says goes through."""
    world = World("ignore")
    carol, alice = world.chat.convo("carol", request=True), world.chat.convo("alice")
    world.chat.write(carol, -1)
    await world.poll_for(1)
    world.chat.write(carol, 5)
    kept = world.chat.write(alice, 6)
    await world.poll_for(300)
    assert world.ids == [kept]
    assert world.context.skips == {"request_ignored": 2}
    assert world.chat.count(ACCEPT) == 0


async def test_a_request_accepted_in_the_app_is_one_no_more(autojump_clock: Clock) -> None:
    """What is remembered of a conversation ends when the log says that it changed."""
    world = World("ignore")
    carol = world.chat.convo("carol", request=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 400)
        await trio.sleep(1)
        world.chat.write(carol, 1)
        await trio.sleep(120)
        world.chat.convos[carol]["status"] = "accepted"
        world.chat.event("AcceptConvo", carol)
        kept = world.chat.write(carol, 121)
    assert world.ids == [kept]


async def test_a_failing_acceptance_neither_loses_nor_repeats(autojump_clock: Clock) -> None:
    """The message is recorded; accepting is tried again, also after a restart."""
    world = World("accept")
    carol = world.chat.convo("carol", request=True)
    await world.poll_for(1)
    written = world.chat.write(carol, 1)
    world.chat.faults[ACCEPT] = [Retryable("502")] * 3
    await world.poll_for(1)
    other = world.chat.write(world.chat.convo("alice"), 2)
    await world.poll_for(1)
    assert world.ids == [written, other]
    assert world.chat.convos[carol]["status"] == "request"
    await world.poll_for(1)
    assert world.chat.convos[carol]["status"] == "accepted"
    assert world.ids == [written, other]


@pytest.mark.parametrize("fault", [Rejected("InvalidConvo", "gone"), Malformed("no JSON")])
async def test_an_acceptance_that_is_refused_is_given_up(
    fault: Rejected | Malformed, autojump_clock: Clock
) -> None:
    """It is shown, and does not hold up the log."""
    world = World("accept")
    carol = world.chat.convo("carol", request=True)
    written = world.chat.write(carol, -1)
    world.chat.faults[ACCEPT] = [fault]
    await world.poll_for(400)
    assert world.ids == [written]
    assert world.context.failures == [fault]
    assert world.chat.count(ACCEPT) == 1


async def test_malformed_events_are_kept_and_stop_nothing(autojump_clock: Clock) -> None:
    """No object, no type, no conversation, no sender, a senseless time."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    world.chat.log += ["nonsense", {"rev": "1"}, {"$type": f"{DEFS}logCreateMessage"}]
    world.chat.event("CreateMessage", alice, message={"id": "x", "text": "no sender"})
    world.chat.write(alice, 1, sentAt="yesterday")
    kept = world.chat.write(alice, 2)
    await world.poll_for(1)
    assert world.ids == [kept]
    assert len(world.memory.letters) == len(world.context.failures) == 5


async def test_a_message_whose_conversation_is_gone_is_kept_as_a_dead_letter(
    autojump_clock: Clock,
) -> None:
    """Nobody could answer it, but somebody wrote it."""
    world = World()
    await world.poll_for(1)
    world.chat.write("convo-left", 1)
    kept = world.chat.write(world.chat.convo("alice"), 2)
    await world.poll_for(1)
    assert world.ids == [kept]
    (letter,) = world.memory.letters.values()
    assert letter.code == "InvalidConvo"
    assert "message 1" in letter.payload


async def test_a_long_log_is_followed_to_its_end_at_once(autojump_clock: Clock) -> None:
    """Pages of a hundred events; a conversation is asked for once."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    written = [world.chat.write(alice, number) for number in range(450)]
    await world.poll_for(10)
    assert world.ids == written
    assert world.chat.count(f"{CONVO}getConvo") == 1


async def test_a_failure_in_the_middle_repeats_and_loses_nothing(autojump_clock: Clock) -> None:
    """Items and cursor move together."""
    world = World()
    alice = world.chat.convo("alice")
    await world.poll_for(1)
    written = [world.chat.write(alice, number) for number in range(250)]
    world.chat.faults[LOG] = [None, Retryable("502")]
    with pytest.raises(Retryable):
        await world.poll_for(10)
    assert 0 < len(world.ids) < 250
    world.memory.lost_answers = 1
    with pytest.raises(Retryable):
        await world.poll_for(10)
    await world.poll_for(10)
    assert world.ids == written


async def test_an_idle_poll_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """One getLog, and that is all."""
    world = World()
    world.chat.write(world.chat.convo("alice"), -1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 4000)
        await trio.sleep(30)
        before, polls = len(world.memory.requests), len(world.chat.calls)
        await trio.sleep(1200)
        assert len(world.chat.calls) == polls + 10
        assert len(world.memory.requests) == before
    assert 0 in world.context.successes


async def test_the_look_back_counts_from_the_first_start(autojump_clock: Clock) -> None:
    """However long the chat service is away at the very beginning."""
    world = World()
    written = world.chat.write(world.chat.convo("alice"), -HOUR_S + 10)
    world.chat.faults[LOG] = [Retryable("502")]
    with pytest.raises(Retryable):
        await world.poll_for(1)
    await trio.sleep(5 * HOUR_S)
    await world.poll_for(1)
    assert world.ids == [written]


async def test_without_a_cursor_the_conversations_are_looked_through_again(
    autojump_clock: Clock,
) -> None:
    """The lexicon does not promise one; nothing is repeated, and the idle store rests."""
    world = World()
    world.chat.log_has_cursor = False
    alice = world.chat.convo("alice")
    first = world.chat.write(alice, -1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 1000)
        await trio.sleep(130)
        second = world.chat.write(alice, 130)
        await trio.sleep(200)
        before = len(world.memory.requests)
        await trio.sleep(400)
        assert len(world.memory.requests) == before
    assert world.ids == [first, second]


async def test_a_cursor_that_the_log_forgot_leads_back_to_the_messages(
    autojump_clock: Clock,
) -> None:
    """Since the last move, and without repeating what was recorded."""
    world = World()
    alice = world.chat.convo("alice")
    first = world.chat.write(alice, -1)
    await world.poll_for(1)
    await trio.sleep(10 * HOUR_S)
    second = world.chat.write(alice, HOUR_S)
    world.chat.oldest_cursor = len(world.chat.log)
    await world.poll_for(300)
    assert world.ids == [first, second]
    third = world.chat.write(alice, 20 * HOUR_S)
    await world.poll_for(1)
    assert world.ids == [first, second, third]


async def test_missing_chat_access_is_for_a_person_to_mend(autojump_clock: Clock) -> None:
    """It escapes to the supervisor with its action."""
    world = World()
    world.chat.faults[LOG] = [AuthRejected("Bad token method", action="anew")]
    with pytest.raises(AuthRejected):
        await world.poll_for(1)


async def test_a_chat_service_without_a_list_of_requests_is_read_all_the_same(
    autojump_clock: Clock,
) -> None:
    """Older ones show requests among the rest."""
    world = World()
    world.chat.faults[f"{CONVO}listConvoRequests"] = [Rejected("MethodNotImplemented", "")]
    written = world.chat.write(world.chat.convo("alice"), -1)
    await world.poll_for(1)
    assert world.ids == [written]


async def test_the_time_sent_is_kept(autojump_clock: Clock) -> None:
    """In UTC with milliseconds."""
    world = World()
    world.chat.write(world.chat.convo("alice"), -1.5)
    await world.poll_for(1)
    assert world.messages[0].sent_at == time_at(-1.5)
    assert world.messages[0].convo_id == "convo-alice"

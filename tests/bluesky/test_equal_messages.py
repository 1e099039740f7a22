"""Two agents who write the same words to the same person at the same time send two messages."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from actors.bluesky.claims import WRITTEN, Claims
from actors.messages import AgentMessage, Destination, Receipt
from runtime.errors import Effect, Rejected, Retryable
from tests.bluesky.sender_world import World, private_message

SEND = "chat.bsky.convo.sendMessage"
LOOK = "chat.bsky.convo.getMessages"
WORDS = "We are on it."


def lost() -> Retryable:
    return Retryable("the answer was lost", effect=Effect.UNKNOWN)


def one_of_two(name: str) -> AgentMessage:
    return private_message(WORDS, message_id=name, conversation_id=name)


def receipts(world: World) -> list[str]:
    found = [one for one in world.memory.payloads if isinstance(one, Receipt)]
    return sorted(f"{one.message_id} {one.status}" for one in found)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    "fates",
    [
        ("arrived", "failed"),
        ("failed", "arrived"),
        ("lost", "failed"),
        ("failed", "lost"),
        ("lost", "arrived"),
        ("arrived", "lost"),
        ("lost", "lost"),
        ("failed", "failed"),
    ],
)
async def test_equal_messages_of_two_conversations_arrive_both(
    autojump_clock: trio.abc.Clock, fates: tuple[str, str], *, restarted: bool
) -> None:
    """Whatever became of each first attempt, and also for a process that remembers nothing."""
    world = World.make()
    for name in ("one", "two"):
        world.add(one_of_two(name))
    entries = world.memory.deliverable(Destination.BLUESKY_SENDER)
    world.bluesky.trouble[SEND] = [lost() if fate == "failed" else None for fate in fates]
    # A call that fails before it acts asks for none of these.
    world.bluesky.lost[SEND] = [
        lost() if one == "lost" else None for one in fates if one != "failed"
    ]
    for entry in entries:
        await world.start().handle(entry)
    if restarted:
        world.restart()
    await world.work()
    assert world.bluesky.sent == [WORDS, WORDS]
    assert receipts(world) == ["one Delivered", "two Delivered"]


async def test_who_finds_its_message_taken_sends_it_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The other one looked between our sending and our answer, and took ours for its own."""
    world = World.make()
    for name in ("one", "two"):
        world.add(one_of_two(name))
    one, two = world.memory.deliverable(Destination.BLUESKY_SENDER)
    world.bluesky.trouble[SEND] = [lost()]
    await world.start().handle(one)
    looked = trio.Event()

    async def interrupt() -> None:
        """Hold the answer to the second message back until the first has looked."""
        await looked.wait()

    world.bluesky.before_answer[SEND] = [interrupt]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.start().handle, two)
        await trio.testing.wait_all_tasks_blocked()
        (again,) = (
            entry
            for entry in world.memory.deliverable(Destination.BLUESKY_SENDER)
            if entry.attempts > 0
        )
        await world.start().handle(again)
        looked.set()
    assert receipts(world) == ["one Delivered"]
    await world.work()
    assert world.bluesky.sent == [WORDS, WORDS]
    assert receipts(world) == ["one Delivered", "two Delivered"]
    assert world.bluesky.count(LOOK) == 2


async def test_claims_are_not_kept_for_long_once_they_are_written_down(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Nor is that a message was begun: what was sent takes no memory."""
    world = World.make()
    for number in range(WRITTEN + 20):
        world.add(one_of_two(f"message-{number}"))
    await world.work()
    assert len(world.bluesky.sent) == WRITTEN + 20
    assert not world.claims.owned_by("message-0")
    assert world.claims.owned_by(f"message-{WRITTEN + 19}")
    assert not any(f"message-{number}" in world.begun for number in range(WRITTEN + 20))


async def test_a_refused_message_is_not_remembered_as_begun(
    autojump_clock: trio.abc.Clock,
) -> None:
    """It has its receipt, and does not come again."""
    world = World.make()
    world.bluesky.trouble[SEND] = [Rejected("InvalidRequest", "no")]
    world.add(one_of_two("one"))
    await world.work()
    assert receipts(world) == ["one Failed"]
    assert "one" not in world.begun


async def test_claims_are_not_kept_for_ever() -> None:
    """Not even those of messages that another process closes: here are the latest ones."""
    claims = Claims()
    for number in range(20_000):
        assert claims.take(f"sent-{number}", "one")
    assert len(claims.owned_by("one")) == 10_000
    assert claims.take("sent-0", "two")
    assert not claims.take("sent-19999", "two")

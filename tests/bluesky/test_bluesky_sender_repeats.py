"""What was done already is found again, and nothing else is taken for it."""

from __future__ import annotations

import pytest
import trio

from actors.bluesky.answering import Style
from actors.bluesky.planning import Rules
from actors.bluesky.retrying import LOOK_AGAIN_AFTER_S
from runtime.errors import Effect, Rejected, Retryable
from tests.bluesky.scripted_bluesky import (
    ALICE,
    BRAND,
)
from tests.bluesky.sender_world import LONG, VERY_LONG, World, agent_message, private_message

PUT = "com.atproto.repo.putRecord"
SEND = "chat.bsky.convo.sendMessage"
LOOK = "chat.bsky.convo.getMessages"


def unsure() -> Retryable:
    return Retryable("the answer was lost", effect=Effect.UNKNOWN)


async def test_the_same_message_by_another_way_finds_its_own_record(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The journal was lost and Genesys sends again: another time and facets, the same words."""
    world = World.make()
    await world.handle(agent_message(LONG))
    first = dict(world.bluesky.repo)
    again = World(world.bluesky, world.context)
    receipt = await again.handle(agent_message(LONG, sent_at="2026-01-01T00:00:09.000Z"))
    assert receipt.status == "Delivered"
    assert len(world.bluesky.commits) == 3
    assert world.bluesky.repo == first
    assert len(again.memory.references) == 3


async def test_a_strangers_record_under_the_key_is_never_overwritten(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The message is refused, and the agent can send it again under a new id."""
    world = World.make()
    await world.handle(agent_message("First"))
    again = World(world.bluesky, world.context)
    receipt = await again.handle(agent_message("Second"))
    assert (receipt.status, receipt.code) == ("Failed", "GeneralError")
    assert world.bluesky.texts == ["First"]


async def test_a_record_that_vanishes_while_it_is_compared_is_written_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Somebody deleted it in between."""
    world = World.make()
    world.bluesky.trouble[PUT] = [Rejected("InvalidSwap", "Record was at x")]
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert world.bluesky.texts == ["We are on it."]


async def test_only_our_own_new_messages_count_as_sent(autojump_clock: trio.abc.Clock) -> None:
    """Not an equal one from before, nor the customer's, nor one that was deleted."""
    world = World.make()
    world.bluesky.receive("We are on it.", BRAND)
    entry = world.add(private_message())
    world.bluesky.trouble[SEND] = [unsure()]
    await world.start().handle(entry)
    world.bluesky.receive("We are on it.", ALICE)
    del world.bluesky.receive("We are on it.", BRAND)["text"]
    await world.work()
    assert world.bluesky.count(SEND) == 2
    assert world.receipt().status == "Delivered"


async def test_an_answer_that_another_process_sent_at_last_is_waited_for(
    autojump_clock: trio.abc.Clock,
) -> None:
    """It was killed while it sent: the service acts a little after the connection is gone."""
    world = World.make()
    entry = world.add(private_message())
    with trio.CancelScope() as killed:
        world.bluesky.points.trouble = {world.bluesky.points.reached + 7: "cancel"}
        world.bluesky.points.cancel = killed.cancel
        await world.start().handle(entry)
    assert (world.bluesky.sent, killed.cancelled_caught) == ([], True)
    assert world.payload() != entry.payload, "it was killed before its plan was fixed"
    world.bluesky.points.trouble = {}
    world.restart()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_late, world, LOOK_AGAIN_AFTER_S - 1.0)
        await world.work()
    assert world.bluesky.sent == ["We are on it."]
    assert world.receipt().status == "Delivered"


async def receive_late(world: World, after_s: float) -> None:
    await trio.sleep(after_s)
    world.bluesky.receive("We are on it.", BRAND)


async def test_a_worker_that_ends_while_it_backs_off_has_lost_no_plan(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The message in hand is delivered again as it first came, after its retry was settled."""
    world = World.make()
    entry = world.add(private_message())
    world.bluesky.lost[SEND] = [unsure()]
    with trio.move_on_after(0.5):
        await world.start().handle(entry)
    assert len(world.retries()) == 1
    await world.start().handle(entry)
    assert world.bluesky.sent == ["We are on it."]
    assert world.receipt().status == "Delivered"


async def test_parts_are_found_in_their_order_only(autojump_clock: trio.abc.Clock) -> None:
    """A colleague wrote the words of the second part by hand before the first was sent."""
    world = World.make()
    entry = world.add(private_message("a" * 1000 + " goodbye"))
    world.bluesky.trouble[SEND] = [unsure()]
    await world.start().handle(entry)
    world.bluesky.receive("goodbye", BRAND)
    await world.work()
    assert world.bluesky.sent == ["goodbye", "a" * 1000, "goodbye"]


async def test_a_conversation_is_as_new_as_its_last_message(autojump_clock: trio.abc.Clock) -> None:
    """Should its own ``rev`` lag behind, an older message of ours is not taken for a new one."""
    world = World.make()
    world.bluesky.receive("We are on it.", BRAND)
    world.bluesky.convo_rev = "2222222222222"
    entry = world.add(private_message())
    world.bluesky.trouble[SEND] = [unsure()]
    await world.start().handle(entry)
    await world.work()
    assert world.bluesky.sent == ["We are on it."] * 2


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_a_sent_message_is_found_under_later_ones(
    autojump_clock: trio.abc.Clock, page: int
) -> None:
    """Pages are read down to where the plan was made; white space may have been tidied."""
    world = World.make()
    world.bluesky.page = page
    world.bluesky.receive("Hi")
    entry = world.add(private_message(VERY_LONG))
    world.bluesky.lost[SEND] = [unsure()]
    await world.start().handle(entry)
    world.bluesky.messages[-1]["text"] += "\n"
    for number in range(5):
        world.bluesky.receive(f"Hello? {number}")
        world.bluesky.receive("A colleague, by hand", BRAND)
    await world.work()
    assert world.bluesky.count(SEND) == 2
    assert world.bluesky.count(LOOK) <= 12 // page + 1


async def test_a_plan_stays_as_it_was_fixed(autojump_clock: trio.abc.Clock) -> None:
    """An upgrade, or another setting, in the middle of a chain changes none of its parts."""
    world = World.make()
    entry = world.add(agent_message(LONG))
    world.bluesky.trouble[PUT] = [None, Retryable("502")]
    await world.start().handle(entry)
    assert len(world.bluesky.commits) == 1
    world.rules = Rules(style=Style(numbered=True, languages=("de",)))
    world.restart()
    await world.work()
    assert world.receipt().status == "Delivered"
    assert " ".join(world.bluesky.texts) == LONG
    assert not any("langs" in record for record in world.bluesky.repo.values())


async def test_numbers_and_languages_are_written(autojump_clock: trio.abc.Clock) -> None:
    """As the administrator has decided."""
    world = World.make()
    world.rules = Rules(style=Style(numbered=True, languages=("de",)))
    await world.handle(agent_message(LONG))
    assert [text[-6:] for text in world.bluesky.texts] == [" (1/3)", " (2/3)", " (3/3)"]
    assert [record["langs"] for record in world.bluesky.repo.values()] == [["de"]] * 3

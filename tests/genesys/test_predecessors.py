"""What comes in after a gap does not overtake what was missed in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from actors.genesys.gap import SHORTEST_S, UNSURE_S
from actors.genesys.predecessors import Predecessors
from actors.messages import AgentMessage
from runtime.clock import format_time
from runtime.errors import Retryable
from tests.genesys.fake_platform import error
from tests.genesys.reconciling import WINDOW_S, Return
from tests.support.memory_store import virtual_wall_clock


def make_message(name: str, conversation_id: str | None, ago_s: float = 0.0) -> AgentMessage:
    """What the webhook brings."""
    sent_at = format_time(virtual_wall_clock() - ago_s)
    return AgentMessage(
        name, "private", "did:plc:customer", name, sent_at, conversation_id=conversation_id
    )


async def miss_first(back: Return) -> str:
    """One message is missed in a gap; the Genesys id of its conversation."""
    conversation_id = back.talk(1)
    back.write("first", conversation_id, ago_s=300)
    await back.miss(400)
    return conversation_id


async def find(
    back: Return,
    message: AgentMessage,
    *,
    window_s: float = WINDOW_S,
    wait_known: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint,
    recorded: bool = True,
) -> list[str]:
    """The item ids of what goes before the message, which is recorded with them."""
    predecessors = Predecessors(
        back.context,
        back.memory.store,
        back.client,
        gap=back.gap,
        window_s=window_s,
        clock=virtual_wall_clock,
        wait_known=wait_known,
    )
    found = await predecessors.find(message)
    if found.asked is not None and recorded:
        back.gap.note_known(found.asked)
    return [item.item_id for intake in found.intakes for item in intake.items]


async def test_missed_messages_of_the_conversation_go_first(
    back: Return, autojump_clock: MockClock
) -> None:
    """Oldest first; neither later ones, nor itself, nor those of other conversations."""
    one, other = back.talk(1), back.talk(2)
    back.write("second", one, ago_s=200)
    back.write("first", one, ago_s=300)
    back.write("this", one, ago_s=100)
    back.write("later", one, ago_s=50)
    back.write("elsewhere", other, ago_s=300)
    await back.miss(400)
    assert await find(back, make_message("this", one, 100)) == ["agent:first", "agent:second"]


async def test_a_conversation_is_asked_about_once(back: Return, autojump_clock: MockClock) -> None:
    """What comes after it waits for nothing."""
    one = await miss_first(back)
    assert await find(back, make_message("this", one)) == ["agent:first"]
    asked = len(back.genesys.calls)
    assert await find(back, make_message("next", one)) == []
    assert len(back.genesys.calls) == asked


async def test_what_was_not_recorded_is_found_again(
    back: Return, autojump_clock: MockClock
) -> None:
    one = await miss_first(back)
    for _ in range(2):
        assert await find(back, make_message("this", one), recorded=False) == ["agent:first"]


async def test_what_ends_a_gap_does_not_overtake(back: Return, autojump_clock: MockClock) -> None:
    """Although the gap is kept only with it; and another gap is another reason to ask."""
    one = back.talk(1)
    assert back.gap.may_hide(one)
    for name in ("first", "second"):
        back.gap.take_note()
        back.gap.close()
        assert not back.gap.may_hide(one)
        back.write(name, one, ago_s=0)
        back.gap.begin(virtual_wall_clock())
        await trio.sleep(SHORTEST_S + 1)
        found = await find(back, make_message("this", one), recorded=False)
        assert found[-1] == f"agent:{name}"
        back.gap.end(tell=True)
        back.gap.note_known(one)
        assert not back.gap.may_hide(one)
        assert back.gap.may_hide(back.talk(2))


async def test_what_the_reconciler_is_told_of_meanwhile_is_not_known(
    back: Return, autojump_clock: MockClock
) -> None:
    """It has found all of the gap before, and nothing of the one that has ended since."""
    one = back.talk(1)
    back.gap.note_known(one)
    back.gap.begin(virtual_wall_clock())
    back.gap.take_note()
    await trio.sleep(SHORTEST_S + 1)
    back.gap.end(tell=True)
    back.gap.close()
    await trio.sleep(UNSURE_S)
    assert back.gap.may_hide(one)


async def test_a_short_gap_is_no_reason_to_ask(back: Return, autojump_clock: MockClock) -> None:
    back.gap.close()
    back.gap.begin(virtual_wall_clock())
    await trio.sleep(SHORTEST_S - 1)
    assert not back.gap.may_hide("conversation-1")
    back.gap.end(tell=False)
    assert not back.gap.may_hide("conversation-1")


@pytest.mark.parametrize("why", ["no gap", "off", "no conversation", "all known", "long ago"])
async def test_nobody_is_asked_without_need(
    back: Return, autojump_clock: MockClock, why: str
) -> None:
    """Genesys' budget is for messages."""
    one = back.talk(1)
    back.write("first", one, ago_s=300)
    if why != "no gap":
        await back.miss(400)
    if why == "all known":
        back.gap.close()
    if why == "long ago":
        assert back.gap.may_hide(one)
        await trio.sleep(UNSURE_S)
    message = make_message("this", None if why == "no conversation" else one)
    assert await find(back, message, window_s=0.0 if why == "off" else WINDOW_S) == []
    assert back.genesys.calls == []


@pytest.mark.parametrize(
    ("status", "code"), [(403, "missing.permissions"), (429, "too.many.requests")]
)
async def test_a_message_is_worth_more_than_its_place(
    back: Return, autojump_clock: MockClock, status: int, code: str
) -> None:
    """Genesys does not want to be asked: it goes on without."""
    one = await miss_first(back)
    back.genesys.faults.append(error(status, code, "No."))
    assert await find(back, make_message("this", one)) == []


async def test_a_message_does_not_overtake_while_genesys_is_away(
    back: Return, autojump_clock: MockClock
) -> None:
    """It comes again; and so it is asked about again."""
    one = await miss_first(back)
    back.genesys.faults.append(error(503, "service.unavailable", "Try again."))
    with pytest.raises(Retryable):
        await find(back, make_message("this", one))
    assert await find(back, make_message("this", one)) == ["agent:first"]


async def test_it_is_known_first_who_leads(back: Return, autojump_clock: MockClock) -> None:
    """Before that nobody has noticed that there was a gap."""
    one = back.talk(1)
    back.write("first", one, ago_s=300)
    known = trio.Event()

    async def lead() -> None:
        await trio.sleep(3)
        await back.miss(400)
        known.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lead)
        found = await find(back, make_message("this", one), wait_known=known.wait)
    assert found == ["agent:first"]

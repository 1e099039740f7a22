"""A time in which webhooks were refused is noticed, if it was long enough to lose one."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from actors.genesys.gap import MISSED_SINCE, SHORTEST_S, WebhookGap, make_missed_since
from actors.genesys.webhook_receiver import HOLD_S, WebhookAnswer
from actors.store import Activity
from tests.genesys.webhook_desk import Desk, make_body
from tests.support.memory_store import NEW_YEAR_2026, virtual_wall_clock

BETWEEN_RETRIES_S = 5.0


@pytest.fixture
def desk() -> Desk:
    """A receiver whose clocks move together."""
    return Desk(clock=virtual_wall_clock)


async def missed_since(desk: Desk) -> float | None:
    """What the store knows, in seconds of the virtual clock."""
    text = await desk.memory.store.read("cursor", MISSED_SINCE)
    return None if text is None else float(text) - NEW_YEAR_2026


async def refuse(desk: Desk, times: int) -> None:
    """Genesys delivers so many times, and finds the store away."""
    desk.memory.away = True
    for _ in range(times):
        assert await desk.deliver(make_body()) is WebhookAnswer.UNAVAILABLE
        await trio.sleep(BETWEEN_RETRIES_S)
    desk.memory.away = False


async def test_a_long_gap_is_kept_with_the_first_message_that_is_taken_in(
    desk: Desk, autojump_clock: MockClock
) -> None:
    """In the same step, from when the first one came that was refused."""
    await trio.sleep(1000)
    await refuse(desk, 3)
    assert desk.gap.is_open
    requests = len(desk.memory.requests)
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert len(desk.memory.requests) == requests + 1
    assert await missed_since(desk) == 1000.0
    assert not desk.gap.is_open
    assert desk.gap.has_changed


async def test_a_short_gap_loses_nothing_and_is_forgotten(
    desk: Desk, autojump_clock: MockClock
) -> None:
    """The first retry found the store."""
    await refuse(desk, 1)
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    await trio.sleep(1000)
    assert await desk.deliver(make_body(id="another")) is WebhookAnswer.ACCEPTED
    assert await missed_since(desk) is None
    assert HOLD_S + BETWEEN_RETRIES_S < SHORTEST_S


async def test_of_two_gaps_the_earlier_is_kept(desk: Desk, autojump_clock: MockClock) -> None:
    """As long as nobody has looked into it."""
    for _ in range(2):
        await refuse(desk, 3)
        await desk.deliver(make_body())
        await trio.sleep(100)
    assert await missed_since(desk) == 0.0
    await desk.memory.store.save(make_missed_since(NEW_YEAR_2026 - 5))
    assert await missed_since(desk) == -5.0


async def test_what_is_refused_for_its_own_sake_is_no_gap(
    desk: Desk, autojump_clock: MockClock
) -> None:
    """Whoever does not know the secret cannot make one."""
    await desk.deliver_raw(b"{}", "sha256=wrong")
    await desk.deliver(b"x" * 20_000)
    assert not desk.gap.is_open


async def test_what_needs_no_store_does_not_end_a_gap(
    desk: Desk, autojump_clock: MockClock
) -> None:
    """That somebody types is acknowledged while the store is away."""
    await refuse(desk, 3)
    desk.memory.away = True
    typing = make_body(type="Event", events=[{"eventType": "Typing"}])
    assert await desk.deliver(typing) is WebhookAnswer.ACCEPTED
    assert desk.gap.is_open


async def test_one_who_waits_is_told_of_the_beginning_and_of_the_end(
    autojump_clock: MockClock,
) -> None:
    """Once each, also if it was not waiting then; of a short one not of the end."""
    gap = WebhookGap(virtual_wall_clock)
    gap.begin(NEW_YEAR_2026)
    await gap.wait_changed()
    gap.take_note()
    gap.begin(NEW_YEAR_2026 + 1)
    assert not gap.has_changed
    assert gap.missed_since is None
    await trio.sleep(SHORTEST_S + 1)
    assert gap.missed_since == NEW_YEAR_2026
    gap.end(tell=True)
    await gap.wait_changed()
    gap.take_note()
    gap.end(tell=False)
    with trio.move_on_after(1000) as waiting:
        await gap.wait_changed()
    assert waiting.cancelled_caught


async def test_whom_an_agent_writes_to_is_noted(desk: Desk, autojump_clock: MockClock) -> None:
    """By the conversation that Genesys names; without a name there is nothing to ask for."""
    await desk.deliver(make_body())
    await desk.deliver(make_body(id="another", conversationId=None))
    await desk.deliver(make_body(id="odd", type="Structured"))
    noted = Activity("agent:conversation-1", "conversation", "conversation-1")
    assert desk.memory.active == [noted]

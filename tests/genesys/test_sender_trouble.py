"""Trouble on the other side, or here, loses nothing and sends nothing twice."""

from __future__ import annotations

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Done,
    InboundDirectMessage,
    InboundPost,
)
from runtime.errors import RateLimited
from runtime.rate import Budget
from tests.genesys.fake_platform import error
from tests.genesys.sender_bench import KEEP_S, Bench, make_message, make_post, make_uri


@pytest.mark.parametrize("payload", [make_post(1), make_message(1)])
async def test_a_repeat_after_a_lost_answer_carries_the_same_message_ids(
    bench: Bench, payload: InboundPost | InboundDirectMessage, autojump_clock: MockClock
) -> None:
    bench.add(payload)
    bench.genesys.lost_answers = 1
    await bench.send()
    assert bench.outcomes() == {}
    assert len(bench.context.back_offs) == 1
    await bench.send()
    first, second = bench.genesys.calls
    assert first == second
    assert len(bench.genesys.ingested) + len(bench.genesys.private) == 1
    assert set(bench.outcomes().values()) == {Done()}


@pytest.mark.parametrize(
    "fault",
    [
        error(500, "internal.server.error"),
        error(503, "service.unavailable"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_trouble_is_tried_again_later_and_backs_off_once_for_the_batch(
    bench: Bench, fault: httpx.Response | Exception, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [fault]
    bench.add(*map(make_post, range(10)))
    bench.add(make_message(1), make_message(2))
    await bench.send()
    assert bench.outcomes() == {}
    assert len(bench.genesys.calls) == len(bench.context.failures) == 1
    assert len(bench.context.back_offs) == 1
    assert all(entry.attempts == 1 for entry in bench.memory.entries.values())
    await bench.send()
    assert len(bench.outcomes()) == 12


async def test_the_delays_of_retries_are_jittered_and_grow(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(*map(make_post, range(40)))
    longest = []
    for _ in range(4):
        bench.genesys.faults = [error(503, "service.unavailable")]
        await bench.send()
        delays = [
            request.outcome.after_s
            for request in bench.memory.requests[-40:]
            if hasattr(request, "outcome") and hasattr(request.outcome, "after_s")
        ]
        assert len(set(delays)) > 20
        longest.append(max(delays))
    assert longest == sorted(longest)
    assert longest[0] <= 2.0
    assert 4.0 < longest[-1] <= 16.0


async def test_too_fast_pauses_everybody_and_is_tried_again_not_before_the_time(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(429, "too.many.requests", Retry_After="42")]
    bench.add(make_post(1))
    await bench.send()
    (limited,) = bench.context.back_offs
    assert isinstance(limited, RateLimited)
    settled = bench.memory.requests[-1]
    assert getattr(settled, "outcome").after_s >= 42.0  # noqa: B009 - of one kind of request
    assert trio.current_time() >= 42.0


async def test_a_wait_for_the_platform_counts_as_idle_and_not_as_stuck(
    bench: Bench, budget: Budget, autojump_clock: MockClock
) -> None:
    budget.block_for(42.0)
    bench.add(make_message(1))
    await bench.send()
    assert max(bench.context.sleeps) == pytest.approx(42.0)
    assert bench.genesys.private == {"message-1": 1}


async def test_what_genesys_does_not_take_for_a_week_becomes_a_dead_letter(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1), make_message(1))
    await trio.sleep(KEEP_S - 60)
    bench.genesys.faults = [error(503, "service.unavailable")]
    await bench.send()
    assert bench.outcomes() == {}
    await trio.sleep(120)
    for expired in (1, 2):
        bench.genesys.faults = [error(503, "service.unavailable")]
        await bench.send()
        assert len(bench.outcomes()) == expired
    codes = [getattr(outcome, "code", None) for outcome in bench.outcomes().values()]
    assert codes == ["Expired", "Expired"]


async def test_what_is_old_is_still_tried_before_it_is_given_up(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1))
    await trio.sleep(KEEP_S * 2)
    await bench.send()
    assert set(bench.outcomes().values()) == {Done()}


async def test_what_was_settled_is_not_sent_again_when_the_batch_is(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """After a crash the whole batch is delivered again, to a new incarnation."""
    entries = bench.add(*map(make_post, range(3)))
    entries += bench.add(*map(make_message, range(3)))
    for _ in range(3):
        await bench.send(entries)
    assert set(bench.genesys.ingested.values()) == {1}
    assert set(bench.genesys.private.values()) == {1}


async def test_a_crash_over_one_entry_does_not_keep_the_others_from_being_settled(
    bench: Bench, autojump_clock: MockClock
) -> None:
    def crash(call: object) -> None:
        if "message-1" in str(call):
            raise RuntimeError("a defect")

    bench.genesys.before = crash
    entries = bench.add(make_message(0), make_message(1), make_message(2), make_post(3))
    with pytest.raises(RuntimeError, match="a defect"):
        await bench.send(entries)
    assert [entry.item_id for entry in bench.memory.entries.values()] == ["dm:convo-1:message-1"]
    bench.genesys.before = None
    await bench.send(entries)
    assert bench.memory.entries == {}
    assert set(bench.genesys.private.values()) == {1}


async def test_an_entry_waits_for_the_store_to_be_settled_and_is_not_sent_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    entries = bench.add(make_post(1), make_message(1))

    async def bring_back() -> None:
        await trio.sleep(30)
        bench.memory.away = False

    bench.memory.away = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring_back)
        nursery.start_soon(bench.send, entries)
    assert bench.memory.entries == {}
    assert bench.genesys.ingested == {make_uri(1): 1}
    assert bench.genesys.private == {"message-1": 1}


async def test_a_cancelled_batch_leaves_its_entries_in_the_journal(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1), make_message(1))
    with trio.CancelScope() as scope:
        scope.cancel()
        await bench.send()
    assert scope.cancelled_caught
    assert len(bench.memory.entries) == 2
    await bench.send()
    assert bench.memory.entries == {}


async def test_while_the_store_is_away_one_entry_waits_for_it_and_not_each_of_them(
    bench: Bench, autojump_clock: MockClock
) -> None:
    entries = bench.add(*map(make_post, range(50)))

    async def bring_back() -> None:
        await trio.sleep(2.5)
        bench.memory.away = False

    bench.memory.away = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring_back)
        nursery.start_soon(bench.send, entries)
    assert len(bench.context.back_offs) <= 3
    assert bench.memory.entries == {}


async def test_one_that_the_platform_always_chokes_on_does_not_keep_the_others(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Whatever comes together with it: everything else is through after a few rounds."""

    def choke(call: object) -> None:
        if "message-0'" in str(call):
            raise httpx.ReadTimeout("slow")

    bench.genesys.before = choke
    bench.add(*map(make_message, range(10)), *map(make_post, range(10)))
    for _ in range(12):
        await bench.send()
    assert bench.memory.items == ["dm:convo-0:message-0"]

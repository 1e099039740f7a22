"""Token buckets and budgets."""

from __future__ import annotations

import random
import tracemalloc

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.rate import Budget, Rate, TokenBucket


@pytest.mark.parametrize(
    ("text", "rate"),
    [("300/60s", Rate(300, 60)), (" 1 / 0.5 s ", Rate(1, 0.5)), ("5/1", Rate(5, 1))],
)
def test_a_rate_is_read_as_it_is_written(text: str, rate: Rate) -> None:
    """COUNT/SECONDSs; what is shown can be read again."""
    assert Rate.parse(text) == rate
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize("text", ["", "300", "0/60s", "1/0s", "-1/60s", "1/60m", "x/60s", "1/2/3"])
def test_what_is_no_rate_says_how_to_write_one(text: str) -> None:
    """The error names the text and the form."""
    with pytest.raises(ValueError, match="COUNT/SECONDS"):
        Rate.parse(text)


async def test_a_large_bucket_keeps_its_rate(autojump_clock: MockClock) -> None:
    """In every window, and hardly anything is lost by tokens that come back together."""
    rate = Rate(400, 6)
    bucket = TokenBucket(rate)
    rng = random.Random(1)  # noqa: S311 - not to be secret
    taken: list[float] = []
    while trio.current_time() < 30:
        await trio.sleep(rng.expovariate(100))
        await bucket.acquire()
        taken.append(trio.current_time())
    assert all(later - first >= 6 - 1e-9 for first, later in zip(taken, taken[400:], strict=False))
    assert len(taken) > 5 * 400 * 0.99


async def test_a_large_bucket_takes_little_memory(mock_clock: MockClock) -> None:
    """It does not remember when each of its tokens was taken."""
    bucket = TokenBucket(Rate(100_000, 300))
    tracemalloc.start()
    try:
        for _ in range(30_000):
            assert bucket.take()
            mock_clock.jump(0.01)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000
    assert bucket.statistics().remaining == 70_000
    mock_clock.jump(300)
    assert bucket.statistics().remaining == 100_000


@pytest.mark.parametrize("seed", range(5))
async def test_no_window_sees_more_than_the_rate(seed: int, autojump_clock: MockClock) -> None:
    """I13: however many ask, and whatever they cost, in every window of that length."""
    rate = Rate(7, 13.7)
    bucket = TokenBucket(rate)
    taken: list[tuple[float, int]] = []

    async def ask(number: int) -> None:
        await trio.sleep(number * seed * 0.31)
        cost = 1 + number % 3
        await bucket.acquire(cost)
        taken.append((trio.current_time(), cost))

    async with trio.open_nursery() as nursery:
        for number in range(60):
            nursery.start_soon(ask, number)
    assert len(taken) == 60
    for begin, _ in taken:
        window = [cost for at, cost in taken if begin <= at < begin + rate.per_s - 1e-9]
        assert sum(window) <= rate.count


async def test_waiters_are_served_in_the_order_of_asking(autojump_clock: MockClock) -> None:
    """A cheap request does not overtake an expensive one."""
    bucket = TokenBucket(Rate(4, 10))
    served: list[str] = []

    async def ask(name: str, cost: int) -> None:
        await bucket.acquire(cost)
        served.append(name)

    await bucket.acquire(3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "expensive", 3)
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, "cheap", 1)
    assert served == ["expensive", "cheap"]


async def test_whoever_is_cancelled_takes_nothing(autojump_clock: MockClock) -> None:
    """A wait that was given up leaves its tokens to the next."""
    bucket = TokenBucket(Rate(2, 10))
    await bucket.acquire(1)
    with trio.move_on_after(5):
        await bucket.acquire(2)
    await bucket.acquire(1)
    assert trio.current_time() == 5
    assert bucket.waiting_s() == 5


async def test_a_block_holds_everybody_up_and_is_never_shortened(
    autojump_clock: MockClock,
) -> None:
    """What the other side said counts, also for those who wait already."""
    bucket = TokenBucket(Rate(1, 10))
    await bucket.acquire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bucket.acquire)
        await wait_all_tasks_blocked()
        bucket.block_for(30)
        bucket.block_for(5)
        assert bucket.waiting_s() == 30
    assert trio.current_time() == 30


async def test_more_than_the_bucket_holds_is_a_mistake() -> None:
    """It would wait for ever, so it is an error at once."""
    with pytest.raises(ValueError, match="never"):
        await TokenBucket(Rate(3, 1)).acquire(4)


async def test_a_budget_obeys_all_its_rates(autojump_clock: MockClock) -> None:
    """A burst is bounded by one rate, the long run by another."""
    budget = Budget(Rate(2, 1), Rate(5, 100))
    times: list[float] = []
    for _ in range(6):
        await budget.acquire()
        times.append(trio.current_time())
    assert times == [0, 0, 1, 1, 2, 100]


async def test_a_budget_that_is_used_up_waits_for_its_reset(autojump_clock: MockClock) -> None:
    """``remaining`` 0 holds everybody up until the reset; anything else changes nothing."""
    budget = Budget(Rate(100, 1))
    budget.observe(remaining=1, reset_in_s=50)
    assert budget.waiting_s() == 0
    budget.observe(remaining=0, reset_in_s=50)
    budget.observe(remaining=0, reset_in_s=-3)
    assert budget.waiting_s() == 50
    await budget.acquire()
    assert trio.current_time() == 50


async def test_what_is_left_of_a_rate_can_be_read(autojump_clock: MockClock) -> None:
    """It goes down as tokens are taken, comes back with time, and is nothing while blocked."""
    budget = Budget(Rate(3, 60), Rate(10, 600))
    assert [bucket.remaining for bucket in budget.statistics()] == [3, 10]
    await budget.acquire(2)
    assert [bucket.remaining for bucket in budget.statistics()] == [1, 8]
    budget.block_for(30)
    assert [(one.remaining, one.waiting_s) for one in budget.statistics()] == [(0, 30), (0, 30)]
    await trio.sleep(60)
    assert [(one.remaining, one.waiting_s) for one in budget.statistics()] == [(3, 0), (8, 0)]

"""An actor's own rate, over crashes and beside others."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from runtime.actor import Context
from runtime.rate import Rate
from tests.runtime.scripted import World, handling, post, running


async def test_a_crash_does_not_reset_the_rate(autojump_clock: MockClock) -> None:
    """I13: ten minutes of crashing after every call, and no window sees too many."""
    rate = Rate(2, 60)
    calls: list[float] = []

    async def run(context: Context) -> None:
        await context.acquire()
        calls.append(trio.current_time())
        raise ValueError("after every call")

    world = World(running("A", run, rate=rate))
    async with world.running():
        await trio.sleep(600)
        assert len(calls) >= 15
        for begin in calls:
            assert sum(begin <= call < begin + rate.per_s for call in calls) <= rate.count


async def test_one_actor_s_wait_delays_no_other(autojump_clock: MockClock) -> None:
    """I13: while A waits for its rate, B's throughput is what it was."""

    async def handle(context: Context, _: int) -> None:
        await context.acquire()
        context.succeeded()

    slow = handling("A", handle, rate=Rate(1, 1000))
    fast = handling("B", handle, rate=Rate(100, 10), capacity=100)
    post(slow, *range(3))
    post(fast, *range(100))
    world = World(slow, fast)
    async with world.running():
        await trio.sleep(1)
        assert world.actor("B").handled == 100
        assert world.actor("B").waiting_s == 9
        assert world.actor("A").handled == 1
        assert world.actor("A").waiting_s == 999


async def test_the_workers_of_an_actor_share_its_rate(autojump_clock: MockClock) -> None:
    """The rate is the actor's: more workers do not make more calls."""

    async def handle(context: Context, _: int) -> None:
        await context.acquire()
        context.succeeded()

    spec = handling("A", handle, rate=Rate(2, 10), concurrency=5)
    post(spec, *range(10))
    world = World(spec)
    async with world.running():
        await trio.sleep(25)
        assert world.actor("A").handled == 6

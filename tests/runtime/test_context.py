"""What an actor may say of itself, and what is made of it."""

from __future__ import annotations

import itertools

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import AuthRejected, RateLimited, Rejected, Retryable
from runtime.statistics import MOST_REASONS
from tests.runtime.scripted import NOON, World, handling, idle, post, running
from tests.support.context import FakeContext


async def test_an_actor_s_account_of_itself_shows(autojump_clock: MockClock) -> None:
    """Successes, failures, skipped things, lag and time are counted for the whole actor."""

    async def handle(context: Context, message: int) -> None:
        await trio.sleep(message)
        context.succeeded(message)
        context.skipped("own_post", 2)
        context.lag(0.5 * message)
        if message == 3:
            context.failed(Rejected("TooLong", "the text is too long", action="Shorten it."))

    spec = handling("A", handle, concurrency=3)
    post(spec, 1, 2, 3)
    world = World(spec)
    async with world.running():
        await trio.sleep(4)
        statistics = world.actor("A")
        assert (statistics.handled, statistics.failed, statistics.restarts) == (6, 1, 0)
        assert statistics.skipped == {"own_post": 6}
        assert statistics.last_success == NOON + 3
        assert statistics.lag_s == 1.5
        last_error = statistics.last_error
        assert last_error is not None
        assert (last_error.type, last_error.message) == ("Rejected", "the text is too long")
        assert (last_error.action, last_error.at) == ("Shorten it.", NOON + 3)
        assert statistics.state == "running"


async def test_an_empty_poll_is_a_success(autojump_clock: MockClock) -> None:
    """``succeeded(0)`` counts nothing and notes the time."""
    world = World(running("A", idle))
    async with world.running():
        await wait_all_tasks_blocked()
        assert (world.actor("A").handled, world.actor("A").last_success) == (0, NOON)


async def test_the_number_of_reasons_is_bounded(autojump_clock: MockClock) -> None:
    """I10: reasons beyond the bound are counted together, so nothing vanishes."""

    async def run(context: Context) -> None:
        for number in range(100):
            context.skipped(f"reason {number}")
        await idle(context)

    world = World(running("A", run))
    async with world.running():
        await wait_all_tasks_blocked()
        skipped = world.actor("A").skipped
        assert len(skipped) == MOST_REASONS + 1
        assert sum(skipped.values()) == 100
        assert skipped["other"] == 100 - MOST_REASONS


async def test_backing_off_shows_and_grows_until_success(autojump_clock: MockClock) -> None:
    """The state while waiting, the error, and delays that grow and start anew after success."""
    waits: list[float] = []

    async def run(context: Context) -> None:
        for n in itertools.count():
            before = trio.current_time()
            await context.back_off(Retryable("away"))
            waits.append(trio.current_time() - before)
            if n == 7:
                context.succeeded()

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(1)
        statistics = world.actor("A")
        assert statistics.state == "backing_off"
        assert statistics.last_error is not None
        assert statistics.last_error.message == "away"
        assert statistics.failed == 0
        await trio.sleep(1000)
        assert world.actor("A").restarts == 0
        assert all(1 <= wait <= min(60, 2.0 ** (n + 1)) for n, wait in enumerate(waits[:8]))
        assert max(waits[:8]) > 4
        assert 1 <= waits[8] <= 2
        event = world.log.of("actor backing off")[0]
        assert event.fields["cause"] == "Retryable"
        assert event.fields["delay_s"] == pytest.approx(waits[0], abs=0.001)


async def test_backing_off_waits_at_least_as_long_as_asked(autojump_clock: MockClock) -> None:
    """``after_s`` is a lower bound, also inside a message's own deadline."""

    async def handle(context: Context, _: int) -> None:
        await context.back_off(RateLimited("slow", after_s=300))
        context.succeeded()

    spec = handling("A", handle, deadline_s=60)
    post(spec, 1)
    world = World(spec)
    async with world.running():
        await trio.sleep(299)
        assert (world.actor("A").handled, world.actor("A").state) == (0, "backing_off")
        assert world.actor("A").units[0].wait_s == pytest.approx(1)
        await trio.sleep(2)
        assert (world.actor("A").handled, world.actor("A").state) == (1, "running")


async def test_backing_off_from_wrong_credentials_is_failed(autojump_clock: MockClock) -> None:
    """An actor that settles AuthRejected by itself shows it, and does not try in a loop."""

    async def run(context: Context) -> None:
        while True:
            await context.back_off(AuthRejected("wrong", action="Correct the password."))

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(300)
        assert world.actor("A").state == "failed"
        last_error = world.actor("A").last_error
        assert last_error is not None
        assert last_error.action == "Correct the password."
        assert 5 <= len(world.log.events) - 1 <= 10


async def test_busy_counts_what_is_in_hand(autojump_clock: MockClock) -> None:
    """Workers with a message are busy, also between two tries; a run is busy unless idle."""

    async def handle(_: Context, message: int) -> None:
        await trio.sleep(10)
        if message:
            raise Retryable("away", after_s=1000)

    async def run(context: Context) -> None:
        await trio.sleep(10)
        await idle(context)

    spec = handling("A", handle, concurrency=3)
    post(spec, 0, 1)
    world = World(spec, running("B", run))
    async with world.running():
        await trio.sleep(5)
        assert (world.actor("A").busy, world.actor("B").busy) == (2, 1)
        await trio.sleep(10)
        assert (world.actor("A").busy, world.actor("B").busy) == (1, 0)


async def test_the_stand_in_is_a_context(autojump_clock: MockClock) -> None:
    """The context for actors' own tests keeps what it was told and sleeps on the trio clock."""
    fake = FakeContext("A", concurrency=2)
    context: Context = fake
    gone = Retryable("away", after_s=30)
    context.succeeded(3)
    context.succeeded(0)
    context.skipped("own_post")
    context.failed(gone)
    context.lag(None)
    context.progress()
    await context.acquire(2)
    await context.sleep(5)
    await context.back_off(gone)
    assert trio.current_time() == 35
    assert (fake.handled, fake.successes) == (3, [3, 0])
    assert (fake.skips, fake.failures, fake.lags) == ({"own_post": 1}, [gone], [None])
    assert (fake.acquired, fake.progressed, fake.sleeps) == (2, 1, [5])
    assert fake.back_offs == [gone]
    assert (context.name, context.concurrency) == ("A", 2)


async def test_every_skip_is_logged_at_debug_with_what_it_is_about(
    autojump_clock: MockClock,
) -> None:
    """Whoever asks why something did not arrive finds the reason."""

    async def run(context: Context) -> None:
        context.skipped("own_post", uri="at://x")
        await trio.sleep_forever()

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(1)
    (event,) = world.log.of("skipped", "A")
    assert event.level == "debug"
    assert event.fields == {"actor": "A", "reason": "own_post", "count": 1, "uri": "at://x"}

"""Alive but not getting on: deadlines, and what shows of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import Retryable
from runtime.health import liveness
from runtime.rate import Rate
from tests.runtime.scripted import Graveyard, World, handling, post, running


async def hang(_: Context) -> None:
    """A run that waits for an answer that never comes."""
    await trio.sleep_forever()


async def test_a_run_that_gives_no_sign_of_life_is_restarted(autojump_clock: MockClock) -> None:
    """Cancelled at its deadline, counted as a crash, started again."""
    world = World(running("A", hang, deadline_s=60))
    async with world.running():
        await trio.sleep(59.9)
        assert world.actor("A").state == "running"
        await trio.sleep(0.2)
        statistics = world.actor("A")
        assert statistics.state == "backing_off"
        assert statistics.last_error is not None
        assert statistics.last_error.type == "Stuck"
        assert "60 s" in statistics.last_error.message
        await trio.sleep(3)
        assert len(world.log.starts("A")) == 2


async def test_an_idle_worker_is_not_stuck(autojump_clock: MockClock) -> None:
    """Waiting at an empty mailbox is what a worker is for."""
    world = World(handling("A", lambda _, __: hang(_), deadline_s=60))
    async with world.running():
        await trio.sleep(1000)
        statistics = world.actor("A")
        assert (statistics.state, statistics.busy, statistics.restarts) == ("running", 0, 0)


async def test_each_message_has_the_whole_deadline(autojump_clock: MockClock) -> None:
    """The deadline is that of one message, however many were handled before."""

    async def handle(context: Context, _: int) -> None:
        await trio.sleep(50)
        context.skipped("done")

    spec = handling("A", handle, deadline_s=60)
    post(spec, *range(5))
    world = World(spec)
    async with world.running():
        await trio.sleep(251)
        assert world.actor("A").skipped == {"done": 5}
        assert world.actor("A").restarts == 0


async def test_a_message_that_takes_too_long_is_tried_again_and_given_up(
    autojump_clock: MockClock,
) -> None:
    """A stuck message is a crash like any other: five attempts, then the dead letters."""
    graveyard = Graveyard()
    spec = handling("A", lambda context, _: hang(context), deadline_s=10, on_poison=graveyard.bury)
    post(spec, 1)
    world = World(spec)
    async with world.running():
        await trio.sleep(300)
        assert graveyard.buried == [(1, 5, "Stuck")]


async def progress(context: Context) -> None:
    """Works long, and says so."""
    for _ in range(10):
        await trio.sleep(50)
        context.progress()


async def succeed(context: Context) -> None:
    """Gets many things done, one after the other."""
    for _ in range(10):
        await trio.sleep(50)
        context.succeeded()


async def sleep(context: Context) -> None:
    """Is idle for long."""
    await context.sleep(500)


async def sleep_in_children(context: Context) -> None:
    """Several tasks of one unit are idle for different times."""
    async with trio.open_nursery() as nursery:
        for seconds in (10, 300, 500):
            nursery.start_soon(context.sleep, seconds)


async def back_off(context: Context) -> None:
    """Waits for the other side to get well."""
    await context.back_off(Retryable("away", after_s=500))


async def acquire(context: Context) -> None:
    """Waits for its own rate."""
    await context.acquire()
    await context.acquire()


@pytest.mark.parametrize(
    "function", [progress, succeed, sleep, sleep_in_children, back_off, acquire]
)
async def test_whoever_gets_on_or_is_idle_is_not_stuck(
    function: Callable[[Context], Awaitable[None]], autojump_clock: MockClock
) -> None:
    """Signs of life extend the deadline; it does not run while idle."""
    world = World(running("A", function, deadline_s=60, rate=Rate(1, 500)))
    async with world.running():
        await trio.sleep(499)
        assert world.actor("A").restarts == 0
        assert world.actor("A").last_error is None or function is back_off
        await trio.sleep(50)
        assert not [e for e in world.log.events if e.fields.get("cause") == "Stuck"]


@pytest.mark.parametrize("function", [sleep, back_off, acquire])
async def test_after_being_idle_the_deadline_runs_again(
    function: Callable[[Context], Awaitable[None]], autojump_clock: MockClock
) -> None:
    """Idle time is no escape: what hangs afterwards is found."""

    async def run(context: Context) -> None:
        await function(context)
        await trio.sleep_forever()

    world = World(running("A", run, deadline_s=60, rate=Rate(1, 500)))
    async with world.running():
        await trio.sleep(561)
        last_error = world.actor("A").last_error
        assert last_error is not None
        assert last_error.type == "Stuck"


async def test_what_does_not_end_at_its_deadline_shows_as_stuck(
    autojump_clock: MockClock,
) -> None:
    """I14: from the deadline until it ends: state, one event, and /livez."""
    release = trio.Event()

    async def run(_: Context) -> None:
        with trio.move_on_after(5000, shield=True):
            await release.wait()
        await trio.sleep_forever()

    world = World(running("A", run, deadline_s=60))
    async with world.running():
        await trio.sleep(59)
        assert world.actor("A").state == "running"
        await trio.sleep(2)
        assert world.actor("A").state == "stuck"
        assert liveness(world.supervisor.statistics()) == ("A does not end",)
        await trio.sleep(100)
        assert len(world.log.of("actor stuck")) == 1
        release.set()
        await wait_all_tasks_blocked()
        assert world.actor("A").state == "backing_off"
        assert liveness(world.supervisor.statistics()) == ()


async def test_an_error_that_the_deadline_covered_up_is_named(
    autojump_clock: MockClock,
) -> None:
    """A clean-up that hangs must not hide what made it necessary."""

    async def run(_: Context) -> None:
        try:
            raise KeyError("real")
        finally:
            await trio.sleep_forever()

    world = World(running("A", run, deadline_s=60))
    async with world.running():
        await trio.sleep(60.5)
        last_error = world.actor("A").last_error
        assert last_error is not None
        assert last_error.type == "Stuck"
        assert "KeyError" in last_error.message


async def test_done_just_after_the_deadline_is_done(autojump_clock: MockClock) -> None:
    """What came to its end without noticing the cancellation is not repeated."""
    handled: list[int] = []

    async def handle(_: Context, message: int) -> None:
        with trio.move_on_after(61, shield=True):
            await trio.sleep_forever()
        handled.append(message)

    spec = handling("A", handle, deadline_s=60)
    post(spec, 1, 2)
    world = World(spec)
    async with world.running():
        await trio.sleep(123)
        assert handled == [1, 2]
        assert world.actor("A").restarts == 0

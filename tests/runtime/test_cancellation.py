"""Being cancelled: honoured at every wait, whatever an actor makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import Retryable
from runtime.mailbox import Mailbox
from runtime.rate import Rate
from tests.runtime.scripted import World, handling, idle, post, running


async def end_in_an_error(_: Context) -> None:
    """Makes an error of its cancellation."""
    try:
        await trio.sleep_forever()
    finally:
        raise ValueError("cleaning up failed")


async def end_in_a_group(context: Context) -> None:
    """Makes a group of Cancelled and an error of its cancellation."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(end_in_an_error, context)
        nursery.start_soon(trio.sleep_forever)
        await trio.sleep_forever()


async def cover_up(_: Context) -> None:
    """Is cancelled in a clean-up that waits, so that Cancelled takes the error's place."""
    try:
        raise ValueError("real")
    finally:
        await trio.sleep_forever()


RUINOUS = [end_in_an_error, end_in_a_group, cover_up]


@pytest.mark.parametrize("function", RUINOUS)
async def test_an_error_while_stopping_is_told_once_and_starts_nothing(
    function: Callable[[Context], Awaitable[None]], autojump_clock: MockClock
) -> None:
    """I3: it is logged with its real type, and the stop ends well."""
    world = World(running("A", function))
    async with world.running():
        await wait_all_tasks_blocked()
    assert len(world.log.starts("A")) == 1
    (event,) = world.log.of("error while stopping")
    assert event.fields["cause"] == "ValueError"
    last_error = world.actor("A").last_error
    assert last_error is not None
    assert last_error.type == "ValueError"
    assert world.stop_took_s == 0


@pytest.mark.parametrize("function", RUINOUS)
async def test_an_error_while_being_cancelled_starts_nothing(
    function: Callable[[Context], Awaitable[None]], autojump_clock: MockClock
) -> None:
    """I3: cancelled from outside, the tree ends in nothing but that."""
    world = World(running("A", function), running("B", idle))
    async with trio.open_nursery() as nursery:
        await nursery.start(world.supervisor.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert trio.current_time() == 0
    assert len(world.log.starts("A")) == 1
    assert len(world.log.of("error while stopping")) == 1
    assert world.actor("B").state == "stopped"


async def test_a_crash_in_the_same_tick_as_the_stop_keeps_its_name(
    autojump_clock: MockClock,
) -> None:
    """Crash and stop meet; the error is shown, and nothing is started."""
    crash = trio.Event()

    async def handle(_: Context, __: int) -> None:
        await crash.wait()
        raise KeyError("real")

    spec = handling("A", handle)
    world = World(spec)
    async with world.running():
        post(spec, 1)
        await wait_all_tasks_blocked()
        crash.set()
    last_error = world.actor("A").last_error
    assert last_error is not None
    assert last_error.type == "KeyError"
    assert len(world.log.starts("A")) == 1


async def acquire(context: Context) -> None:
    """Parked at its rate."""
    while True:
        await context.acquire()


async def sleep(context: Context) -> None:
    """Parked idle."""
    await context.sleep(1000)


async def back_off(context: Context) -> None:
    """Parked backing off."""
    await context.back_off(Retryable("away", after_s=1000))


async def wait_in_children(_: Context) -> None:
    """Parked in a nursery."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.sleep_forever)


async def send_to_nobody(context: Context) -> None:
    """Parked in front of a full mailbox."""
    await Mailbox[None](context.name, 0).send(None)


async def clean_up(context: Context) -> None:
    """Parked, with a clean-up that does not wait."""
    try:
        await trio.sleep_forever()
    finally:
        context.skipped("cleaned")


@pytest.mark.parametrize(
    "function", [acquire, sleep, back_off, wait_in_children, send_to_nobody, clean_up]
)
async def test_cancellation_is_honoured_at_every_wait(
    function: Callable[[Context], Awaitable[None]], autojump_clock: MockClock
) -> None:
    """I12: wherever a run is, cancelling ends it at once and without an error."""
    world = World(running("A", function, rate=Rate(1, 5000)))
    async with world.running():
        await wait_all_tasks_blocked()
    assert world.stop_took_s == 0
    assert len(world.log.starts("A")) == 1
    assert not [event for event in world.log.events if event.level == "error"]

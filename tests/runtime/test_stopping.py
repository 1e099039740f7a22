"""Stopping and being cancelled: in order, in time, and without a start on the way."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import Retryable
from runtime.supervised import CLEANUP_S
from tests.runtime.scripted import World, handling, idle, post, running


async def test_actors_start_in_order_and_stop_in_reverse(autojump_clock: MockClock) -> None:
    """I15: the order of the list, and the reverse, one event each."""
    world = World(*(running(name, idle) for name in "ABC"))
    async with world.running():
        started = world.log.of("actor started")
        assert [event.fields["actor"] for event in started] == ["A", "B", "C"]
        assert started[0].fields == {"actor": "A", "unit": "run", "incarnation": 1}
    stopped = world.log.of("actor stopped")
    assert [event.fields["actor"] for event in stopped] == ["C", "B", "A"]


async def test_an_actor_has_ended_before_the_one_before_it_is_asked(
    autojump_clock: MockClock,
) -> None:
    """I15: what is in hand may use the actors that were started earlier until it is finished."""
    answers: list[str] = []

    async def answer(_: Context, question: trio.Event) -> None:
        await trio.sleep(1)
        question.set()

    store = handling("Store", answer)

    async def ask(_: Context, message: str) -> None:
        await trio.sleep(2)
        question = trio.Event()
        post(store, question)
        await question.wait()
        answers.append(message)

    sender = handling("Sender", ask, sends_to=("Store",))
    world = World(store, sender)
    async with world.running():
        post(sender, "in hand", "waiting")
        await wait_all_tasks_blocked()
    assert answers == ["in hand"]
    assert world.stop_took_s == 3


async def test_what_is_in_hand_is_finished(autojump_clock: MockClock) -> None:
    """Stopping lets a worker finish its message, and not take another."""
    handled: list[int] = []

    async def handle(_: Context, message: int) -> None:
        await trio.sleep(4.9)
        handled.append(message)

    spec = handling("A", handle)
    world = World(spec)
    async with world.running():
        post(spec, 1, 2)
        await wait_all_tasks_blocked()
    assert handled == [1]
    assert spec.mailbox is not None
    assert spec.mailbox.statistics().depth == 1


async def test_what_takes_too_long_is_cancelled(autojump_clock: MockClock) -> None:
    """I4: after ``stop_within_s`` the message in hand is cancelled, and that is told."""

    async def handle(_: Context, __: int) -> None:
        await trio.sleep(50)

    spec = handling("A", handle, stop_within_s=5)
    world = World(spec)
    async with world.running():
        post(spec, 1)
        await wait_all_tasks_blocked()
    assert world.stop_took_s == 5
    (event,) = world.log.of("actor stopped")
    assert event.fields["in_hand"] == 1


async def test_a_message_that_arrives_while_stopping_is_not_torn(
    autojump_clock: MockClock,
) -> None:
    """A message that a worker was just handed is finished; one in the mailbox stays there."""
    handled: list[int] = []

    async def handle(_: Context, message: int) -> None:
        await trio.sleep(1)
        handled.append(message)

    spec = handling("A", handle)
    world = World(spec)
    async with world.running():
        await wait_all_tasks_blocked()
        post(spec, 1)
    assert handled == [1]


async def test_the_whole_takes_no_longer_than_its_grace(autojump_clock: MockClock) -> None:
    """I4: however many actors are slow, ``grace_s`` bounds them together."""

    async def handle(_: Context, __: int) -> None:
        await trio.sleep(50)

    specs = [handling(name, handle) for name in "ABCDEFGH"]
    world = World(*specs)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.supervisor.run)
        for spec in specs:
            post(spec, 1)
        await wait_all_tasks_blocked()
        assert await world.supervisor.stop(grace_s=12) == ()
        assert trio.current_time() == 12


async def test_a_hanging_cleanup_is_named(autojump_clock: MockClock) -> None:
    """I4: stopping returns in its time with the name of who does not end."""
    world = World(running("A", idle), running("B", lambda _: hang()), hangs=["B"])

    async def hang() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(5000, shield=True):
                await world.release.wait()

    async with world.running():
        await wait_all_tasks_blocked()
    (event,) = world.log.of("actor did not stop")
    assert event.fields["actor"] == "B"
    assert world.log.of("actor stopped", "A")[0].at <= 5 + CLEANUP_S


async def test_a_bounded_cleanup_is_waited_for(autojump_clock: MockClock) -> None:
    """A clean-up that shields itself for a time gets its time."""
    cleaned: list[float] = []

    async def run(_: Context) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(3, shield=True):
                await trio.sleep(2)
                cleaned.append(trio.current_time())

    world = World(running("A", run))
    async with world.running():
        await wait_all_tasks_blocked()
    assert cleaned == [2.0]


async def test_waiting_to_restart_ends_at_once(autojump_clock: MockClock) -> None:
    """I3, I4: a unit that waits for its next try is not waited for."""

    async def run(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        raise Retryable("away", after_s=1000)

    world = World(running("A", run))
    async with world.running():
        await wait_all_tasks_blocked()
    assert world.stop_took_s == 0


async def test_stopping_twice_is_harmless(autojump_clock: MockClock) -> None:
    """A second request to stop finds nothing left to do."""
    world = World(running("A", idle))
    async with world.running():
        assert await world.supervisor.stop() == ()
        assert await world.supervisor.stop() == ()


async def test_stopping_before_the_start_starts_nothing(autojump_clock: MockClock) -> None:
    """I3: a process told to stop before it began does not begin."""
    world = World(running("A", idle))
    assert await world.supervisor.stop() == ()
    await world.supervisor.run()
    assert not world.log.starts("A")
    assert trio.current_time() == 0


async def test_disabled_actors_are_listed_and_left_alone(autojump_clock: MockClock) -> None:
    """An actor that is switched off shows so, and is neither started nor stopped."""
    world = World(running("A", idle, disabled="no query is set"), running("B", idle))
    async with world.running():
        statistics = world.actor("A")
        assert (statistics.state, statistics.disabled) == ("disabled", "no query is set")
        assert not world.log.starts("A")

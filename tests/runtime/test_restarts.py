"""What the supervisor does when a unit ends."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import ActorSpec, Context
from runtime.errors import AuthRejected, Malformed, Rejected, Retryable
from runtime.mailbox import Mailbox
from runtime.statistics import State
from tests.runtime.scripted import (
    GENEROUS,
    NOON,
    Running,
    World,
    crash_always,
    handling,
    idle,
    never_poison,
    post,
    raising,
    running,
)


async def test_a_crash_leaves_every_other_actor_as_it_is(autojump_clock: MockClock) -> None:
    """I1: state, incarnation, rate and mailbox of the neighbours are untouched."""
    handled: list[int] = []

    async def handle(context: Context, message: int) -> None:
        await context.acquire()
        await context.sleep(10)
        handled.append(message)
        context.succeeded()

    neighbour = handling("B", handle)
    post(neighbour, 1, 2, 3)
    world = World(running("A", crash_always), neighbour)
    async with world.running():
        await trio.sleep(31)
        assert handled == [1, 2, 3]
        assert world.log.starts("B") == [0.0]
        statistics = world.actor("B")
        assert (statistics.state, statistics.restarts, statistics.last_error) == (
            "running",
            0,
            None,
        )
        assert statistics.handled == 3
        assert world.actor("A").restarts > 1


async def test_a_worker_s_crash_does_not_disturb_its_siblings(autojump_clock: MockClock) -> None:
    """I1: of two workers one crashes; the other finishes what it has in hand, undisturbed."""
    times: list[tuple[str, float]] = []

    async def handle(_: Context, message: str) -> None:
        if message == "bad" and not times:
            times.append(("crash", trio.current_time()))
            raise RuntimeError("once")
        await trio.sleep(10)
        times.append((message, trio.current_time()))

    spec = handling("A", handle, concurrency=2)
    world = World(spec)
    post(spec, "good")
    async with world.running():
        await trio.testing.wait_all_tasks_blocked()
        post(spec, "bad")
        await trio.sleep(30)
        assert times[0] == ("crash", 0.0)
        assert ("good", 10.0) in times
        assert [name for name, _ in times].count("bad") == 1
        assert sorted(unit.incarnation for unit in world.actor("A").units) == [1, 2]


NESTED = ExceptionGroup("outer", [ExceptionGroup("inner", [KeyError("k")]), OSError("o")])
GONE = Retryable("the other side is away")
DENIED = AuthRejected("wrong password", action="Make a new app password.")


@pytest.mark.parametrize(
    ("error", "state", "kind", "event"),
    [
        (ValueError("v"), "backing_off", "ValueError", "actor crashed"),
        (ExceptionGroup("g", [ValueError("v")]), "backing_off", "ValueError", "actor crashed"),
        (NESTED, "backing_off", "KeyError, OSError", "actor crashed"),
        (Malformed("no text"), "backing_off", "Malformed", "actor crashed"),
        (Rejected("Code", "no"), "backing_off", "Rejected", "actor crashed"),
        (GONE, "backing_off", "Retryable", "actor backing off"),
        (ExceptionGroup("g", [GONE]), "backing_off", "Retryable", "actor backing off"),
        (
            ExceptionGroup("g", [GONE, KeyError("k")]),
            "backing_off",
            "Retryable, KeyError",
            "actor crashed",
        ),
        (DENIED, "failed", "AuthRejected", "actor failed"),
        (
            ExceptionGroup("g", [GONE, DENIED]),
            "failed",
            "Retryable, AuthRejected",
            "actor failed",
        ),
    ],
)
async def test_every_error_leads_to_one_recorded_decision(
    error: Exception, state: State, kind: str, event: str, autojump_clock: MockClock
) -> None:
    """I2: the leaf types decide, they are shown with the time, and life goes on."""
    world = World(raising(error))
    async with world.running():
        await trio.testing.wait_all_tasks_blocked()
        statistics = world.actor("A")
        assert statistics.state == state
        assert statistics.last_error is not None
        assert (statistics.last_error.type, statistics.last_error.at) == (kind, NOON)
        told = [found for found in world.log.events if "delay_s" in found.fields]
        assert [(found.name, found.fields["cause"]) for found in told] == [(event, kind)]
        await trio.sleep(61)
        assert world.actor("A").state == "running"
        assert world.actor("A").units[0].incarnation == 2


async def test_returning_early_is_a_crash(autojump_clock: MockClock) -> None:
    """I2: a run that ends although nobody asked is started again."""

    async def run(_: Context) -> None:
        await trio.lowlevel.checkpoint()

    world = World(running("A", run))
    async with world.running():
        await trio.testing.wait_all_tasks_blocked()
        last_error = world.actor("A").last_error
        assert last_error is not None
        assert last_error.type == "ReturnedEarly"
        assert "returned" in last_error.message
        await trio.sleep(3)
        assert len(world.log.starts("A")) > 1


async def test_an_error_while_creating_is_shown_and_tried_again(autojump_clock: MockClock) -> None:
    """The constructor's own error is the last error; the start goes on regardless."""
    created: list[float] = []

    def create(context: Context) -> Running:
        created.append(trio.current_time())
        if len(created) < 3:
            raise OSError("no file")
        return Running(context, idle)

    world = World(ActorSpec("A", create, GENEROUS), running("B", idle))
    async with world.running():
        await trio.testing.wait_all_tasks_blocked()
        statistics = world.actor("A")
        assert statistics.state == "backing_off"
        assert statistics.last_error is not None
        assert statistics.last_error.type == "OSError"
        assert world.actor("B").state == "running"
        await trio.sleep(10)
        assert len(created) == 3
        assert world.actor("A").state == "running"


@pytest.mark.parametrize("has_mailbox", [True, False])
async def test_an_actor_that_can_do_nothing_says_so(
    has_mailbox: bool, autojump_clock: MockClock
) -> None:
    """A class without run and handle is a mistake that shows, not a silent success."""
    spec: ActorSpec[object] = ActorSpec("A", lambda _: object(), GENEROUS)
    if has_mailbox:
        mailbox = Mailbox[object]("A", 4)
        spec = ActorSpec("A", lambda _: object(), GENEROUS, mailbox, on_poison=never_poison)
        post(spec, "kept")
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
        statistics = world.actor("A")
        assert statistics.state == "failed"
        assert statistics.last_error is not None
        assert statistics.last_error.type == "TypeError"
        assert statistics.busy == 0


async def test_trouble_shows_until_success_and_not_only_while_waiting(
    autojump_clock: MockClock,
) -> None:
    """A poller that fails at every attempt is not running in between."""

    async def run(context: Context) -> None:
        await context.sleep(20)
        if trio.current_time() < 100:
            raise Retryable("away")
        await idle(context)

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(21)
        while trio.current_time() < 99:
            assert world.actor("A").state == "backing_off"
            await trio.sleep(1)


async def test_trouble_is_forgotten_after_a_quiet_period(autojump_clock: MockClock) -> None:
    """A run that never reports success is running again once it was well for long enough."""
    tries: list[int] = []

    async def run(context: Context) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")
        await context.sleep(1000)

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(30)
        assert world.actor("A").state == "backing_off"
        await trio.sleep(40)
        assert world.actor("A").state == "running"


async def test_an_interrupt_ends_everything() -> None:
    """What is no Exception is not for the supervisor to keep."""

    async def run(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        raise SystemExit(3)

    world = World(running("A", run), running("B", idle))
    with pytest.RaisesGroup(SystemExit, flatten_subgroups=True):
        await world.supervisor.run()
    assert world.actor("B").state == "stopped"
    assert len(world.log.starts("A")) == 1


async def test_messages_of_unexpected_errors_are_never_told(autojump_clock: MockClock) -> None:
    """What a KeyError says may be a customer's words: only its type and place are told."""
    world = World(running("A", crash_always))
    async with world.running():
        await trio.sleep(100)
        assert "customer" not in repr(world.log.events)
        last_error = world.actor("A").last_error
        assert last_error is not None
        assert "customer" not in last_error.message
        assert "scripted.py" in last_error.message
        assert "in crash_always" in last_error.message

"""A paused actor finishes what it has in hand and takes nothing new; nothing else changes."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.backoff import RestartPolicy
from runtime.duty import Duty
from runtime.errors import Retryable
from runtime.health import StoreHealth, liveness, overall, readiness
from runtime.pause import Pauses
from tests.runtime.scripted import World, batching, handling, idle, post, running

OK_STORE = StoreHealth("ok", "memory", None, depth=0, oldest_s=0.0, dead_letters=0)


async def test_what_is_in_hand_is_finished_and_what_waits_stays(
    autojump_clock: MockClock,
) -> None:
    """The message in hand is handled to its end; those behind it wait until the actor goes on."""
    handled: list[tuple[float, str]] = []

    async def handle(_: Context, message: str) -> None:
        await trio.sleep(3)
        handled.append((trio.current_time(), message))

    sender = handling("Sender", handle)
    world = World(sender)
    async with world.running():
        post(sender, "in hand", "waiting")
        await trio.sleep(1)
        sender.pause.begin()
        assert (world.actor("Sender").state, world.actor("Sender").busy) == ("paused", 1)
        await trio.sleep(99)
        found = world.actor("Sender")
        assert handled == [(3, "in hand")]
        assert (found.state, found.paused, found.busy) == ("paused", True, 0)
        assert found.mailbox is not None
        assert found.mailbox.depth == 1
        sender.pause.end()
        await trio.sleep(10)
        assert handled == [(3, "in hand"), (103, "waiting")]
        assert world.actor("Sender").state == "running"


async def test_an_idle_worker_takes_nothing_that_comes_later(autojump_clock: MockClock) -> None:
    """Who waits at the mailbox leaves it; the other actors do not notice."""
    handled: list[str] = []

    async def handle(_: Context, message: str) -> None:
        await trio.lowlevel.checkpoint()
        handled.append(message)

    sender, other = handling("Sender", handle, concurrency=3), handling("Other", handle)
    async with World(sender, other).running():
        await wait_all_tasks_blocked()
        sender.pause.begin()
        post(sender, "one", "two")
        post(other, "other")
        await trio.sleep(5)
        assert handled == ["other"]
        sender.pause.end()
        await trio.sleep(5)
        assert sorted(handled) == ["one", "other", "two"]


async def test_a_batch_in_hand_is_finished_after_a_crash(autojump_clock: MockClock) -> None:
    """A crash in the pause is made good as ever, and only then the actor rests."""
    handled: list[str] = []
    crashes = [KeyError("once")]

    async def handle(_: Context, messages: object) -> None:
        await trio.sleep(1)
        if crashes:
            raise crashes.pop()
        assert isinstance(messages, tuple)
        handled.extend(messages)

    sender = batching("Sender", handle, batch=2)
    world = World(sender)
    async with world.running():
        post(sender, "one", "two", "three")
        await trio.sleep(0.5)
        sender.pause.begin()
        await trio.sleep(1)
        assert world.actor("Sender").state == "backing_off"
        await trio.sleep(60)
        assert handled == ["one", "two"]
        assert (world.actor("Sender").state, world.actor("Sender").restarts) == ("paused", 1)


async def test_a_poller_is_cut_off_and_begins_anew(autojump_clock: MockClock) -> None:
    """Its run is cancelled, which is no crash: nothing is counted, and no delay is added."""
    ends: list[float] = []

    async def run(context: Context) -> None:
        try:
            await idle(context)
        finally:
            ends.append(trio.current_time())

    poller = running("Poller", run)
    world = World(poller, policy=RestartPolicy(intensity=1))
    async with world.running():
        for _ in range(5):
            await trio.sleep(1)
            poller.pause.begin()
            await trio.sleep(1)
            assert world.actor("Poller").state == "paused"
            poller.pause.end()
        await wait_all_tasks_blocked()
        found = world.actor("Poller")
        assert (found.state, found.restarts, found.last_error) == ("running", 0, None)
    assert ends == [1, 3, 5, 7, 9, 10]
    assert world.log.starts("Poller") == [0, 2, 4, 6, 8, 10]


async def test_an_error_made_of_the_cancellation_is_no_crash(autojump_clock: MockClock) -> None:
    """An actor that turns it into an error is paused all the same."""

    async def run(context: Context) -> None:
        try:
            await idle(context)
        except trio.Cancelled:
            raise KeyError("cleaning up") from None

    poller = running("Poller", run)
    world = World(poller)
    async with world.running():
        await wait_all_tasks_blocked()
        poller.pause.begin()
        await trio.sleep(1)
        assert (world.actor("Poller").state, world.actor("Poller").restarts) == ("paused", 0)
        poller.pause.end()
        await wait_all_tasks_blocked()
        assert (world.actor("Poller").state, world.actor("Poller").restarts) == ("running", 0)


async def test_an_actor_that_starts_paused_does_nothing(autojump_clock: MockClock) -> None:
    """Neither its run nor its workers begin, until it is resumed."""
    began: list[float] = []

    async def run(context: Context) -> None:
        began.append(trio.current_time())
        await idle(context)

    poller = running("Poller", run)
    poller.pause.begin()
    world = World(poller)
    async with world.running():
        await trio.sleep(5)
        assert (began, world.actor("Poller").state) == ([], "paused")
        poller.pause.end()
        await trio.sleep(5)
        assert began == [5]


async def test_backing_off_ends_with_the_pause(autojump_clock: MockClock) -> None:
    """With nothing in hand it shows ``paused``, and when it is resumed it tries at once."""
    tries: list[float] = []

    async def run(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        tries.append(trio.current_time())
        raise Retryable("away", after_s=50.0)

    poller = running("Poller", run)
    world = World(poller)
    async with world.running():
        await trio.sleep(1)
        assert world.actor("Poller").state == "backing_off"
        poller.pause.begin()
        await wait_all_tasks_blocked()
        assert world.actor("Poller").state == "paused"
        await trio.sleep(99)
        poller.pause.end()
        await wait_all_tasks_blocked()
        assert tries == [0, 100]


async def test_stopping_a_paused_actor_takes_no_time(autojump_clock: MockClock) -> None:
    """It ends at once, and what waits is left."""
    sender, poller = handling("Sender", _never), running("Poller", idle)
    world = World(sender, poller)
    async with world.running():
        for spec in (sender, poller):
            spec.pause.begin()
        post(sender, "waiting")
        await wait_all_tasks_blocked()
    assert world.stop_took_s == 0
    assert sender.mailbox is not None
    assert sender.mailbox.statistics().depth == 1


async def test_a_pause_outlives_the_duty(autojump_clock: MockClock) -> None:
    """A standby shows it, and on the next duty the actor is held back still."""
    began: list[float] = []

    async def run(context: Context) -> None:
        began.append(trio.current_time())
        await idle(context)

    duty = Duty()
    poller = running("Poller", run, duty=duty)
    world = World(poller)
    async with world.running():
        duty.begin(10)
        await trio.sleep(5)
        poller.pause.begin()
        await trio.sleep(10)
        assert world.actor("Poller").state == "paused"
        duty.begin(math.inf)
        await trio.sleep(5)
        assert world.actor("Poller").state == "paused"
        poller.pause.end()
        await trio.sleep(5)
        assert began == [0, 20]
        assert world.actor("Poller").state == "running"


async def test_a_paused_actor_that_does_not_end_is_stuck(autojump_clock: MockClock) -> None:
    """What is in hand has its deadline in a pause, too."""
    release = trio.Event()

    async def handle(_: Context, __: str) -> None:
        with trio.CancelScope(shield=True):
            await release.wait()

    sender = handling("Sender", handle, deadline_s=10)
    world = World(sender)
    async with world.running():
        post(sender, "bad")
        await trio.sleep(1)
        sender.pause.begin()
        await trio.sleep(20)
        assert world.actor("Sender").state == "stuck"
        assert liveness(world.supervisor.statistics()) == ("Sender does not end",)
        release.set()


async def test_a_pause_is_seen_and_is_no_reason_to_restart(autojump_clock: MockClock) -> None:
    """The whole is ``degraded``, never ``down``; the process stays live and ready."""
    poller = running("Poller", idle, critical=True)
    world = World(poller)
    async with world.running():
        poller.pause.begin()
        await wait_all_tasks_blocked()
        found = world.supervisor.statistics()
        assert overall(found, OK_STORE) == "degraded"
        assert (liveness(found), readiness(found)) == ((), ())


def test_what_is_kept_follows_and_nothing_else_does() -> None:
    """The list of the kept pauses moves those that are kept alone, and unknown names do nothing."""
    pauses = Pauses()
    one, two, own = pauses.make("One"), pauses.make("Two"), pauses.make("Own", kept=False)
    own.begin()
    pauses.follow({"One", "Own", "Other"})
    assert (one.is_on, two.is_on, own.is_on) == (True, False, True)
    pauses.follow({"Two"})
    assert (one.is_on, two.is_on, own.is_on) == (False, True, True)
    assert pauses.find("Other") is None


@pytest.mark.parametrize("order", ["waits first", "comes later"])
async def test_whoever_waits_for_a_pause_or_its_end_hears_of_it(
    autojump_clock: MockClock, order: str
) -> None:
    """At once if it is so already."""
    pause = Pauses().make("One")
    heard: list[str] = []

    async def wait() -> None:
        await pause.wait_begun()
        heard.append("begun")
        await pause.wait_over()
        heard.append("over")

    async with trio.open_nursery() as nursery:
        if order == "comes later":
            pause.begin()
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        pause.begin()
        await wait_all_tasks_blocked()
        assert heard == ["begun"]
        pause.end()
    assert heard == ["begun", "over"]


async def _never(_: Context, message: str) -> None:
    raise AssertionError(f"{message} was taken in a pause")

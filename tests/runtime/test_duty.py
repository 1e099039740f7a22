"""Only the process on duty acts, and only for as long as it is."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.duty import Duty
from runtime.health import StoreHealth, overall
from tests.conftest import ROOT
from tests.runtime.scripted import World, handling, idle, post, running

OK_STORE = StoreHealth("ok", "memory", None, depth=0, oldest_s=0.0, dead_letters=0)


async def test_an_actor_waits_for_its_duty_and_others_do_not(autojump_clock: MockClock) -> None:
    """It shows ``standby``, which is as it should be, and starts with the duty."""
    duty = Duty()
    world = World(running("Always", idle), running("Poller", idle, duty=duty))
    async with world.running():
        await wait_all_tasks_blocked()
        assert world.actor("Always").state == "running"
        assert world.actor("Poller").state == "standby"
        assert overall(world.supervisor.statistics(), OK_STORE) == "ok"
        await trio.sleep(10)
        assert world.log.starts("Poller") == []
        duty.begin(math.inf)
        await wait_all_tasks_blocked()
        assert world.log.starts("Poller") == [10]
        assert world.actor("Poller").state == "running"


async def test_each_duty_has_a_number_of_its_own(autojump_clock: MockClock) -> None:
    """So what was asked for on an earlier one can be told from what is asked for now."""
    duty = Duty()
    terms = [duty.term]
    for _ in range(3):
        duty.begin(trio.current_time() + 10)
        duty.extend(trio.current_time() + 20)
        terms.append(duty.term)
        duty.end()
    assert len(set(terms)) == 4


async def test_what_is_in_hand_ends_with_the_duty(autojump_clock: MockClock) -> None:
    """It is cancelled where it stands, and the next duty begins with nothing in hand."""
    duty = Duty()
    handled: list[str] = []
    cut_off: list[tuple[str, float]] = []

    async def handle(_: Context, message: str) -> None:
        try:
            await trio.sleep(50)
            handled.append(message)
        finally:
            cut_off.append((message, trio.current_time()))

    sender = handling("Sender", handle, duty=duty)
    world = World(sender)
    async with world.running():
        duty.begin(20)
        post(sender, "first")
        await trio.sleep(30)
        assert (handled, cut_off) == ([], [("first", 20)])
        assert world.actor("Sender").state == "standby"
        duty.begin(math.inf)
        post(sender, "second")
        await trio.sleep(200)
        assert handled == ["second"]


async def test_a_duty_that_is_renewed_goes_on(autojump_clock: MockClock) -> None:
    """Renewing moves the end of everything that is under way, and never brings it nearer."""
    duty = Duty()
    ends: list[float] = []

    async def run(context: Context) -> None:
        try:
            await idle(context)
        finally:
            ends.append(trio.current_time())

    async with World(running("Poller", run, duty=duty)).running():
        duty.begin(10)
        await trio.sleep(8)
        duty.extend(18)
        duty.extend(12)
        await trio.sleep(30)
        assert ends == [18]
        duty.extend(100)
        assert not duty.is_on


async def test_trouble_of_the_last_duty_is_not_held_against_the_next(
    autojump_clock: MockClock,
) -> None:
    """Counters and the rate go on, and a new duty begins at once."""
    duty = Duty()

    async def run(context: Context) -> None:
        if duty_number == 1:
            raise ValueError("always")
        await idle(context)

    duty_number = 1
    async with World(running("Poller", run, duty=duty)).running():
        duty.begin(60)
        await trio.sleep(61)
        duty_number = 2
        duty.begin(math.inf)
        await wait_all_tasks_blocked()
        assert trio.current_time() == 61


async def test_nobody_is_left_when_a_new_duty_begins(autojump_clock: MockClock) -> None:
    """Whoever is slow to end holds up the next duty, and is never there beside it."""
    duty, tidy_s = Duty(), 3

    async def run(context: Context) -> None:
        try:
            await idle(context)
        finally:
            with trio.move_on_after(tidy_s, shield=True):
                await trio.sleep_forever()

    async with World(running("Poller", run, duty=duty)).running():
        duty.begin(math.inf)
        await wait_all_tasks_blocked()
        duty.end()
        with pytest.raises(RuntimeError, match="not vacated"):
            duty.begin(math.inf)
        await duty.wait_vacated()
        assert trio.current_time() == tidy_s
        duty.begin(math.inf)


async def test_stopping_finishes_what_is_in_hand_on_duty(autojump_clock: MockClock) -> None:
    """A stop is no end of the duty: the lease is given up last."""
    duty = Duty()
    handled: list[str] = []

    async def handle(_: Context, message: str) -> None:
        await trio.sleep(3)
        handled.append(message)

    sender = handling("Sender", handle, duty=duty)
    world = World(sender)
    async with world.running():
        duty.begin(math.inf)
        post(sender, "in hand", "waiting")
        await wait_all_tasks_blocked()
    assert handled == ["in hand"]


async def test_a_standby_stops_at_once(autojump_clock: MockClock) -> None:
    """There is nothing to wait for."""
    world = World(running("Poller", idle, duty=Duty()))
    async with world.running():
        await wait_all_tasks_blocked()
    assert world.stop_took_s == 0


TICKING = textwrap.dedent(
    """
    import trio
    from runtime.duty import Duty

    LASTS_S, TICK_S = 0.5, 0.02

    async def main():
        duty, acts = Duty(), []
        end = trio.current_time() + LASTS_S
        duty.begin(end)
        with duty.scope():
            while True:
                await trio.sleep(TICK_S)
                acts.append(trio.current_time())
                print("acted", flush=True)
        late = [at - end for at in acts if at > end]
        print(f"stopped {trio.current_time() > end + 0.4}, acted late {late}")

    trio.run(main)
    """
)


def test_a_process_that_stood_still_does_nothing_more() -> None:
    """SIGSTOP past the end of the duty, then SIGCONT: cancelled before anything else is done."""
    process = subprocess.Popen(
        [sys.executable, "-c", TICKING],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "acted\n"
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate(timeout=10)
        assert told.splitlines()[-1] == "stopped True, acted late []"
    finally:
        process.kill()
        process.wait()


async def test_who_looks_at_nothing_is_not_behind(autojump_clock: MockClock) -> None:
    """A standby and a paused actor know nothing of what there is, whatever they knew before."""
    duty = Duty()

    async def be_behind(context: Context) -> None:
        context.lag(3600.0)
        await trio.sleep_forever()

    poller = running("Poller", be_behind, duty=duty)
    world = World(poller)
    async with world.running():
        duty.begin(trio.current_time() + 10)
        await wait_all_tasks_blocked()
        assert world.actor("Poller").lag_s == 3600.0
        poller.pause.begin()
        assert world.actor("Poller").lag_s is None
        poller.pause.end()
        await trio.sleep(5)
        assert world.actor("Poller").lag_s == 3600.0
        await trio.sleep(20)
        assert (world.actor("Poller").state, world.actor("Poller").lag_s) == ("standby", None)

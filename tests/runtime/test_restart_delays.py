"""When a unit is started again, and when it is only tried now and then."""

from __future__ import annotations

import itertools

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import Context
from runtime.backoff import RestartPolicy
from runtime.errors import AuthRejected, RateLimited, Retryable
from tests.runtime.scripted import (
    World,
    crash_always,
    handling,
    idle,
    post,
    raising,
    running,
)

SEEDS = range(10)

DENIED = AuthRejected("wrong password", action="Make a new app password.")


@pytest.mark.parametrize("seed", SEEDS)
async def test_gaps_between_restarts_follow_the_backoff(
    seed: int, autojump_clock: MockClock
) -> None:
    """I5: each gap lies in [min, min(max, min * 2**(n+1))], then in [max/2, max]; I6: for ever."""
    policy = RestartPolicy()
    world = World(running("A", crash_always), policy=policy, seed=seed)
    async with world.running():
        await trio.sleep(2000)
        starts = world.log.starts("A")
        gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
        for n, gap in enumerate(gaps[: policy.intensity]):
            assert policy.backoff_min_s <= gap <= policy.cap_s(n)
        assert len(gaps) > policy.intensity + 20
        assert all(30 <= gap <= 60 for gap in gaps[policy.intensity :])


async def test_the_same_seed_gives_the_same_restarts(autojump_clock: MockClock) -> None:
    """I5: reproducible from the seed."""
    seen = []
    for seed in (1, 1, 2):
        world = World(running("A", crash_always), seed=seed)
        begun = trio.current_time()
        async with world.running():
            await trio.sleep(100)
            seen.append([round(at - begun, 6) for at in world.log.starts("A")])
    assert seen[0] == seen[1] != seen[2]


async def test_actors_that_fall_together_do_not_rise_together(autojump_clock: MockClock) -> None:
    """Eight actors crash at once, and are restarted at eight different times."""
    names = "ABCDEFGH"
    world = World(*(running(name, crash_always) for name in names))
    async with world.running():
        await trio.sleep(3)
        second_starts = {world.log.starts(name)[1] for name in names}
        assert len(second_starts) == len(names)


async def test_too_many_crashes_make_an_actor_failed(autojump_clock: MockClock) -> None:
    """I6: after more than the intensity it is failed and says so, and others run on."""
    world = World(running("A", crash_always), running("B", idle))
    async with world.running():
        await trio.sleep(70)
        assert world.actor("A").state == "failed"
        assert world.actor("B").state == "running"
        names = [event.name for event in world.log.events if "delay_s" in event.fields]
        assert names[:6] == ["actor crashed"] * 5 + ["actor failed"]


async def test_intensity_counts_over_all_units_of_an_actor(autojump_clock: MockClock) -> None:
    """I6: six workers that each crash once are six crashes of one actor."""
    crashed: set[int] = set()

    async def handle(_: Context, message: int) -> None:
        await trio.sleep(1)
        if message not in crashed:
            crashed.add(message)
            raise ValueError(message)

    spec = handling("A", handle, concurrency=6)
    world = World(spec)
    post(spec, *range(6))
    async with world.running():
        await trio.sleep(1.5)
        assert world.actor("A").state == "failed"
        states = sorted(unit.state for unit in world.actor("A").units)
        assert states == ["backing_off"] * 5 + ["failed"]


async def test_crashes_far_apart_are_never_too_many(autojump_clock: MockClock) -> None:
    """I5, I6: healthy time in between resets the delay, and the window slides."""

    async def run(context: Context) -> None:
        context.succeeded()
        await context.sleep(100)
        raise ValueError("now and then")

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(5000)
        starts = world.log.starts("A")
        gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
        assert len(gaps) > 40
        assert all(101 <= gap <= 102 for gap in gaps)
        assert not world.log.of("actor failed")


async def test_uptime_without_success_does_not_reset_the_delay(autojump_clock: MockClock) -> None:
    """I5: only healthy progress resets; an actor that hangs about and crashes is not healthy."""

    async def run(context: Context) -> None:
        await context.sleep(100)
        raise ValueError("never did a thing")

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(3000)
        assert max(float(str(e.fields["delay_s"])) for e in world.log.of("actor crashed")) > 10


async def test_retryable_never_makes_an_actor_failed(autojump_clock: MockClock) -> None:
    """An outage of the other side is not a crash: no intensity, growing delays, then running."""

    async def run(context: Context) -> None:
        await trio.lowlevel.checkpoint()
        if trio.current_time() < 1000:
            raise Retryable("away")
        await idle(context)

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(999)
        assert world.actor("A").state == "backing_off"
        assert len(world.log.of("actor backing off")) > 10
        await trio.sleep(100)
        assert world.actor("A").state == "running"
        assert not world.log.of("actor crashed") + world.log.of("actor failed")
        assert len(world.log.of("actor recovered")) == 1


async def test_only_crashes_count_as_restarts(autojump_clock: MockClock) -> None:
    """``restarts`` is the sign of a defect: neither an outage nor a wrong password counts."""
    gone = Retryable("away")
    world = World(raising(gone, DENIED, gone, ValueError("a defect"), gone, DENIED))
    async with world.running():
        await trio.sleep(400)
        statistics = world.actor("A")
        assert (statistics.state, statistics.units[0].incarnation) == ("running", 7)
        assert statistics.restarts == 1


async def test_the_other_side_s_waiting_time_is_kept(autojump_clock: MockClock) -> None:
    """RateLimited is not retried before the time that was named."""
    world = World(raising(RateLimited("slow down", after_s=500)))
    async with world.running():
        await trio.sleep(499)
        assert len(world.log.starts("A")) == 1
        await trio.sleep(2)
        assert len(world.log.starts("A")) == 2


async def test_wrong_credentials_are_tried_rarely(autojump_clock: MockClock) -> None:
    """AuthRejected shows the action at once, is tried at the longest delay only, and recovers."""
    world = World(raising(*[DENIED] * 5))
    async with world.running():
        await trio.testing.wait_all_tasks_blocked()
        statistics = world.actor("A")
        assert statistics.last_error is not None
        assert statistics.last_error.action == "Make a new app password."
        wait_s = statistics.units[0].wait_s
        assert wait_s is not None
        assert 30 <= wait_s <= 60
        for _ in range(70):
            assert world.actor("A").state == "failed"
            await trio.sleep(2)
        await trio.sleep(200)
        starts = world.log.starts("A")
        assert all(30 <= b - a <= 60 for a, b in itertools.pairwise(starts))
        assert world.actor("A").state == "running"


async def test_dice_belong_to_units(autojump_clock: MockClock) -> None:
    """Each unit has its own seeded jitter, so one actor's throws do not shift another's."""
    drawn: dict[str, float] = {}

    async def run(context: Context) -> None:
        drawn[context.name] = context.rng.random()
        await idle(context)

    async with World(running("A", run), running("B", run)).running():
        await trio.testing.wait_all_tasks_blocked()
    alone = dict(drawn)
    async with World(running("B", run)).running():
        await trio.testing.wait_all_tasks_blocked()
    assert alone["A"] != alone["B"] == drawn["B"]

"""What is done to the connector, each thing by itself."""

from __future__ import annotations

import math
import random
from collections.abc import Collection
from typing import Literal, TypeAlias

import trio

from sandbox.faults import Delay, DropAfter, Fault, Faults, RateLimit, Reset, Rule, Status
from tests.durability.front import open_front
from tests.durability.store import MISHAPS, Mishap
from tests.durability.strikes import BLUESKY_PATHS, GENESYS_PATHS, carry_out, draw_strike
from tests.durability.trial import REQUEST_DEADLINE_S, Trial

Side: TypeAlias = Literal["Bluesky", "Genesys", "Redis"]
SIDES: tuple[Side, ...] = ("Bluesky", "Genesys", "Redis")

BLUESKY_WRITES = ("putRecord", "sendMessage", "acceptConvo", "refreshSession")
GENESYS_WRITES = (
    "/messages/bulk",
    "/inbound/open/message",
    "/inbound/open/receipt",
    "/externalcontacts/contacts",
)
LOSSES_DRAWN = 400
WARM_UP_S = 2.0
SETTLED_AFTER_S = 10.0
MOST_IDLE_COMMANDS = 10
STOP_AFTER_S = 3.0
WEATHER_EVERY_S = 0.15
BACKLOG_EVERY_S = 0.004
LOOK_EVERY_S = 0.1


async def be_idle(trial: Trial) -> None:
    """A minute in which nothing happens, with the default settings: what does it cost Redis?"""
    await trial.start()
    await trio.sleep(SETTLED_AFTER_S)
    before = await trial.store.count_commands()
    await trio.sleep(60.0)
    done = await trial.store.count_commands() - before
    trial.notes.append(f"{done.total()} commands in an idle minute: {dict(done)}")
    if done.total() > MOST_IDLE_COMMANDS:
        trial.defects.append(f"{done.total()} commands in an idle minute")


async def kill(trial: Trial, kills: int) -> None:
    """``kill -9`` again and again, each time followed by a start."""
    async with trial.under_load():
        for _ in range(kills):
            await carry_out(draw_strike(trial.rng), trial)
            trial.faults += 1
        await trial.start()
        await trio.sleep(WARM_UP_S)


async def stop(trial: Trial, stops: int) -> None:
    """``SIGTERM`` again and again, each time followed by a start."""
    async with trial.under_load():
        for _ in range(stops):
            await trial.start()
            await trio.sleep(trial.rng.uniform(0.0, STOP_AFTER_S))
            await trial.stop()
            trial.faults += 1
        await trial.start()
        await trio.sleep(WARM_UP_S)


async def cut_off(trial: Trial, sides: Collection[Side], seconds: float) -> None:
    """One or more sides are away for a while, all at once."""
    async with trial.under_load():
        await trial.start()
        await trio.sleep(WARM_UP_S)
        async with trio.open_nursery() as nursery:
            for side in sides:
                nursery.start_soon(_be_away, trial, side, seconds)
                trial.faults += 1
        await trio.sleep(WARM_UP_S)


async def spoil_store(trial: Trial, mishap: Mishap, seconds: float) -> None:
    """The store is of no use for a while, and ``/health`` says so."""
    async with trial.under_load():
        await trial.start()
        await trio.sleep(WARM_UP_S)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trial.store.be_away, mishap, seconds)
            trial.faults += 1
            await _expect_trouble(trial, seconds)
        await trio.sleep(WARM_UP_S)


async def start_without_store(trial: Trial, seconds: float) -> None:
    """The connector starts while its store is away: it answers, says so, and waits."""
    async with trial.under_load(), trio.open_nursery() as nursery:
        nursery.start_soon(trial.store.be_away, "killed", seconds)
        trial.faults += 1
        await trial.start()
        await _expect_trouble(trial, seconds)


async def catch_up(trial: Trial, acts: int, seconds: float) -> None:
    """There is a backlog at the first start, and Genesys is away for the beginning."""
    for _ in range(acts):
        trial.load.act()
        await trio.sleep(BACKLOG_EVERY_S)
    rule = trial.world.genesys.faults.add("", Status(503), count=None)
    trial.faults += 1
    await trial.start()
    await trio.sleep(seconds)
    trial.world.genesys.faults.remove(rule)


async def lose_answers(trial: Trial, share: float) -> None:
    """That share of all writes takes effect, and the answer never comes; to the end of the load."""
    bluesky, genesys = trial.world.bluesky.faults, trial.world.genesys.faults
    for path in BLUESKY_WRITES:
        _draw_losses(bluesky, path, trial.rng, share)
    for path in GENESYS_WRITES:
        _draw_losses(genesys, path, trial.rng, share)
    async with open_front([trial.connector.url], trial.http) as front:
        _draw_losses(front.faults, "/webhook", trial.rng, share)
        trial.world.genesys.webhook_url = f"{front.url}/webhook"
        await trial.start()
        await trial.load.run()
        while any(one.message.status == "waiting" for one in trial.load.ledger.answered):
            await trial.world.genesys.wait_change()
        await trio.sleep(WARM_UP_S)
    for faults in (bluesky, genesys, front.faults):
        trial.faults += sum(rule.hits for rule in faults.rules)


async def spoil(trial: Trial, seconds: float) -> None:
    """All kinds of faults at once, on all paths, for a while."""
    rules: list[Rule] = []
    async with trial.under_load():
        await trial.start()
        with trio.move_on_after(seconds):
            while True:
                rules.append(_draw_fault(trial))
                await trio.sleep(WEATHER_EVERY_S)
    trial.faults += sum(rule.hits for rule in rules)


async def _expect_trouble(trial: Trial, seconds: float) -> None:
    with trio.move_on_after(seconds):
        while True:
            health = await trial.connector.health(trial.http)
            if health is not None and health["store"]["status"] == "unavailable":
                return
            await trio.sleep(LOOK_EVERY_S)
    trial.defects.append("the store was away, and /health did not say so")


async def _be_away(trial: Trial, side: Side, seconds: float) -> None:
    if side == "Redis":
        await trial.store.be_away(trial.rng.choice(MISHAPS), seconds)
        return
    fault: Fault = trial.rng.choice((Status(503), Reset(), Delay(math.inf)))
    faults = _find_faults(trial, side)
    rule = faults.add("", fault, count=None)
    await trio.sleep(seconds)
    faults.remove(rule)


def _find_faults(trial: Trial, side: str) -> Faults:
    return trial.world.bluesky.faults if side == "Bluesky" else trial.world.genesys.faults


def _draw_losses(faults: Faults, path: str, rng: random.Random, share: float) -> None:
    """Draw which of the requests to come lose their answer.

    A rule is not asked about requests that one before it struck.
    """
    struck = 0
    for number in range(LOSSES_DRAWN):
        if rng.random() < share:
            faults.add(path, DropAfter(), method="POST", skip=number - struck)
            struck += 1


def _draw_fault(trial: Trial) -> Rule:
    rng = trial.rng
    side = rng.choice(SIDES[:2])
    path = rng.choice(BLUESKY_PATHS if side == "Bluesky" else GENESYS_PATHS)
    # A server that acts after its caller has gone does so before the caller looks for it.
    fault: Fault = rng.choice(
        (
            Status(500),
            Status(502, "UpstreamFailure", "Upstream Failure"),
            RateLimit(rng.uniform(0.5, 2.0)),
            Delay(rng.uniform(0.0, 2.0)),
            Delay(REQUEST_DEADLINE_S + 1.0),
            DropAfter(),
            Reset(),
        )
    )
    return _find_faults(trial, side).add(path, fault, count=rng.randint(1, 3))

"""All trials, by the names that they have in the table."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tests.durability import pairs, scenarios
from tests.durability.report import Row
from tests.durability.runner import run_trial
from tests.durability.store import MISHAPS
from tests.durability.trial import Trial

SHARE_LOST = 0.2

Plan: TypeAlias = dict[str, Callable[[str, Path | None], Awaitable[Row]]]
"""Each trial by its name: it takes a seed, and a folder to keep the logs in."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Args:
        kills: of one connector.
        turns: kills, deploys and freezes of the leader of two.
        stops: by SIGTERM.
        outage_s: how long an outage is.
        messages: under lost answers.
        backlog: acts before the first start.
        weather_s: of mixed faults.
    """

    kills: int = 10
    turns: int = 3
    stops: int = 4
    outage_s: float = 30.0
    messages: int = 500
    backlog: int = 500
    weather_s: float = 15.0


def make_plan(size: Size) -> Plan:
    """All of them, in the order in which they are run."""
    plan: Plan = {}

    def add(
        name: str,
        scenario: Callable[[Trial], Awaitable[None]],
        *,
        separate_store: bool = False,
        most: int | None = None,
        quick: bool = True,
    ) -> None:
        plan[name] = partial(
            run_trial, name, scenario, separate_store=separate_store, most=most, quick=quick
        )

    outage_s, turns = size.outage_s, size.turns
    add(f"kill -9, {size.kills} times", partial(scenarios.kill, kills=size.kills))
    add(f"SIGTERM, {size.stops} times", partial(scenarios.stop, stops=size.stops))
    for name, pair in (
        ("leader killed", pairs.kill_leader),
        ("rolling deploy", pairs.deploy),
        ("leader frozen", pairs.freeze_leader),
    ):
        add(f"{name}, {turns} times", partial(pair, times=turns), separate_store=True)
    for count in (1, 2):
        for sides in itertools.combinations(scenarios.SIDES, count):
            add(
                f"{' and '.join(sides)} away",
                partial(scenarios.cut_off, sides=sides, seconds=outage_s),
                separate_store="Redis" in sides,
            )
    for mishap in MISHAPS:
        spoil = partial(scenarios.spoil_store, mishap=mishap, seconds=outage_s)
        add(f"Redis {mishap}", spoil, separate_store=True)
    start = partial(scenarios.start_without_store, seconds=outage_s)
    add("started without Redis", start, separate_store=True)
    add("backlog", partial(scenarios.catch_up, acts=size.backlog, seconds=outage_s))
    lose = partial(scenarios.lose_answers, share=SHARE_LOST)
    add("1 in 5 answers lost", lose, most=size.messages)
    add("mixed faults", partial(scenarios.spoil, seconds=size.weather_s))
    add("idle", scenarios.be_idle, quick=False)
    return plan

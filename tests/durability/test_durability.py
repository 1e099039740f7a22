"""A short turn of ``scripts/durability``: what it counts must be 0."""

from __future__ import annotations

import secrets
from functools import partial

import pytest

from tests.durability.plan import Size, make_plan
from tests.durability.report import make_head, make_line
from tests.durability.runner import run_trial
from tests.durability.soak import PACE, carry_steadily, find_slope
from tests.durability.store import has_server

pytestmark = pytest.mark.durability

SIZE = Size(kills=10, turns=1, stops=2, outage_s=8.0, messages=150, backlog=200, weather_s=5.0)
AGAIN = (
    f"scripts/durability --kills {SIZE.kills} --turns {SIZE.turns} --stops {SIZE.stops}"
    f" --outage {SIZE.outage_s:g} --messages {SIZE.messages}"
)
TRIALS = (
    "kill -9",
    "SIGTERM",
    "leader killed",
    "rolling deploy",
    "leader frozen",
    "webhooks missed",
    "Bluesky away",
    "Genesys and Redis away",
    "Redis full",
    "started without Redis",
    "1 in 5 answers lost",
    "idle",
)
PLAN = make_plan(SIZE)


@pytest.mark.parametrize("name", [one for one in PLAN if one.startswith(TRIALS)])
async def test_nothing_is_lost_doubled_or_out_of_order(name: str) -> None:
    """Whatever is done to the real process, under load; and then SIGTERM, which exits 0."""
    if not has_server():
        pytest.skip("no redis-server on the PATH")
    seed = secrets.token_hex(4)
    row = await PLAN[name](seed, None)
    again = f'{AGAIN} --only "{name}" --seed {seed}'
    assert not row.problems, f"{again}\n{make_head()}\n{make_line(row)}\n{row.problems}"


async def test_a_steady_load_is_carried_whole() -> None:
    """A minute of what ``scripts/soak`` does for half an hour."""
    if not has_server():
        pytest.skip("no redis-server on the PATH")
    scenario = partial(carry_steadily, seconds=60.0, rate=5.0)
    row = await run_trial("soak", scenario, secrets.token_hex(4), variables=PACE)
    assert not row.problems, f"{make_head()}\n{make_line(row)}\n{row.problems}"


def test_growing_memory_is_noticed() -> None:
    """The slope is that of the memory, whatever it is at first."""
    assert find_slope([(at, 90.0 + at / 300) for at in (0.0, 5.0, 10.0, 15.0)]) == pytest.approx(2)
    assert find_slope([(at, 90.0) for at in (0.0, 5.0, 10.0)]) == 0


def test_every_trial_named_here_is_there() -> None:
    """Or a renamed one would be left out in silence."""
    assert all(any(one.startswith(name) for one in PLAN) for name in TRIALS)

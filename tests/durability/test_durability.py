"""A short turn of ``scripts/durability``: what it counts must be 0."""

from __future__ import annotations

import secrets
from functools import partial

import pytest

from tests.durability import scenarios
from tests.durability.report import make_head, make_line
from tests.durability.runner import run_trial
from tests.durability.store import has_server

pytestmark = pytest.mark.durability

KILLS = 5


async def test_nothing_is_lost_doubled_or_out_of_order_when_it_is_killed() -> None:
    """``kill -9`` under load, each time followed by a start; then SIGTERM, which exits 0."""
    if not has_server():
        pytest.skip("no redis-server on the PATH")
    seed = secrets.token_hex(4)
    name = f"kill -9, {KILLS} times"
    row = await run_trial(name, partial(scenarios.kill, kills=KILLS), seed)
    again = f"scripts/durability --kills {KILLS} --only kill --seed {seed}"
    assert not row.problems, f"{again}\n{make_head()}\n{make_line(row)}"

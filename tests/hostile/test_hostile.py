"""A short turn of ``scripts/attack``."""

from __future__ import annotations

import secrets

import pytest

from tests.hostile.siege import MOST_MORE_MB, MOST_TIMES, Size, find_p99, lay_siege

pytestmark = pytest.mark.durability

JITTER_MS = 1500.0
"""Of so few webhooks one late one is the 99th of a hundred, and others use this machine as well.
``scripts/attack`` sends more, and is strict."""
SIZE = Size(count=200, rate=60.0, alone_s=4.0, rounds=2, addresses=50)


async def test_an_attack_has_no_effect_and_keeps_nobody_out() -> None:
    """Neither on what is said and answered, nor much on how fast, nor on memory."""
    seed = secrets.token_hex(4)
    outcome = await lay_siege(SIZE, seed)
    again = (
        f"scripts/attack --count 200 --rate 60 --alone 4 --rounds 2 --addresses 50 --seed {seed}"
    )
    assert outcome.count == SIZE.count, again
    assert not outcome.problems, again
    assert outcome.more_mb < MOST_MORE_MB, again
    alone_ms, attacked_ms = find_p99(outcome.alone.times_ms), find_p99(outcome.attacked.times_ms)
    assert attacked_ms < MOST_TIMES * alone_ms + JITTER_MS, again

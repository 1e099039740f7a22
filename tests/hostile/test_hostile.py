"""A short turn of ``scripts/attack``."""

from __future__ import annotations

import secrets

import pytest

from tests.hostile.siege import MOST_MORE_MB, MOST_TIMES, Size, find_p99, lay_siege

pytestmark = pytest.mark.durability

JITTER_MS = 25.0
"""Of so few webhooks one late one is the 99th of a hundred."""


@pytest.mark.parametrize("addresses", [0, 50])
async def test_an_attack_has_no_effect_and_delays_nobody(addresses: int) -> None:
    """Neither on what is said and answered, nor on how fast, nor on memory."""
    seed = secrets.token_hex(4)
    size = Size(count=1_500, rate=60.0, alone_s=20.0, addresses=addresses)
    outcome = await lay_siege(size, seed)
    again = f"scripts/attack --count 1500 --rate 60 --alone 20 --seed {seed}"
    assert outcome.count == size.count, again
    assert not outcome.problems, again
    assert outcome.more_mb < MOST_MORE_MB, again
    alone_ms, attacked_ms = find_p99(outcome.alone_ms), find_p99(outcome.attacked_ms)
    assert attacked_ms < max(MOST_TIMES * alone_ms, alone_ms + JITTER_MS), again

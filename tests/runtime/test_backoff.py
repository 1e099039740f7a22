"""Delays as arithmetic, and policies that cannot be."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import RestartPolicy
from runtime.condition import Condition, CrashWindow
from runtime.failures import judge

POLICY = RestartPolicy()


@given(st.integers(0, 5000), st.integers())
def test_every_delay_lies_between_the_shortest_and_its_cap(n: int, seed: int) -> None:
    """I5: uniform in [min, min(max, min * 2**(n+1))], for any number of failures."""
    cap_s = POLICY.cap_s(n)
    assert cap_s == (60 if n >= 5 else 2 ** (n + 1))
    assert 1 <= POLICY.delay_s(n, random.Random(seed)) <= cap_s  # noqa: S311


@given(st.integers())
def test_a_slow_delay_is_at_least_half_the_longest(seed: int) -> None:
    """What trying soon would not mend is tried at 30 to 60 seconds."""
    assert 30 <= POLICY.slow_delay_s(random.Random(seed)) <= 60  # noqa: S311


def test_the_whole_interval_is_used() -> None:
    """Full jitter: delays of one attempt are spread over their interval."""
    rng = random.Random(0)  # noqa: S311
    delays = [POLICY.delay_s(4, rng) for _ in range(1000)]
    assert min(delays) < 2
    assert max(delays) > 31


@given(
    intensity=st.integers(1, 12),
    period_s=st.floats(1, 3600),
    backoff_min_s=st.floats(0.1, 30),
    backoff_max_s=st.floats(0.1, 300),
    seed=st.integers(),
)
def test_whoever_crashes_at_once_is_seen_as_failed(
    intensity: int, period_s: float, backoff_min_s: float, backoff_max_s: float, seed: int
) -> None:
    """Under every policy that is accepted, an instant crasher ends as failed."""
    try:
        policy = RestartPolicy(
            intensity=intensity,
            period_s=period_s,
            backoff_min_s=backoff_min_s,
            backoff_max_s=backoff_max_s,
        )
    except ValueError:
        return
    rng = random.Random(seed)  # noqa: S311
    condition = Condition(policy, CrashWindow(policy), rng)
    now, crash = 0.0, judge(ValueError("at once"))
    for _ in range(intensity):
        condition.begin(now)
        now += condition.fail(crash, now, in_hand=False)
        assert not condition.has_failed
    condition.begin(now)
    condition.fail(crash, now, in_hand=False)
    assert condition.has_failed


@pytest.mark.parametrize(
    "change",
    [
        {"intensity": 0},
        {"poison_after": 0},
        {"backoff_min_s": 0},
        {"backoff_min_s": 61},
        {"healthy_after_s": 0},
        {"period_s": 62},
        {"intensity": 10},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(change: dict[str, float]) -> None:
    """I6: among them one whose first delays do not fit into its period."""
    with pytest.raises(ValueError, match="must be"):
        replace(POLICY, **change)  # type: ignore[arg-type]

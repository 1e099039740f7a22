"""How long to wait before trying again, as pure functions of the attempt and the dice."""

from __future__ import annotations

import random
from dataclasses import dataclass

_LARGEST_EXPONENT = 64


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How crashes are answered. Checked when made, so that no bad policy can be used.

    Args:
        intensity: how many crashes an actor may have in ``period_s``; one more is a failure.
        period_s: the window, in seconds, in which crashes are counted.
        backoff_min_s: the shortest delay before a restart, in seconds.
        backoff_max_s: the longest.
        healthy_after_s: seconds without trouble after which earlier trouble is forgotten.
        poison_after: how many times one message may crash its worker.

    Raises:
        ValueError: a value makes no sense, or an actor that crashes at once would never be seen
            as failed because its delays do not fit into the window.
    """

    intensity: int = 5
    period_s: float = 300.0
    backoff_min_s: float = 1.0
    backoff_max_s: float = 60.0
    healthy_after_s: float = 60.0
    poison_after: int = 5

    def __post_init__(self) -> None:
        if self.intensity < 1 or self.poison_after < 1:
            raise ValueError("restart intensity and poison_after must be at least 1")
        if not 0 < self.backoff_min_s <= self.backoff_max_s:
            raise ValueError("backoff_min_s must be positive and no more than backoff_max_s")
        if self.healthy_after_s <= 0:
            raise ValueError("healthy_after_s must be positive")
        longest_s = sum(self.cap_s(n) for n in range(self.intensity))
        if longest_s >= self.period_s:
            raise ValueError(
                f"the first {self.intensity} restarts can take {longest_s:g} s: "
                f"the restart period of {self.period_s:g} s must be longer"
            )

    def cap_s(self, n: int) -> float:
        """The longest delay after ``n`` earlier failures in a row, in seconds."""
        exponent = min(n + 1, _LARGEST_EXPONENT)
        return min(self.backoff_max_s, self.backoff_min_s * 2.0**exponent)

    def delay_s(self, n: int, rng: random.Random) -> float:
        """A delay after ``n`` earlier failures in a row: anywhere from the shortest to the cap.

        The whole interval is used, from the first restart on, so that actors which fell together
        do not rise together.
        """
        return rng.uniform(self.backoff_min_s, self.cap_s(n))

    def slow_delay_s(self, rng: random.Random) -> float:
        """A delay for what trying soon would not mend: from half the longest to the longest."""
        return rng.uniform(0.5 * self.backoff_max_s, self.backoff_max_s)

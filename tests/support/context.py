"""A context for testing one actor by itself, without a supervisor."""

from __future__ import annotations

import random
from collections import Counter

import trio

from runtime.rate import Rate, TokenBucket

GENEROUS = Rate(1_000_000, 1.0)


class FakeContext:
    """Fulfils :class:`runtime.actor.Context` and keeps what the actor said of itself.

    Sleeps on the trio clock, so that a test under ``autojump_clock`` is done at once. It counts,
    but it enforces no deadline: that is the supervisor's part.

    Args:
        name: the actor's name.
        concurrency: what the actor is told of its own concurrency.
        rate: the actor's own limit; by default there is practically none.
        seed: of the jitter.
        back_off_s: how long one :meth:`back_off` takes; longer if the error says so.
    """

    def __init__(
        self,
        name: str = "Actor",
        *,
        concurrency: int = 1,
        rate: Rate = GENEROUS,
        seed: int = 0,
        back_off_s: float = 1.0,
    ) -> None:
        self._name = name
        self._concurrency = concurrency
        self._rng = random.Random(seed)  # noqa: S311 - jitter, not secrets
        self._back_off_s = back_off_s
        self.bucket = TokenBucket(rate)
        self.acquired = 0
        self.progressed = 0
        self.successes: list[int] = []
        self.failures: list[Exception] = []
        self.skips: Counter[str] = Counter()
        self.skipped_about: list[dict[str, str]] = []
        self.lags: list[float | None] = []
        self.sleeps: list[float] = []
        self.back_offs: list[Exception] = []

    @property
    def name(self) -> str:
        """The actor's name."""
        return self._name

    @property
    def concurrency(self) -> int:
        """How many things the actor may do at once."""
        return self._concurrency

    @property
    def rng(self) -> random.Random:
        """The seeded source of jitter."""
        return self._rng

    @property
    def handled(self) -> int:
        """How many things succeeded in all."""
        return sum(self.successes)

    async def acquire(self, cost: int = 1) -> None:
        """Wait for the rate; :attr:`acquired` sums up the costs."""
        await self.bucket.acquire(cost)
        self.acquired += cost

    def spare(self) -> float:
        """What is left of the rate."""
        return self.bucket.spare()

    def progress(self) -> None:
        """Count a sign of life in :attr:`progressed`."""
        self.progressed += 1

    def succeeded(self, count: int = 1) -> None:
        """Keep ``count`` in :attr:`successes`; an empty poll leaves a 0 there."""
        self.successes.append(count)

    def failed(self, error: Exception) -> None:
        """Keep ``error`` in :attr:`failures`."""
        self.failures.append(error)

    def skipped(self, reason: str, count: int = 1, **about: str) -> None:
        """Add to :attr:`skips`, and ``about`` to :attr:`skipped_about`."""
        self.skips[reason] += count
        self.skipped_about.append({"reason": reason, **about})

    def lag(self, seconds: float | None) -> None:
        """Keep ``seconds`` in :attr:`lags`."""
        self.lags.append(seconds)

    async def sleep(self, seconds: float) -> None:
        """Keep ``seconds`` in :attr:`sleeps`, then sleep."""
        self.sleeps.append(seconds)
        await trio.sleep(max(0.0, seconds))

    async def back_off(self, error: Exception) -> None:
        """Keep ``error`` in :attr:`back_offs`, then wait as long as it says, or ``back_off_s``."""
        self.back_offs.append(error)
        await trio.sleep(max(self._back_off_s, getattr(error, "after_s", None) or 0.0))

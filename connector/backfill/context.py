"""What a backfill is given in place of the runtime's context: nobody supervises a command."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import trio

from actors.bluesky.backfill_store import Tally
from connector.platform_headers import PlatformHeaders
from runtime.clock import WallClock
from runtime.errors import Retryable
from runtime.rate import Rate, TokenBucket

CONCURRENCY = 2
_LONGEST_WAIT_S = 60.0
_SHARE = 2
"""A backfill takes no more than this part, a half, of what Bluesky allows."""


class BackfillContext:
    """Fulfils :class:`runtime.actor.Context`.

    It keeps to half of the budget, and waits for the next window when Bluesky says that less than
    half of this one is left: a connector that runs beside goes before.

    Args:
        rate: the budget.
        headers: what Bluesky says of it.
        tally: told of what is left out, and what could not be taken in.
        complain: told in a line of what went wrong, and what becomes of it.
    """

    def __init__(
        self,
        rate: Rate,
        headers: PlatformHeaders,
        clock: WallClock,
        tally: Tally,
        complain: Callable[[str], None],
    ) -> None:
        self._name = "Backfill"
        self._bucket = TokenBucket(Rate(max(1, rate.count // _SHARE), rate.per_s))
        self._headers = headers
        self._clock = clock
        self._tally = tally
        self._complain = complain
        self._rng = random.SystemRandom()
        self._troubles = 0

    def act_for(self, poller: str) -> BackfillContext:
        """The same, for what this poller would have found: its dead letters are the poller's."""
        twin = copy.copy(self)
        twin._name = poller
        return twin

    @property
    def name(self) -> str:
        """Where dead letters come from."""
        return self._name

    @property
    def concurrency(self) -> int:
        """How many requests may be under way."""
        return CONCURRENCY

    @property
    def rng(self) -> random.Random:
        """The source of jitter."""
        return self._rng

    async def acquire(self, cost: int = 1) -> None:
        """Wait for our part of the budget. If cancelled, nothing was taken."""
        allowance = self._headers.allowance
        if allowance is not None and _SHARE * allowance.remaining < allowance.limit:
            await trio.sleep(max(0.0, allowance.reset_s - self._clock()))
        await self._bucket.acquire(cost)

    def spare(self) -> float:
        """The share of its own rate that is left now, from 0 to 1."""
        return self._bucket.spare()

    def progress(self) -> None:
        """Nobody waits for a sign of life."""

    def succeeded(self, count: int = 1) -> None:
        """Forget earlier trouble. What is new is counted where it is recorded."""
        self._troubles = 0

    def failed(self, error: Exception) -> None:
        """Say what could not be taken in."""
        self._tally.failures += 1
        self._complain(f"Left out: {error}")

    def skipped(self, reason: str, count: int = 1, **about: str) -> None:
        """Count what is left out."""
        self._tally.left_out[reason] += count

    def lag(self, seconds: float | None) -> None:
        """How far behind a backfill is says nothing."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await trio.sleep(max(0.0, seconds))

    async def back_off(self, error: Exception) -> None:
        """Say what is in the way, and wait; each time twice as long, until something succeeds."""
        asked_s = error.after_s if isinstance(error, Retryable) else None
        delay_s = max(asked_s or 0.0, min(_LONGEST_WAIT_S, 2.0**self._troubles))
        self._troubles += 1
        self._complain(f"Waiting {delay_s:.0f} s: {error}")
        await trio.sleep(delay_s)

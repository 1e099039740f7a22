"""Rates and token buckets: how often something may be done."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

import trio

_RATE = re.compile(r"(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*s?")

_SHORTEST_WAIT_S = 0.001
"""A wait below the resolution of the clock's numbers would never end."""

_MOST_NOTES = 300
"""So many times at which tokens were taken are remembered of a bucket that holds more of them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` times in any ``per_s`` seconds. Written ``300/60s``."""

    count: int
    per_s: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``300/60s``.

        Raises:
            ValueError: with what is expected.
        """
        match = _RATE.fullmatch(text.strip())
        if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
            raise ValueError(f"{text!r} is no rate: write COUNT/SECONDSs, for example 300/60s")
        return cls(int(match[1]), float(match[2]))

    def __str__(self) -> str:
        return f"{self.count}/{self.per_s:g}s"


@dataclass(frozen=True, slots=True)
class BucketStatistics:
    """How much of a rate is left: tokens to be had now, seconds until the next single one."""

    rate: Rate
    remaining: int
    waiting_s: float


class TokenBucket:
    """Gives out ``rate.count`` tokens; each comes back ``rate.per_s`` after it was taken.

    So no window of that length ever sees more than ``rate.count``, and a burst up to it is free.
    Waiters are served in the order of asking. A bucket outlives the incarnations of its actor.

    Of more than 300 tokens, those that are taken within a three-hundredth of ``rate.per_s`` come
    back together with the last of them: else 30,000 requests in 5 minutes would be 3 MB.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._taken: deque[tuple[float, int]] = deque()
        self._together_s = rate.per_s / _MOST_NOTES if rate.count > _MOST_NOTES else 0.0
        self._together_since = float("-inf")
        self._in_use = 0
        self._blocked_until = float("-inf")
        self._turn = trio.StrictFIFOLock()

    async def acquire(self, cost: int = 1) -> None:
        """Wait for ``cost`` tokens and take them. If cancelled, none were taken."""
        if cost > self.rate.count:
            raise ValueError(f"{cost} tokens can never be had from a bucket of {self.rate.count}")
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.take(cost):
            return
        async with self._turn:
            wait_s = self._wait_s(cost)
            while wait_s > 0:
                await trio.sleep(max(wait_s, _SHORTEST_WAIT_S))
                wait_s = self._wait_s(cost)
            self._note_taken(cost)

    def take(self, cost: int = 1) -> bool:
        """Take ``cost`` tokens if they are to be had at once. Returns whether they were taken."""
        if cost > self.rate.count or self._turn.locked() or self._wait_s(cost) > 0:
            return False
        self._note_taken(cost)
        return True

    def block_for(self, seconds: float) -> None:
        """Give nothing out for so long: the other side said so. Never shortens a block."""
        self._blocked_until = max(self._blocked_until, trio.current_time() + seconds)

    def waiting_s(self) -> float:
        """Seconds until the next single token is to be had; 0.0 if at once."""
        return self._wait_s(1)

    def statistics(self) -> BucketStatistics:
        """Read without I/O or waiting. While it is blocked, nothing remains."""
        waiting_s = self._wait_s(1)
        remaining = 0 if waiting_s > 0 else self.rate.count - self._in_use
        return BucketStatistics(self.rate, remaining, waiting_s)

    def spare(self) -> float:
        """The share of the tokens that is to be had now, from 0 to 1; 0 while it is blocked."""
        return self.statistics().remaining / self.rate.count

    def _note_taken(self, cost: int) -> None:
        now = trio.current_time()
        self._in_use += cost
        if self._taken and now - self._together_since < self._together_s:
            cost += self._taken.pop()[1]
        else:
            self._together_since = now
        self._taken.append((now, cost))

    def _wait_s(self, cost: int) -> float:
        now = trio.current_time()
        while self._taken and self._taken[0][0] + self.rate.per_s <= now:
            self._in_use -= self._taken.popleft()[1]
        wait_s = self._blocked_until - now
        missing = self._in_use + cost - self.rate.count
        for taken_at, tokens in self._taken:
            if missing <= 0:
                break
            missing -= tokens
            wait_s = max(wait_s, taken_at + self.rate.per_s - now)
        return max(0.0, wait_s)


class Budget:
    """What a platform allows all actors together: one or more buckets, all of which must agree.

    Steered by what the platform says of itself in its answers' headers.
    """

    def __init__(self, *rates: Rate) -> None:
        self._buckets = tuple(TokenBucket(rate) for rate in rates)

    async def acquire(self, cost: int = 1) -> None:
        """Wait until every bucket gives ``cost`` tokens."""
        for bucket in self._buckets:
            await bucket.acquire(cost)

    def block_for(self, seconds: float) -> None:
        """Pause everybody who shares this budget: the platform asked for it."""
        for bucket in self._buckets:
            bucket.block_for(seconds)

    def observe(self, *, remaining: int, reset_in_s: float) -> None:
        """Take in what an answer said: ``remaining`` requests until ``reset_in_s`` from now."""
        if remaining <= 0:
            self.block_for(max(0.0, reset_in_s))

    def waiting_s(self) -> float:
        """Seconds until a single request may go out."""
        return max(bucket.waiting_s() for bucket in self._buckets)

    def statistics(self) -> tuple[BucketStatistics, ...]:
        """Each bucket, in the order of the rates. Read without I/O or waiting."""
        return tuple(bucket.statistics() for bucket in self._buckets)

    def spare(self) -> float:
        """The share of what is allowed that is left now, from 0 to 1."""
        return min(bucket.spare() for bucket in self._buckets)

"""Rate limits of the PDS: fixed windows, told in the ``ratelimit-*`` headers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.bluesky.errors import XrpcError
from sandbox.bluesky.identifiers import Clock


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``points`` in any window of ``window_s`` seconds."""

    points: int
    window_s: int


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits in force; the defaults are those of the PDS.

    ``requests`` counts per address, ``logins`` per identifier as typed and address, ``writes``
    in points per account (create 3, put 2, delete 1), ``uploads`` per address.
    """

    requests: Limit = Limit(3000, 300)
    logins: tuple[Limit, ...] = (Limit(30, 300), Limit(300, 86_400))
    writes: tuple[Limit, ...] = (Limit(5000, 3600), Limit(35_000, 86_400))
    uploads: Limit = Limit(1000, 86_400)


PDS_RATE_LIMITS = RateLimits()


@dataclass(frozen=True, slots=True)
class Charge:
    """Points to take from one bucket. ``key`` says whose bucket it is."""

    limit: Limit
    key: tuple[str, ...]
    points: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands after a charge."""

    limit: Limit
    remaining: int
    resets_at: datetime
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """As the PDS tells it: limit, what is left, and the unix second of the reset."""
        return {
            "RateLimit-Limit": str(self.limit.points),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(int(self.resets_at.timestamp())),
            "RateLimit-Policy": f"{self.limit.points};w={self.limit.window_s}",
        }


@dataclass(slots=True)
class _Window:
    ends_at: datetime
    used: int = 0


class RateLimiter:
    """The buckets of all callers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[Limit, tuple[str, ...]], _Window] = {}

    def consume(self, charges: Sequence[Charge]) -> Standing:
        """Charge all these buckets; the tightest of them afterwards.

        Raises:
            XrpcError: 429 ``RateLimitExceeded`` with ``Retry-After``; all were charged.
        """
        standings = [self._charge(charge) for charge in charges]
        tightest = min(standings, key=lambda standing: standing.remaining)
        for standing in standings:
            if standing.exceeded:
                raise rate_limit_exceeded(standing, self._clock())
        return tightest

    def _charge(self, charge: Charge) -> Standing:
        now = self._clock()
        key = (charge.limit, charge.key)
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            window = _Window(now + timedelta(seconds=charge.limit.window_s))
            self._windows[key] = window
        window.used += charge.points
        return Standing(
            limit=charge.limit,
            remaining=max(0, charge.limit.points - window.used),
            resets_at=window.ends_at,
            exceeded=window.used > charge.limit.points,
        )


def rate_limit_exceeded(standing: Standing, now: datetime) -> XrpcError:
    """429 in the words and headers of the PDS."""
    wait_s = math.ceil((standing.resets_at - now).total_seconds())
    headers = {**standing.headers(), "Retry-After": str(wait_s)}
    return XrpcError(429, "RateLimitExceeded", "Rate Limit Exceeded", headers)

"""What the platforms' answers say besides: the time by their clocks, and the budget left."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from actors.bluesky.errors import read_rate
from actors.genesys.exchange import read_seconds
from runtime.clock import WallClock

_RESOLUTION_S = 0.5
"""``Date`` has whole seconds, cut off: on average it is so much behind."""
_SHARED_WINDOW_S = 300.0
"""Bluesky's limit on all requests together has this window; others concern only some."""

_LOGINS = "/xrpc/com.atproto.server."


@dataclass(frozen=True, slots=True)
class Allowance:
    """A platform's limit on all requests together, as its last answer told it.

    ``reset_s`` is the unix time of the next window.
    """

    limit: int
    remaining: int
    reset_s: float


class PlatformHeaders:
    """Watches the answers that one HTTP client gets; no request is made for it.

    Attributes:
        ahead_s: how far the platform's clock is ahead of ours, in seconds, of all answers the
            least; ``None`` until one told its time.
        allowance: of the last answer that told it.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.ahead_s: float | None = None
        self.allowance: Allowance | None = None

    def watch(self, http: httpx.AsyncClient) -> None:
        """Watch this client from now on."""
        hooks = http.event_hooks
        http.event_hooks = {**hooks, "response": [*hooks["response"], self._note]}

    async def _note(self, response: httpx.Response) -> None:
        now_s = self._clock()
        said_s = _find_date(response.headers)
        if said_s is not None:
            ahead_s = said_s + _RESOLUTION_S - now_s
            known_s = self.ahead_s
            self.ahead_s = ahead_s if known_s is None else min(ahead_s, known_s, key=abs)
        if _LOGINS in response.url.path:
            # Logging in has limits of its own.
            return
        self.allowance = _find_allowance(response.headers, now_s) or self.allowance


def _find_date(headers: Mapping[str, str]) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None


def _find_allowance(headers: Mapping[str, str], now_s: float) -> Allowance | None:
    """From ``ratelimit-*`` of Bluesky, or ``inin-ratelimit-*`` of Genesys Cloud."""
    used = read_seconds(headers, "inin-ratelimit-count")
    allowed = read_seconds(headers, "inin-ratelimit-allowed")
    if used is not None and allowed is not None:
        left_s = read_seconds(headers, "inin-ratelimit-reset") or 0.0
        return Allowance(int(allowed), max(0, int(allowed - used)), now_s + left_s)
    limit, rate = read_seconds(headers, "ratelimit-limit"), read_rate(headers, now_s)
    window_s = rate.window_s or _SHARED_WINDOW_S
    if limit is None or rate.remaining is None or window_s > _SHARED_WINDOW_S:
        return None
    return Allowance(int(limit), rate.remaining, now_s + min(rate.reset_in_s or 0.0, window_s))

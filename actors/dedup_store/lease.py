"""Who leads: of all processes on one store, the one that holds the lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from actors.dedup_store.keys import LEASE_HOLDS_S
from runtime.duty import Duty

_CLOCKS_APART_S = 0.1
"""The server counts in whole milliseconds, and by a clock of its own."""


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How long a lease lasts, and how often it is looked at, all in seconds.

    Args:
        lasts_s: a leader that has not renewed its lease for so long is one no more.
        renew_every_s: a hosted Redis charges for each renewal; what is left of the lease by then is
            for renewals that fail.
        try_again_s: after one that failed.
        look_every_s: how often a standby looks whether the lease was given up, if nobody can tell
            it so.
    """

    lasts_s: float = LEASE_HOLDS_S
    renew_every_s: float = 8.0
    try_again_s: float = 1.0
    look_every_s: float = 2.5


class Lease:
    """This process's part in the lease. It outlives DedupStore's incarnations.

    Args:
        duty: on while the lease is held.
        alone_since: when no other process was there (monotonic seconds), if there was such a time:
            whoever has not renewed the lease since is dead, and need not be waited for.
        times: for tests, which do not wait so long.

    Attributes:
        is_heard: whether other processes can be heard when they give the lease up.
    """

    def __init__(
        self,
        duty: Duty,
        *,
        alone_since: float | None = None,
        times: LeaseTimes = LeaseTimes(),
    ) -> None:
        self.duty = duty
        self.times = times
        self._alone_since = alone_since
        self.is_heard = False
        self._held = ""
        self._rung = False
        self._waiting: trio.CancelScope | None = None
        self._known = trio.Event()

    @property
    def token(self) -> str:
        """What the lease is held by; empty while it is not."""
        return self._held if self.duty.is_on else ""

    @property
    def lasts_s(self) -> float:
        """How long somebody's lease holds that is not renewed, in seconds."""
        if self._alone_since is None:
            return self.times.lasts_s
        return min(self.times.lasts_s, trio.current_time() - self._alone_since + _CLOCKS_APART_S)

    def holds(self, term: int | None) -> bool:
        """Whether what was asked on that duty may still be done; what has none always may."""
        return term is None or (self.duty.is_on and term == self.duty.term)

    def note_known(self) -> None:
        """The store said who leads."""
        self._known.set()

    async def wait_known(self) -> None:
        """Return once it is known that some process leads. Cancelled: nothing changes."""
        await self._known.wait()

    def take(self, token: str, until: float) -> None:
        """The lease is ours, until then (monotonic seconds)."""
        self._held = token
        self.duty.begin(until)

    def lose(self, token: str) -> None:
        """The store says that this lease is not ours any more."""
        if token and token == self._held:
            self._held = ""
            self.duty.end()

    def ring(self) -> None:
        """There is a reason to look at once who leads."""
        self._rung = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def wait(self, sleep: Callable[[float], Awaitable[None]], at_most_s: float) -> None:
        """Sleep so long, or until it rings, or not at all if it rang since the last time.

        If cancelled, only the waiting ends.
        """
        if not self._rung:
            with trio.CancelScope() as self._waiting:
                await sleep(at_most_s)
            self._waiting = None
        self._rung = False

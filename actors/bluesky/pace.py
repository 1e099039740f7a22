"""How long a poller waits from one look to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.bluesky.live_finds import LiveFinds
from runtime.actor import Context

SLOWER = 1.5
RESERVE = 0.5
"""With less than this share of what it may request left, nobody polls quicker than when idle."""
SAFETY_NET = 3.0
"""Who hears of posts at once looks so much more seldom whether any was missed."""


@dataclass(frozen=True, slots=True)
class Haste:
    """How much quicker than at the idle pace a poller may be.

    Args:
        shortest_s: the shortest wait in seconds; ``None``: the pace is always the idle one.
        spare: the share of the platform's budget that is left, from 0 to 1.
    """

    shortest_s: float | None = None
    spare: Callable[[], float] = lambda: 1.0


NO_HASTE = Haste()
"""The idle pace, whatever there is to do."""


class Pace:
    """The wait of one poller.

    A look that found something new is followed by the shortest wait: who has written once often
    goes on. One that found nothing makes the wait half as long again, up to the idle pace. With
    less than half of the budget left, the idle pace holds.

    Being throttled is not its affair: the actor backs off for as long as the server says, and the
    next incarnation begins at the idle pace.

    Args:
        idle_s: the configured interval; the pace begins there.
        heard: where LiveListener tells of all that the poller looks for; while it does, the poller
            is only a safety net, and waits :data:`SAFETY_NET` times the idle pace.
    """

    def __init__(
        self,
        idle_s: float,
        context: Context,
        haste: Haste = NO_HASTE,
        heard: LiveFinds | None = None,
    ) -> None:
        self._idle_s = idle_s
        self._context = context
        self._haste = haste
        self._heard = heard
        self._wait_s = idle_s

    @property
    def wait_s(self) -> float:
        """Seconds from the start of the last look to that of the next."""
        if self._heard is not None and self._heard.is_hearing:
            return self._idle_s * SAFETY_NET
        return self._wait_s

    def note(self, new: int) -> None:
        """A look is over that found so many new things."""
        shortest_s = self._haste.shortest_s
        spare = min(self._haste.spare(), self._context.spare())
        if shortest_s is None or spare < RESERVE:
            self._wait_s = self._idle_s
        elif new:
            self._wait_s = min(shortest_s, self._idle_s)
        else:
            self._wait_s = min(self._idle_s, self._wait_s * SLOWER)

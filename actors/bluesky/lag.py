"""How far a poller is behind, as ``/health`` shows it."""

from __future__ import annotations

from runtime.actor import Context
from runtime.clock import WallClock


class Lag:
    """The age of the oldest thing that waits in any of one actor's listings."""

    def __init__(self, context: Context, clock: WallClock) -> None:
        self._context = context
        self._clock = clock
        self._oldest: dict[str, float | None] = {}

    def tell(self, listing: str, oldest_s: float | None) -> None:
        """The oldest that waits in ``listing`` is of this unix time; ``None``: nothing waits."""
        self._oldest[listing] = oldest_s
        waiting = [one for one in self._oldest.values() if one is not None]
        self._context.lag(max(0.0, self._clock() - min(waiting)) if waiting else 0.0)

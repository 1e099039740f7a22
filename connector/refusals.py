"""What the door turned away: all of it is counted, some of it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import trio

from runtime.context import EventLog

TELL_EVERY_S = 60.0


class Refusals:
    """Counts each refusal by its reason, and logs each reason once in :data:`TELL_EVERY_S`.

    An attack must not fill the log.

    Args:
        count: counts one by its reason.
        log: told how many there were since it was told last, and whence the latest one came.
    """

    def __init__(self, count: Callable[[str], None], log: EventLog) -> None:
        self._count = count
        self._log = log
        self._untold: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}

    def note(self, reason: str, address: str) -> None:
        """Something from this address was refused for this reason."""
        self._count(reason)
        self.tell(reason, address)

    def tell(self, reason: str, address: str) -> None:
        """The same, for what somebody else has counted."""
        self._untold[reason] += 1
        now = trio.current_time()
        if now - self._told_at.get(reason, float("-inf")) < TELL_EVERY_S:
            return
        self._told_at[reason] = now
        self._log.warning(
            "refused at the door", reason=reason, count=self._untold.pop(reason), latest=address
        )

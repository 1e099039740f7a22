"""Times in which webhooks could not be taken in: what Genesys was refused too often it gives up."""

from __future__ import annotations

import trio

from actors.store import Value
from runtime.clock import WallClock

MISSED_SINCE = "webhooks_missed_since"
"""The cursor that says, in unix seconds, since when webhooks may have been missed. Whoever notices
a gap keeps it; the earliest counts, until somebody begins to look for what was missed."""

SHORTEST_S = 20.0
"""A shorter gap loses nothing: from the first delivery to the last retry it takes 25 s at least."""


def make_missed_since(since: float) -> Value:
    """What to keep about a gap that began then, in unix seconds."""
    return Value("cursor", MISSED_SINCE, f"{since:.6f}", earliest=True)


class WebhookGap:
    """Notices that this process has to refuse webhooks, and that it takes them in again.

    Shared by the units of WebhookReceiver. It belongs to whoever puts the house together, and
    outlives the incarnations of the actor. That no process was there at all, others notice.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._began_at: float | None = None
        self._changed = trio.Event()

    @property
    def is_open(self) -> bool:
        """Whether a webhook was refused, and none taken in since."""
        return self._began_at is not None

    @property
    def missed_since(self) -> float | None:
        """When the gap began, in unix seconds, if it is open for so long that it lost something."""
        began_at = self._began_at
        lasts = began_at is not None and self._clock() - began_at > SHORTEST_S
        return began_at if lasts else None

    def begin(self, came_at: float) -> None:
        """A webhook that came then, in unix seconds, was refused."""
        if self._began_at is None:
            self._began_at = came_at
            self._changed.set()

    def end(self, *, tell: bool) -> None:
        """Webhooks are taken in. ``tell`` that the store knows now of a gap to look into."""
        self._began_at = None
        if tell:
            self._changed.set()

    @property
    def has_changed(self) -> bool:
        """Whether there is something to look at since :meth:`take_note`."""
        return self._changed.is_set()

    def take_note(self) -> None:
        """Whatever there is to look at is looked at now."""
        self._changed = trio.Event()

    async def wait_changed(self) -> None:
        """Return once :attr:`has_changed`. Cancelled: nothing changes."""
        await self._changed.wait()

"""Times in which webhooks could not be taken in: what Genesys was refused too often it gives up."""

from __future__ import annotations

import math

import trio

from actors.store import Store, Value
from runtime.clock import WallClock

MISSED_SINCE = "webhooks_missed_since"
"""The cursor that says, in unix seconds, since when webhooks may have been missed. Whoever notices
a gap keeps it; the earliest counts, until somebody begins to look for what was missed."""

RECONCILING_SINCE = "webhooks_reconciling_since"
"""The cursor that stands for :data:`MISSED_SINCE` while it is looked into, so that a further gap
in the meantime is a further one."""

RETRIES_S = 120.0
"""How long before a gap a message may have been sent whose last retry fell into it."""

UNSURE_S = 120.0
"""So long after its first webhook a process that does not lead reckons with a gap before it."""

SHORTEST_S = 20.0
"""A shorter gap loses nothing: from the first delivery to the last retry it takes 25 s at least."""


def make_missed_since(since: float) -> Value:
    """What to keep about a gap that began then, in unix seconds."""
    return Value("cursor", MISSED_SINCE, f"{since:.6f}", earliest=True)


async def find_missed_since(store: Store) -> float | None:
    """Since when there is something to look for, in unix seconds, by either cursor.

    What is no number is as long ago as can be: then the window decides.

    Raises:
        StoreUnavailable: the store is away.
    """
    texts = [await store.read("cursor", name) for name in (MISSED_SINCE, RECONCILING_SINCE)]
    return min((_read_time(text) for text in texts if text is not None), default=None)


def _read_time(text: str) -> float:
    try:
        since = float(text)
    except ValueError:
        return 0.0
    return since if math.isfinite(since) else 0.0


class WebhookGap:
    """Notices that this process has to refuse webhooks, and that it takes them in again.

    Shared by the units of WebhookReceiver. It belongs to whoever puts the house together, and
    outlives the incarnations of the actor. That no process was there at all, others notice.
    """

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._began_at: float | None = None
        self._changed = trio.Event()
        self._unsure_until: float | None = None
        self._known: set[str] = set()

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
        if self.missed_since is not None:
            self._unsure_until = math.inf
            self._known.clear()
        self._began_at = None
        if tell:
            self._changed.set()

    def may_hide(self, conversation_id: str) -> bool:
        """Whether something of this Genesys conversation may have been missed and not be known."""
        if self._unsure_until is None:
            self._unsure_until = self._clock() + UNSURE_S
        if self.missed_since is not None:
            return True
        return self._clock() < self._unsure_until and conversation_id not in self._known

    def note_known(self, conversation_id: str) -> None:
        """All that was missed in this conversation is recorded."""
        self._known.add(conversation_id)

    def close(self) -> None:
        """All that was missed is known, unless there is something new to look at."""
        if self.has_changed:
            return
        self._unsure_until = -math.inf
        self._known.clear()

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

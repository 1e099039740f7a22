"""Waiting for something to happen on the network."""

from __future__ import annotations

import trio


class Changes:
    """Counts what happened, so that nobody has to poll and nobody misses anything."""

    def __init__(self) -> None:
        self._count = 0
        self._happened = trio.Event()

    @property
    def count(self) -> int:
        """How many changes there were so far."""
        return self._count

    def notify(self) -> None:
        """Something changed: everybody who waits goes on."""
        self._count += 1
        happened, self._happened = self._happened, trio.Event()
        happened.set()

    async def wait(self, seen: int) -> int:
        """Wait until there were more than ``seen`` changes; returns how many there were.

        Returns at once if there were. Cancellation loses nothing: ask again with the same number.
        """
        while self._count <= seen:
            await self._happened.wait()
        return self._count

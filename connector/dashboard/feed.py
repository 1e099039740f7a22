"""One picture for all who look: drawn while somebody does, and sent when it has changed."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable

import trio

from runtime.context import EventLog

MOST_VIEWERS = 16
LOOK_EVERY_S = 0.5
"""How soon a change is seen, in seconds."""

LASTS_S = 20.0
"""How long a viewer is served before the browser has to come again, in seconds. Less than the time
after which a connection counts as silent."""

_COME_AGAIN_MS = 100


class TooManyViewers(Exception):
    """All places are taken."""


class Feed:
    """What viewers see, as server-sent events. A slow viewer misses pictures, and holds up nobody.

    Args:
        draw: draws all parts of the picture, each as JSON. Called without waiting.
        log: told of a picture that could not be drawn, which is no reason to end the process.
    """

    def __init__(self, draw: Callable[[], dict[str, str]], log: EventLog) -> None:
        self._draw = draw
        self._log = log
        self._parts: dict[str, str] = {}
        self._viewers = 0
        self._changed = trio.Event()
        self._watched = trio.Event()
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many look."""
        return self._viewers

    async def run(self) -> None:
        """Draw for ever, while somebody looks. If cancelled, nobody is served any more."""
        try:
            while True:
                await self._watched.wait()
                self._look()
                await trio.sleep(LOOK_EVERY_S)
        finally:
            self._closed = True
            self._changed.set()

    async def watch(self, may_look: Callable[[], bool]) -> AsyncGenerator[str, None]:
        """The events for one viewer: each part as it is, and again when it has changed.

        Ends after :data:`LASTS_S`, when ``may_look`` says no, and with the feed.

        Raises:
            TooManyViewers: before the first event.
        """
        until = trio.current_time() + LASTS_S
        seen: dict[str, str] = {}
        self.enter()
        try:
            yield f"retry: {_COME_AGAIN_MS}\n\n"
            self._look()
            while not self._closed and may_look() and trio.current_time() < until:
                changed = self._changed
                for name, part in self._parts.items():
                    if seen.get(name) != part:
                        seen[name] = part
                        yield f"event: {name}\ndata: {part}\n\n"
                with trio.move_on_at(until):
                    await changed.wait()
        finally:
            self.leave()

    def enter(self) -> None:
        """Take a place.

        Raises:
            TooManyViewers: there is none.
        """
        if self._viewers >= MOST_VIEWERS:
            raise TooManyViewers
        self._viewers += 1
        self._watched.set()

    def leave(self) -> None:
        """Give the place back."""
        self._viewers -= 1
        if not self._viewers:
            self._watched = trio.Event()

    def _look(self) -> None:
        try:
            parts = self._draw()
        except Exception as error:  # noqa: BLE001 - told; those who look see the picture before
            self._log.error("dashboard not drawn", why=repr(error))
            return
        if parts != self._parts:
            self._parts = parts
            self._changed.set()
            self._changed = trio.Event()


class Throughput:
    """How much was done in the last minute, from counters that are looked at now and then.

    As long as nobody looked a minute ago, it is what was done since somebody first looked.
    """

    def __init__(self) -> None:
        self._samples: dict[str, list[tuple[float, int]]] = {}

    def count(self, name: str, handled: int) -> int:
        """How many of those handled were handled in the last minute."""
        now = trio.current_time()
        samples = self._samples.setdefault(name, [])
        if not samples or math.floor(samples[-1][0]) != math.floor(now):
            samples.append((now, handled))
        while len(samples) > 1 and samples[1][0] <= now - 60.0:
            samples.pop(0)
        if samples[0][0] < now - 61.0:
            # Nobody looked for a while.
            samples[:] = [(now, handled)]
        return handled - samples[0][1]

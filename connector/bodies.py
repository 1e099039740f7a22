"""The bodies of requests that are in memory before anybody knows whether they are worth it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Body:
    """One body while it comes in, and until its request is answered."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.scope = trio.CancelScope()
        self.size = 0
        self.is_whole = False
        self.is_dropped = False
        self._content = bytearray()

    def add(self, data: bytes) -> None:
        """Keep more of it. Whichever body is dropped to make room, this may be the one."""
        self._content += data
        self._bodies.grow(self, len(data))

    def take(self) -> bytes:
        """The content, which is not kept here any longer; its size still counts."""
        content = bytes(self._content)
        self._content = bytearray()
        return content

    def drop(self) -> None:
        """Forget it, and stop whoever reads it."""
        self.is_dropped = True
        self._content = bytearray()
        self.scope.cancel()


class Bodies:
    """All of them, together never more than so many bytes.

    When there is no room, the largest one that is not whole yet is dropped: a small one, which
    comes whole at once, finds room however many large ones come slowly.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: set[Body] = set()
        self._bytes = 0

    @contextmanager
    def hold(self) -> Iterator[Body]:
        """A place for one body, until the block ends."""
        body = Body(self)
        self._held.add(body)
        try:
            yield body
        finally:
            self._held.discard(body)
            self._resize(body, 0)

    def grow(self, body: Body, count: int) -> None:
        """Count more of it. Unfinished bodies are dropped, the largest first, until all fit."""
        self._resize(body, body.size + count)
        while self._bytes > self._most_bytes:
            unfinished = (one for one in self._held if not one.is_whole and one.size)
            largest = max(unfinished, key=lambda one: one.size, default=None)
            if largest is None:
                return
            self._resize(largest, 0)
            largest.drop()

    def _resize(self, body: Body, size: int) -> None:
        self._bytes += size - body.size
        body.size = size

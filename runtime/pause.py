"""Holding an actor back because a person wants it: it takes nothing new until it is resumed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import trio


class Pause:
    """Whether one actor is paused.

    Passed in by whoever puts the house together; it outlives every incarnation and every duty.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._scopes: set[trio.CancelScope] = set()
        self._changed = trio.Event()

    def begin(self) -> None:
        """Hold the actor back from now on. What it has in hand it finishes."""
        if not self.is_on:
            self._change(is_on=True)
            for scope in self._scopes:
                scope.cancel()

    def end(self) -> None:
        """Let it go on."""
        if self.is_on:
            self._change(is_on=False)

    def _change(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._changed.set()
        self._changed = trio.Event()

    @contextmanager
    def interrupts(self) -> Iterator[trio.CancelScope]:
        """A block that is cancelled when a pause begins; at once if there is one."""
        with trio.CancelScope() as scope:
            if self.is_on:
                scope.cancel()
            self._scopes.add(scope)
            try:
                yield scope
            finally:
                self._scopes.remove(scope)

    async def wait_begun(self) -> None:
        """Return once there is a pause, at once if there is one. Cancelled: nothing changes."""
        while not self.is_on:
            await self._changed.wait()

    async def wait_over(self) -> None:
        """Return once there is no pause, at once if there is none. Cancelled: nothing changes."""
        while self.is_on:
            await self._changed.wait()


class Pauses:
    """The pauses of all actors, by their names.

    Those that are kept outlive the process and hold for every process: somebody reads which they
    are, and says so by :meth:`follow`.
    """

    def __init__(self) -> None:
        self._pauses: dict[str, Pause] = {}
        self._kept: set[str] = set()

    def make(self, name: str, *, kept: bool = True) -> Pause:
        """The pause of an actor. One that is not kept ends with the process."""
        if kept:
            self._kept.add(name)
        return self._pauses.setdefault(name, Pause())

    def find(self, name: str) -> Pause | None:
        """The pause of the actor of this name, if there is such an actor."""
        return self._pauses.get(name)

    def is_kept(self, name: str) -> bool:
        """Whether a pause of this actor outlives the process."""
        return name in self._kept

    def follow(self, names: Collection[str]) -> None:
        """Of the pauses that are kept let these be on, and no others. Unknown names do nothing."""
        for name in self._kept:
            if name in names:
                self._pauses[name].begin()
            else:
                self._pauses[name].end()

"""The right to act, where of several processes only one may: held for a while, and renewed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Duty:
    """Whether this process is on duty, and until when. Times are monotonic seconds.

    Whatever may be done on duty only is done in a :meth:`scope`. A scope has the end of the duty
    as its deadline, so it is cancelled by the clock and not by somebody who must get to run first:
    a process that stood still past the end finds its scopes cancelled before it does anything.

    It is passed in by whoever puts the house together, and outlives every incarnation.

    Attributes:
        term: the number of this duty, or of the last one: each begins with a new one.
    """

    def __init__(self) -> None:
        self.term = 0
        self._until = float("-inf")
        self._scopes: set[trio.CancelScope] = set()
        self._begun = trio.Event()
        self._vacated = trio.Event()

    @property
    def is_on(self) -> bool:
        """Whether the process is on duty now."""
        return trio.current_time() < self._until

    def begin(self, until: float) -> None:
        """Be on duty until then. Nobody may be left in a scope of the duty before this one."""
        if self._scopes:
            raise RuntimeError("the duty before this one is not vacated yet")
        self.term += 1
        self._until = until
        self._begun.set()
        self._begun = trio.Event()

    def extend(self, until: float) -> None:
        """Be on duty until then, if the process still is. Never shortens."""
        if self.is_on:
            self._until = max(self._until, until)
            for scope in self._scopes:
                scope.deadline = self._until

    def end(self) -> None:
        """Be off duty from now on: all scopes are cancelled."""
        self._until = float("-inf")
        for scope in self._scopes:
            scope.cancel()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A block that is cancelled when the duty ends; at once if it is not on."""
        with trio.CancelScope(deadline=self._until) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.remove(scope)
                if not self._scopes:
                    self._vacated.set()
                    self._vacated = trio.Event()

    async def wait_on(self) -> None:
        """Return once the process is on duty, at once if it is. Cancelled: nothing changes."""
        while not self.is_on:
            await self._begun.wait()

    async def wait_vacated(self) -> None:
        """Return once nobody is in a scope any more. Cancelled: nothing changes."""
        while self._scopes:
            await self._vacated.wait()

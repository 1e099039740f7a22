"""A small memory of what was done lately."""

from __future__ import annotations

from collections.abc import Iterable

_SIXTY_BITS = (1 << 60) - 1


class Recent:
    """Remembers the last ``capacity`` texts that were added or asked for, and some before them.

    It is given to an actor, and where it belongs to whoever puts the house together it outlives
    the actor's incarnations. What it has forgotten is done or asked again, so it may only save
    work, never decide.

    What is kept of a text is 60 bits of its hash, which is another one in every process: a text
    that it does not know is taken for one of those that it knows once in some 10^13 times. Whole
    texts would be most of what a busy connector has in memory. For the same reason it forgets
    ``capacity`` at once, and does not keep the order of all. A text takes 60 bytes.
    """

    def __init__(self, capacity: int = 5000) -> None:
        self._capacity = capacity
        # Of so many a dictionary takes half as much memory as a set.
        self._newer: dict[int, None] = {}
        self._older: dict[int, None] = {}

    def add(self, texts: Iterable[str]) -> None:
        """Remember these, forgetting those that were not used for longest if there is no room."""
        for text in texts:
            self._use(_shorten(text))

    def discard(self, text: str) -> None:
        """Forget this, if it is remembered."""
        short = _shorten(text)
        self._newer.pop(short, None)
        self._older.pop(short, None)

    def __contains__(self, text: str) -> bool:
        short = _shorten(text)
        if short in self._newer:
            return True
        if short in self._older:
            self._use(short)
            return True
        return False

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def _use(self, short: int) -> None:
        self._older.pop(short, None)
        self._newer[short] = None
        if len(self._newer) >= self._capacity:
            self._newer, self._older = {}, self._newer


def _shorten(text: str) -> int:
    # All 64 bits would take half as much memory again.
    return hash(text) & _SIXTY_BITS

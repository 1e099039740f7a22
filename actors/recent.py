"""A small memory of what was done lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable


class Recent:
    """Remembers the texts that were added or asked for last, at most ``capacity`` of them.

    It is given to an actor, and where it belongs to whoever puts the house together it outlives
    the actor's incarnations. What it has forgotten is done or asked again, so it may only save
    work, never decide.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._texts: OrderedDict[str, None] = OrderedDict()

    def add(self, texts: Iterable[str]) -> None:
        """Remember these, forgetting those that were not used for longest if there is no room."""
        for text in texts:
            self._texts[text] = None
            self._texts.move_to_end(text)
        while len(self._texts) > self._capacity:
            self._texts.popitem(last=False)

    def __contains__(self, text: str) -> bool:
        if text not in self._texts:
            return False
        self._texts.move_to_end(text)
        return True

    def __len__(self) -> int:
        return len(self._texts)

"""A small memory of what was done lately."""

from __future__ import annotations

from collections import OrderedDict


class Recent:
    """Remembers the texts that were added or asked for last, at most ``capacity`` of them.

    It belongs to whoever puts the house together, and outlives the incarnations of its actor. What
    it has forgotten is done again, so it may only save work, never decide.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._texts: OrderedDict[str, None] = OrderedDict()

    def add(self, text: str) -> None:
        """Remember a text, forgetting the one that was not used for longest if there is no room."""
        self._texts[text] = None
        self._texts.move_to_end(text)
        if len(self._texts) > self._capacity:
            self._texts.popitem(last=False)

    def __contains__(self, text: str) -> bool:
        if text not in self._texts:
            return False
        self._texts.move_to_end(text)
        return True

    def __len__(self) -> int:
        return len(self._texts)

"""Ids that are known to be recorded, so that the store need not be asked again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable


class KnownIds:
    """The last ``capacity`` ids added. Forgetting one costs a question, never a message."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, ids: Iterable[str]) -> None:
        """Remember these as the newest."""
        for one in ids:
            self._ids[one] = None
            self._ids.move_to_end(one)
        while len(self._ids) > self._capacity:
            self._ids.popitem(last=False)

    def __contains__(self, one: str) -> bool:
        return one in self._ids

    def __len__(self) -> int:
        return len(self._ids)

"""Which items are being recorded, so that each recording is told once and before the delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Recording:
    """``asked_at``: the earliest of those who ask, in unix seconds."""

    asked_at: float
    askers: int = 0
    told: bool = False


class UnderWay:
    """Remembers the items of the requests that are with the store.

    Two units ask at once, and the one may hear of an item's delivery before the other hears of
    its recording.
    """

    def __init__(self) -> None:
        self._recordings: dict[str, _Recording] = {}

    def begin(self, item_ids: Iterable[str], asked_at: float) -> None:
        """A request with these is about to be sent."""
        for item_id in item_ids:
            recording = self._recordings.setdefault(item_id, _Recording(asked_at))
            recording.askers += 1

    def end(self, item_ids: Iterable[str]) -> None:
        """It has been answered, or will not be."""
        for item_id in item_ids:
            recording = self._recordings[item_id]
            recording.askers -= 1
            if not recording.askers:
                del self._recordings[item_id]

    def tell(self, item_id: str, recorded_at: float) -> bool:
        """Whether this recording is one of those under way, and untold; from now on it is told."""
        recording = self._recordings.get(item_id)
        if recording is None or recording.told or recorded_at < recording.asked_at:
            return False
        recording.told = True
        return True

"""Where a poller stands in a listing, as it is kept in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from pydantic import TypeAdapter, ValidationError

from actors.bluesky.listing import Walk
from actors.store import SEEN_KEEP_S

TRUSTED_FOR_S = SEEN_KEEP_S / 2
"""This leaves room for ids that were marked earlier than the rest."""
RECENT_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Place:
    """All times are unix seconds on the listing's own time line.

    Attributes:
        since: what was there before is not ours: the first start, less the look-back.
        watermark: everything listed up to here is recorded; ``None`` until the first whole sweep.
        floor: nothing at or below it is new, though it may be unseen; ``None`` if there is no
            such depth.
        marked_at: when all that is listed above the floor was last known to be marked as seen.
    """

    since: float
    watermark: float | None = None
    floor: float | None = None
    marked_at: float = 0.0

    @property
    def reached_s(self) -> float:
        """What is listed up to here is recorded, or is not ours."""
        return self.since if self.watermark is None else self.watermark

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read what :meth:`dump` wrote; ``None`` if there is nothing, or nothing readable."""
        try:
            return None if text is None else TypeAdapter(cls).validate_json(text)
        except ValidationError:
            return None

    def dump(self) -> str:
        """Write it as JSON."""
        return TypeAdapter(dict[str, float | None]).dump_json(asdict(self)).decode()

    def is_new(self, time_s: float, now_s: float) -> bool:
        """Whether an unseen item of this time has arrived since the first start.

        Times do not tell when an item *arrived*: a backdated one turns up in the past, and is new
        because its id is not marked. Only at the first sweep, below the floor, and when the marks
        are too old to rely on, does time decide.
        """
        if self.watermark is None:
            return time_s > self.since
        if now_s - self.marked_at > TRUSTED_FOR_S and time_s <= self.watermark:
            return False
        return self.floor is None or time_s > self.floor


def move_place(
    place: Place, walk: Walk, now_s: float, *, missed: Sequence[float], lasting: bool
) -> Place:
    """The place after a sweep.

    Args:
        missed: the times of the posts that were listed, but not fetched.
        lasting: whether what turns up late is wanted however late it is, so that the marks of
            all that is listed are kept.
    """
    watermark = _find_watermark(place, walk, now_s, missed)
    moved = replace(place, watermark=watermark)
    if not lasting:
        floor_s = max(place.since, watermark - RECENT_S)
        return place if moved == place else replace(moved, floor=floor_s, marked_at=now_s)
    if not walk.marking:
        return moved
    depths = [one for one in (place.floor, walk.oldest_s) if one is not None]
    return replace(moved, floor=None if walk.ended else max(depths, default=None), marked_at=now_s)


def _find_watermark(place: Place, walk: Walk, now_s: float, missed: Sequence[float]) -> float:
    """The newest time that was listed, but below all that is still to come.

    A listed time may lie ahead of our clock, but a watermark there would stop the sweeps short.
    What was missed below the old watermark is found again as it was this time.
    """
    newest_s = place.reached_s if walk.newest_s is None else max(place.reached_s, walk.newest_s)
    to_come = [one - 0.001 for one in missed if one > place.reached_s]
    if walk.oldest_dropped_s is not None:
        to_come.append(walk.oldest_dropped_s - 0.001)
    return min(newest_s, now_s, *to_come)

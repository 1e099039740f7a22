"""Where a poller stands in a listing, as it is kept in the store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

from pydantic import TypeAdapter, ValidationError

TRUSTED_FOR_S = 15 * 86_400.0
"""The store forgets an id 30 days after it was last marked; this leaves room for those that were
marked earlier than the rest."""


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

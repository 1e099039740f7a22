"""Where DMPoller stands in the chat log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the poller stands in the log, as it is kept in the store.

    Attributes:
        since: unix time; what was sent before is not ours.
        cursor: of ``chat.bsky.convo.getLog``; ``None`` until the look-back is recorded.
        saved_at: unix time of the last move.
        accepting: requests whose messages are recorded, still to be accepted.
        reading: conversations still to be marked as read, each with its last recorded message.
    """

    since: float
    cursor: str | None = None
    saved_at: float = 0.0
    accepting: tuple[str, ...] = ()
    reading: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read what :meth:`dump` wrote; ``None`` if there is nothing, or nothing readable."""
        try:
            return None if text is None else TypeAdapter(cls).validate_json(text)
        except ValidationError:
            return None

    def dump(self) -> str:
        """Write it as JSON."""
        return TypeAdapter(dict[str, Any]).dump_json(asdict(self)).decode()

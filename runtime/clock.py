"""Wall-clock time. It is always passed in; monotonic time is :func:`trio.current_time`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

WallClock: TypeAlias = Callable[[], float]
"""Unix time in seconds, as :func:`time.time`."""


def format_time(unix_s: float) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-01-01T00:00:00.000Z``."""
    moment = datetime.fromtimestamp(unix_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Unix seconds of an RFC 3339 time.

    Raises:
        ValueError: if it is no such time, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()

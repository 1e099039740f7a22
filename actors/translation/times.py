"""Times that other people's clocks wrote."""

from __future__ import annotations

from runtime.clock import parse_time

_LAST_S = 253_402_300_799.0
"""The end of the year 9999, beyond which no time can be written."""


def find_time(text: object) -> float | None:
    """Unix seconds of an RFC 3339 time; ``None`` if it is none.

    What lies before 1970 is taken for 1970: a clock so wrong says nothing, but must not stop a
    message.
    """
    try:
        moment = parse_time(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else min(max(0.0, moment), _LAST_S)

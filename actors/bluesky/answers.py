"""Reading what the pollers' queries answer."""

from __future__ import annotations

from actors.messages import Json
from runtime.errors import Malformed


def read_list(answer: Json, key: str) -> list[object]:
    """The list that an answer promises under ``key``.

    Raises:
        Malformed: there is none.
    """
    values = answer.get(key)
    if not isinstance(values, list):
        raise Malformed(f"the answer has no list of {key}")
    return values


def read_cursor(answer: Json) -> str | None:
    """The cursor of an answer; an empty one is none."""
    cursor = answer.get("cursor")
    return cursor if isinstance(cursor, str) and cursor else None

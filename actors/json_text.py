"""JSON, read and written quickly wherever that makes no difference.

pydantic's own reader and writer take half the time or less. Where they give up, for half a
surrogate pair or for nesting that is deep, Python's own decide what becomes of it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

_NOT_FINITE = (b"NaN", b"Infinity")


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 (whatever was written)
    """As pydantic reads it, but what is read is kept by nobody else.

    By default it would remember the last 16,000 short texts, in case they come again. Here few
    do, but for the names of fields: so that is 2 MB, and takes half as long again.

    Raises:
        ValueError: it is no JSON, or there is half a surrogate pair in it, or it is deep.
    """
    return from_json(text, cache_strings="keys")


def read_json(text: str) -> Any:  # noqa: ANN401 (whatever was written)
    """As :func:`json.loads`.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        return parse_json(text)
    except (ValueError, TypeError):
        return json.loads(text)


def write_json(value: object) -> str:
    """As :func:`json.dumps`, compact, and with all characters as they are.

    Raises:
        TypeError, ValueError: it is nothing that JSON has, such as a number that is not finite.
    """
    try:
        written = to_json(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        return _write_plainly(value)
    if any(one in written for one in _NOT_FINITE):
        # Or these are somebody's words, which stay the same.
        return _write_plainly(value)
    return written.decode()


def write_body(value: object) -> bytes:
    """JSON to be sent. What has no encoding is escaped, so that no text is impossible to send.

    Raises:
        TypeError, ValueError: it is nothing that JSON has.
    """
    try:
        return to_json(value)
    except PydanticSerializationError:
        return json.dumps(value, allow_nan=False).encode()


def _write_plainly(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

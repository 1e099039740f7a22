"""JSON from outside, read so that no two readers could understand it differently."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

MOST_DEPTH = 64
"""Deeper than any body of Genesys Cloud by far, and less deep than the parser can go."""

_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class UnreadableJson(ValueError):
    """It is not what we read. ``reason`` is one of few words, to be counted by."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason


def read_json(body: bytes) -> object:
    """Read JSON (RFC 8259) strictly, but for broken characters: they cost no message.

    They are replaced, and so are halves of surrogate pairs, which JSON can carry and UTF-8 cannot.

    Raises:
        UnreadableJson: ``not_json``; ``too_deep``; ``duplicate_key``, since one reader takes the
            first and another one the last; ``not_finite``, which JSON has no number for.
    """
    text = body.decode(errors="replace")
    _check_depth(text)
    data = _parse(text)
    if not _SURROGATE.search(text):
        return data
    whole = json.dumps(data, ensure_ascii=False).encode("utf-16", "surrogatepass")
    # Two keys that differed in such a half only are the same by now.
    return _parse(whole.decode("utf-16", "replace"))


def _check_depth(text: str) -> None:
    if text.count("{") + text.count("[") <= MOST_DEPTH:
        return
    depth = 0
    for match in _STRUCTURE.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise UnreadableJson("too_deep", f"it is nested more than {MOST_DEPTH} deep")
        elif match[0] in "]}":
            depth -= 1


def _parse(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_make_object,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
        )
    except UnreadableJson:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableJson("not_json", f"the body is not JSON: {error}") from error


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise UnreadableJson("duplicate_key", f"the key {twice[:60]!r} is there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableJson("not_finite", f"{name} is no number of JSON")


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableJson("not_finite", f"{text[:40]} is too large a number")
    return number

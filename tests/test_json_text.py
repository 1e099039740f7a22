"""JSON that is read and written quickly is the same that Python's own reader and writer make."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.json_text import parse_json, read_json, write_body, write_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner)
)


def plainly(value: object) -> object:
    """What Python's own writer makes of it, or the kind of error."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        return type(error)


def quickly(value: object) -> object:
    """What ours makes of it, or the kind of error."""
    try:
        return write_json(value)
    except (TypeError, ValueError) as error:
        return type(error)


def outcome(text: str, reader: object) -> object:
    """What a reader makes of a text, or the kind of error."""
    assert callable(reader)
    try:
        return repr(reader(text))
    except (ValueError, RecursionError) as error:
        return ValueError if isinstance(error, ValueError) else RecursionError


@given(VALUES)
def test_what_is_written_is_what_python_reads_and_would_have_refused(value: object) -> None:
    """Numbers that are not finite are refused by both; all else is read back as it was."""
    ours, plain = quickly(value), plainly(value)

    if isinstance(plain, str) and isinstance(ours, str):
        assert repr(json.loads(ours)) == repr(json.loads(plain)) == repr(read_json(ours))
    else:
        assert ours is plain


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":NaN,"b":-Infinity}',
        '"half \\ud83d"',
        '"half \ud83d"',
        '{"n":' + "9" * 4000 + "}",
        '{"n":' + "9" * 5000 + "}",
        "1e400",
        "-0",
        '"a\x00b"',
        "[" * 150 + "]" * 150,
        "[" * 500 + "]" * 500,
        "[" * 100_000 + "]" * 100_000,
        "{'a':1}",
        "[1,]",
        "\ufeff{}",
        "",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_what_is_read_is_what_python_reads(text: str) -> None:
    """Doubled keys, odd numbers, halves of characters, deep nesting, and what is no JSON."""
    assert outcome(text, read_json) == outcome(text, json.loads)


@pytest.mark.parametrize("text", ["half \ud83d", "日本語 🎉", "NaN", "a\u2028b"])
def test_every_text_can_be_sent(text: str) -> None:
    """What has no encoding is escaped; the other side reads what was meant."""
    assert json.loads(write_body({"text": text})) == {"text": text}


@pytest.mark.parametrize("read", [read_json, parse_json])
def test_what_was_read_is_kept_by_nobody_else(read: Callable[[str], Any]) -> None:
    """Short texts neither: thousands of different ones come by for each that comes again."""
    text = read('["a text of some length"]').pop()
    mine_and_the_arguments = 2
    assert sys.getrefcount(text) == mine_and_the_arguments

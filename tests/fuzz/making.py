"""What inputs are made of."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=30,
)
"""Anything that JSON has, and numbers that it has not."""

_PIECES = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b"\\", b":", b",", b'"a"', b"1", b"1e999", b"NaN", b"-Infinity",
     b"null", b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b" ", b"/**/",
     b"\n", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000]
)  # fmt: skip
BYTES = st.binary(max_size=200) | st.lists(_PIECES, max_size=40).map(b"".join)
"""Anything at all, and what is nearly JSON."""

TEXTS = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [" ", "\n", "\r\n", "\x00", "\u00a0", "\u2028", "\ufeff", "\u202e", "🇩🇪", "e\u0301",
         "👨‍👩‍👧‍👦", "क्षि", "。",
         "\u0301" * 50, "x" * 250, "word " * 60, "https://example.com/" + "a" * 200,
         "@alice.example", "#tag", "a.", "(1/2)", "\u200d", "\ud800", "\udc00"]
    ) | st.text(max_size=5),
    max_size=20,
).map("".join)  # fmt: skip
"""Any text, half surrogate pairs included, of up to some thousand characters."""

ODD: st.SearchStrategy[Any] = VALUES | st.sampled_from(
    ["\ud800", {"$type": "\udfff"}, [[]], {"uri": "\ud83d"}, 10**400, "did:plc:x", "at://",
     "9999-12-31T23:59:60Z", "0000-00-00", "https://[::1", "x" * 5000]
)  # fmt: skip


def make_bytes(text: str) -> bytes:
    """Of any text, so that :func:`make_text` gives it again."""
    return text.encode("utf-8", "surrogatepass")


def make_text(data: bytes) -> str:
    """Of any bytes, as far as they are one."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


@st.composite
def mutate(draw: st.DrawFn, samples: list[Any]) -> bytes:
    """One of the samples as JSON, with something odd at one to three places in it."""
    value = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 3))):
        value = _put_in(draw, value)
    return json.dumps(value).encode()


def _put_in(draw: st.DrawFn, value: Any) -> Any:  # noqa: ANN401 (JSON)
    """The value with something odd at one place in it; the rest is shared with the original."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(ODD)
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _put_in(draw, value[at]), *value[at + 1 :]]
    key = draw(st.sampled_from(sorted(value)))
    if draw(st.integers(0, 9)) == 0:
        return {name: one for name, one in value.items() if name != key}
    return {**value, key: _put_in(draw, value[key])}

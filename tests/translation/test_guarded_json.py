"""JSON that only has one meaning is read; no other is."""

from __future__ import annotations

import json
import time

import pytest

from actors.translation.guarded_json import MOST_DEPTH, UnreadableJson, read_json


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 1}', "duplicate_key"),
        (b'{"x": [{"a": 1, "b": 2, "a": 3}]}', "duplicate_key"),
        (b'{"\\ud800": 1, "\\ud801": 2}', "duplicate_key"),
        (b'{"\xff": 1, "\xfe": 2}', "duplicate_key"),
        (b'{"a": NaN}', "not_finite"),
        (b'{"a": -Infinity}', "not_finite"),
        (b'{"a": 1e999}', "not_finite"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not_json"),
        (b'{"a": 1} {"b": 2}', "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1,}', "not_json"),
        (b'{"a": 1} // why', "not_json"),
        ('{"a": 1}'.encode("utf-16"), "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"", "not_json"),
    ],
)
def test_what_two_readers_may_read_differently_is_refused(body: bytes, reason: str) -> None:
    """Each with a word to count it by."""
    with pytest.raises(UnreadableJson) as caught:
        read_json(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_depth_is_refused_before_it_is_parsed(opening: bytes) -> None:
    """However deep, and whether or not it ends."""
    with pytest.raises(UnreadableJson) as caught:
        read_json(opening * 200_000)
    assert caught.value.reason == "too_deep"


def test_brackets_in_texts_are_no_depth() -> None:
    """An agent may write as many as they like."""
    text = "[{" * 500 + '\\"'
    assert read_json(json.dumps({"text": text}).encode()) == {"text": text}
    deep = b"[" * MOST_DEPTH + b"]" * MOST_DEPTH
    assert json.dumps(read_json(deep)).encode() == deep


@pytest.mark.parametrize("body", [b'"' * 2**20, b'"\\' * 2**19, b'{"a":1,' * 2**17, b"\\" * 2**20])
def test_no_body_takes_long(body: bytes) -> None:
    """A megabyte of whatever is looked at once, not again and again."""
    began = time.process_time()
    with pytest.raises(UnreadableJson):
        read_json(body)
    assert time.process_time() - began < 2.0


def test_broken_characters_cost_the_character() -> None:
    """And the rest is read."""
    assert read_json(b'{"a": "x\xffy"}') == {"a": "x�y"}
    assert read_json(b'{"a": "x\\ud83dy"}') == {"a": "x�y"}
    assert read_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}

"""Record keys are valid, plausible, and always the same for the same message and part."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.translation.record_key import is_made_key, make_record_key

TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


def read_key(key: str) -> tuple[int, int]:
    """The microsecond and the clock id that a TID stands for."""
    number = 0
    for letter in key:
        number = number * 32 + ALPHABET.index(letter)
    return number >> 10, number & 1023


@given(st.text(), st.integers(0, 1000))
def test_a_key_is_a_tid_of_the_year_2023(message_id: str, part: int) -> None:
    """Whatever the id looks like; never in the future."""
    key = make_record_key(message_id, part)
    assert TID.fullmatch(key)
    moment_us, clock_id = read_key(key)
    assert 1_672_531_200 <= moment_us / 1e6 < 1_704_067_200
    assert 0 <= clock_id < 1024


def test_keys_never_change() -> None:
    """A new release must find what an older one wrote."""
    message_id = "0b2e6d0a4c3f4f0bb1d5a8f39e7c6d22"
    keys = [make_record_key(message_id, part) for part in range(3)]
    assert keys == ["3k4jtrcw2m6dq", "3kckb7xc3dgza", "3k6g3y4ozwt3o"]


@given(st.sets(st.tuples(st.text(), st.integers(0, 20)), min_size=2, max_size=50))
def test_other_messages_and_parts_have_other_keys(wanted: set[tuple[str, int]]) -> None:
    """Also where one's id ends like another's part begins."""
    wanted |= {("1", 1), ("11", 1), ("1", 11), (":1", 1)}
    assert len({make_record_key(*one) for one in wanted}) == len(wanted)


def test_keys_use_the_whole_window() -> None:
    """Months and clock ids are all used, so that two messages hardly ever meet."""
    keys = [read_key(make_record_key(str(number), 0)) for number in range(20_000)]
    days = {int(moment_us / 86_400e6) for moment_us, _ in keys}
    assert len(days) == 365
    assert len({clock_id for _, clock_id in keys}) == 1024


@given(st.text(), st.integers(0, 20))
def test_a_made_key_is_known_again(message_id: str, part: int) -> None:
    """By nothing but the record: nobody need have noted that it was written."""
    key = make_record_key(message_id, part)
    assert is_made_key(key, created_s=1_790_000_000.0)


@pytest.mark.parametrize(
    ("key", "created_s"),
    [
        ("3k4jtrcw2m6dq", read_key("3k4jtrcw2m6dq")[0] / 1e6 + 2.0),
        ("3mz4jtrcw2m6d", 1_790_000_000.0),
        ("3jhzjtrcw2m6d", 1_790_000_000.0),
        ("self", 1_790_000_000.0),
        ("3k4jtrcw2m6d1", 1_790_000_000.0),
        ("3k4jtrcw2m6dqq", 1_790_000_000.0),
    ],
)
def test_what_an_app_wrote_has_no_made_key(key: str, created_s: float) -> None:
    """Also in 2023, when its key tells the moment at which it was written."""
    assert not is_made_key(key, created_s)

"""Times as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import format_time, parse_time


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    """RFC 3339, as both platforms write it."""
    assert format_time(1_767_268_800.5) == "2026-01-01T12:00:00.500Z"


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00.000+01:00", "2026-01-01T12:00:00.000000Z"],
)
def test_every_usual_form_is_read(text: str) -> None:
    """With and without fractions, in UTC and elsewhere."""
    assert parse_time(text) == 1_767_268_800


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T12:00:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A time without a zone is none: it could be anybody's."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive_the_round_trip(milliseconds: int) -> None:
    """What was written is read as the same millisecond."""
    assert round(parse_time(format_time(milliseconds / 1000)) * 1000) == milliseconds

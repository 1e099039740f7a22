"""Long texts are cut where a reader would cut them, and nothing but white space is lost."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from actors.translation.splitting import (
    DIRECT_MESSAGE,
    POST,
    Limit,
    Range,
    count_graphemes,
    split,
)

FAMILY = "👨‍👩‍👧‍👦"  # one grapheme cluster, 25 bytes
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        st.sampled_from([" ", "\n", "\r\n", "\u00a0", FAMILY, "🇩🇪", "é", "क्षि", "。", "x" * 9]),
    ),
    max_size=30,
).map("".join)
LIMITS = st.builds(Limit, st.integers(1, 12), st.integers(4, 60))


def cut(text: str, limit: Limit, keep_whole: list[Range] | None = None) -> list[str]:
    return [text[start:end] for start, end in split(text, limit, keep_whole or [])]


def check_cover(text: str, ranges: tuple[Range, ...]) -> None:
    """The parts are in order, do not overlap, and leave out nothing but white space."""
    place = 0
    for start, end in ranges:
        assert place <= start < end
        assert text[place:start].strip() == ""
        place = end
    assert text[place:].strip() == ""


@given(TEXTS, LIMITS)
@example("\u0301" * 40, Limit(5, 7))
@example(" \u0301" * 9, Limit(5, 7))
@example(FAMILY, Limit(1, 11))
def test_parts_fit_and_give_the_text_again(text: str, limit: Limit) -> None:
    """For any text of any script and any limit."""
    ranges = split(text, limit)
    check_cover(text, ranges)
    for start, end in ranges:
        part = text[start:end]
        assert count_graphemes(part) <= limit.graphemes
        assert len(part.encode()) <= limit.utf8_bytes


@given(TEXTS, LIMITS)
def test_no_cut_goes_through_a_cluster_that_fits(text: str, limit: Limit) -> None:
    """An emoji made of many characters stays one."""
    cuts = {place for borders in split(text, limit) for place in borders}
    for match in regex.finditer(r"\X", text):
        if len(match[0].encode()) <= limit.utf8_bytes:
            assert not cuts & set(range(match.start() + 1, match.end()))


@given(st.text(st.sampled_from("ab c。"), max_size=200), st.data())
def test_no_cut_goes_through_a_link_that_fits(text: str, data: st.DataObject) -> None:
    """As long as the range without white space is no longer than the limit."""
    words = [match.span() for match in regex.finditer(r"\S{1,10}", text)]
    keep = [word for word in words if data.draw(st.booleans())]
    cuts = {place for borders in split(text, Limit(10, 100), keep) for place in borders}
    for start, end in keep:
        assert not cuts & set(range(start + 1, end))


@given(st.text(st.sampled_from("ab "), max_size=200))
def test_words_that_fit_stay_whole(text: str) -> None:
    """In a text of words no longer than half of the limit, every cut is in white space."""
    words = regex.sub(r"\S{5}", lambda match: match[0] + " ", text)
    assert [word for part in cut(words, Limit(10, 100)) for word in part.split()] == words.split()


@given(st.text(st.sampled_from("ab 。"), max_size=60))
def test_a_text_that_fits_is_one_part(text: str) -> None:
    """Without the white space at its ends."""
    assert cut(text, POST) == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(("limit", "most"), [(POST, 300), (DIRECT_MESSAGE, 1000)])
def test_the_limits_are_those_of_the_lexicons(limit: Limit, most: int) -> None:
    """300 family emoji are 7500 bytes: the bytes decide before the graphemes do."""
    assert [len(part) for part in cut("a" * (most + 1), limit)] == [most, 1]
    parts = cut(FAMILY * most, limit)
    assert [count_graphemes(part) for part in parts[:-1]] == [most * 10 // 25] * (len(parts) - 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("aaaa bbbb cccc", ["aaaa bbbb", "cccc"]),
        ("aaaa bbbbb cccc", ["aaaa bbbbb", "cccc"]),
        ("aaaaa. bb cc", ["aaaaa. bb", "cc"]),
        ("aaaaaa. Bb cc", ["aaaaaa.", "Bb cc"]),
        ("aaaa.B bb cc", ["aaaa.B bb", "cc"]),
        ("(aaaa!) Bb cc", ["(aaaa!)", "Bb cc"]),
        ("aaaaaa? Bb cc", ["aaaaaa?", "Bb cc"]),
        ("aa. Bbbbbb cc", ["aa. Bbbbbb", "cc"]),
        ("aaaa\nbbbb cccc", ["aaaa\nbbbb", "cccc"]),
        ("aaaaaa\nbb cccc", ["aaaaaa", "bb cccc"]),
        ("今日は雨です。明日 晴れます", ["今日は雨です。", "明日 晴れます"]),
        ("aaaa\n\nbbbbbbbbbbbb", ["aaaa", "bbbbbbbbbb", "bb"]),
        ("aa bbbbbbbbbb cc", ["aa", "bbbbbbbbbb", "cc"]),
        ("aaaaaaaaaaaaaa", ["aaaaaaaaaa", "aaaa"]),
        ("私は猫である。名前はまだない。", ["私は猫である。", "名前はまだない。"]),
        ("私 は猫である。名前はまだない。", ["私 は猫である。", "名前はまだない。"]),
        ("10\u00a0000\u00a0EUR bis heute", ["10\u00a0000\u00a0EUR", "bis heute"]),
        ("aaaaaa bb\u00a0cc", ["aaaaaa", "bb\u00a0cc"]),
        ("\r\naaaa \t\r\n bbbbbbb\n", ["aaaa", "bbbbbbb"]),
    ],
)
def test_cuts_are_where_a_reader_expects_them(text: str, parts: list[str]) -> None:
    """At ten graphemes: sentences, white space, then East Asian stops, then anywhere."""
    assert cut(text, Limit(10, 100)) == parts


def test_a_range_that_is_too_long_starts_its_own_part() -> None:
    """And is cut only where it must be."""
    assert cut("see aaaaaaaaaaaa ok", Limit(10, 100), [(4, 16)]) == ["see", "aaaaaaaaaa", "aa ok"]
    assert cut("x。aaaaaaaaaaaa", Limit(10, 100), [(2, 14)]) == ["x。", "aaaaaaaaaa", "aa"]

"""Any text, cut into numbered posts: whole, within the limits, its facets where they belong."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.messages import Json
from actors.translation.facets import Link, Mention, Span, Tag, find_handles, find_spans
from actors.translation.plans import Part, clean_text, make_parts
from actors.translation.splitting import POST, count_graphemes

FAMILY = "👨‍👩‍👧‍👦"
PIECES = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=80, max_size=300),
    st.sampled_from(
        [
            *(" ", "\n", "\r\n", ". ", "! Next ", "。", "\u00a0", "\u0600", "(1/3)"),
            *(FAMILY * 30, "🇩🇪" * 20, "é" * 99, "क्षि" * 30, "\u0301" * 500, "word " * 50),
            *(" @alice.test ", " https://x.org/" + "a" * 90 + " ", " foo-bar.com/x ", " #tag "),
            " https://x.org/" + "ä" * 400 + " ",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=25).map("".join).map(clean_text)


def make_numbered(text: str) -> tuple[Part, ...]:
    dids = dict.fromkeys(find_handles(text), "did:plc:alice")
    return make_parts(text, POST, dids, numbered=True)


def remove_numbers(parts: tuple[Part, ...]) -> list[str]:
    if len(parts) < 2:
        return [part.text for part in parts]
    numbers = [f" ({number}/{len(parts)})" for number in range(1, len(parts) + 1)]
    for part, number in zip(parts, numbers, strict=True):
        assert part.text.endswith(number)
    return [part.text.removesuffix(one) for part, one in zip(parts, numbers, strict=True)]


def said(part: Part, facet: Json) -> str:
    index = facet["index"]
    return part.text.encode()[index["byteStart"] : index["byteEnd"]].decode()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("a" * 292 + "\u0600 " + "b" * 300)
@example(FAMILY * 240)
def test_numbered_parts_are_within_the_limits_and_rejoin(text: str) -> None:
    """Without the numbers they are the text, but for white space where it was cut."""
    parts = make_numbered(text)
    place = 0
    for shown in remove_numbers(parts):
        start = text.index(shown, place)
        assert text[place:start].strip() == ""
        place = start + len(shown)
    assert text[place:].strip() == ""
    for part in parts:
        assert count_graphemes(part.text) <= 300
        assert len(part.text.encode()) <= 3000


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_facets_of_numbered_parts_are_what_was_meant(text: str) -> None:
    """Each stands for a mention, a link or a tag of the whole text, in its order."""
    meant = iter(find_spans(text))
    span = next(meant, None)
    for part in make_numbered(text):
        for facet in part.facets:
            words = said(part, facet)
            while span is not None and not _fits(facet, words, span, text[span.start : span.end]):
                span = next(meant, None)
            assert span is not None


def _fits(facet: Json, words: str, span: Span, whole: str) -> bool:
    """A link that is longer than a post is cut, and each piece leads to the whole."""
    (feature,) = facet["features"]
    match span.feature:
        case Link(uri):
            return feature.get("uri") == uri and words in whole
        case Mention():
            return "did" in feature and words == whole
        case Tag(tag):
            return feature.get("tag") == tag and words == whole


@given(TEXTS)
def test_no_cut_goes_through_a_link_a_handle_or_an_emoji(text: str) -> None:
    """Unless it alone is longer than a post."""
    inside: set[int] = set()
    for match in regex.finditer(r"\X", text):
        if len(match[0].encode()) <= 2990:
            inside |= set(range(match.start() + 1, match.end()))
    for span in find_spans(text):
        shown = text[span.start : span.end]
        if count_graphemes(shown) <= 290 and len(shown.encode()) <= 2990:
            inside |= set(range(span.start + 1, span.end))
    place = 0
    for shown in remove_numbers(make_numbered(text)):
        start = text.index(shown, place)
        place = start + len(shown)
        assert not inside & {start, place}


def test_a_text_that_fits_has_no_number() -> None:
    """Not even one of exactly 300 characters."""
    assert [part.text for part in make_numbered("a" * 300)] == ["a" * 300]
    assert [part.text[-6:] for part in make_numbered("a" * 301)] == [" (1/2)", " (2/2)"]


@pytest.mark.parametrize(("parts", "digits"), [(9, 1), (10, 2), (99, 2), (100, 3)])
def test_wider_numbers_have_their_room(parts: int, digits: int) -> None:
    """The parts are full to the last grapheme, and no further."""
    room = 300 - len(" (/)") - 2 * digits
    made = make_numbered("a" * (room * parts))
    assert len(made) == parts
    assert made[-1].text.endswith(f" ({parts}/{parts})")
    assert {len(part.text) for part in made[-1:]} == {300}

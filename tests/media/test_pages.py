"""A page's card says what the page says of itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.media.pages import Page, read_page

URL = "https://shop.example/help/reset?x=1"


def read(text: str, charset: str | None = None, encoding: str = "utf-8") -> Page | None:
    return read_page(text.encode(encoding), charset, URL)


def test_open_graph_goes_before_the_rest() -> None:
    """Then Twitter's names, then plain HTML."""
    head = """<!doctype html><html><head><title>Plain</title>
    <meta name=description content="Plain words">
    <meta content='A &amp; B' property="og:title"><META NAME="twitter:title" CONTENT="T">
    <meta property='og:description' content='Said
       well'><meta property="og:image" content="/a.png">"""
    assert read(head) == Page("A & B", "Said well", "https://shop.example/a.png")
    assert read("<title>Plain</title><meta name=description content='Words'>") == Page(
        "Plain", "Words"
    )
    twitter = "<meta name=twitter:title content=T><meta name=twitter:image content=//cdn.example/p>"
    assert read(twitter) == Page("T", "", "https://cdn.example/p")


def test_the_title_is_that_of_the_page() -> None:
    """Not that of a drawing in it."""
    assert read("<body><svg><title>Icon</title></svg>Text") is None
    assert read("<html><head><title> A\n B </title></head><svg><title>I</title>") == Page("A B")


@pytest.mark.parametrize("text", ["", " ", "\0", "<", "no markup", "<html><head></head>",
                                  "<meta property=og:title>", "<title></title>", "{}"])  # fmt: skip
def test_a_page_without_a_title_has_no_card(text: str) -> None:
    """Whatever it is."""
    assert read(text) is None


@pytest.mark.parametrize(
    ("charset", "encoding", "meta"),
    [
        (None, "utf-8", ""),
        ("utf-8", "utf-8", ""),
        ("no-such", "utf-8", ""),
        ("ISO-8859-1", "cp1252", ""),
        (None, "cp1252", "<meta charset=windows-1252>"),
        ("shift_jis", "shift_jis", ""),
        (
            None,
            "shift_jis",
            "<meta http-equiv=content-type content='text/html; charset=shift_jis'>",
        ),
    ],
)
def test_it_is_read_in_its_own_encoding(charset: str | None, encoding: str, meta: str) -> None:
    """That of the header, or of the page, or UTF-8."""
    title = "日本語" if encoding == "shift_jis" else "Größe"
    assert read(f"{meta}<title>{title}</title>", charset, encoding) == Page(title)


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    """In the middle of a tag, or of a character."""
    whole = "<title>Größe</title><meta property=og:description content='ü"
    for length in range(len("<title>Größe</title>".encode()), len(whole.encode()) + 1):
        assert read_page(whole.encode()[:length], None, URL) is not None


def test_nothing_is_too_long() -> None:
    """A title fits a card."""
    page = read(f"<title>{'a' * 9000}</title><meta name=description content={'b' * 9000}>")
    assert page is not None
    assert (len(page.title), len(page.description)) == (300, 1000)


def test_a_picture_that_has_no_address_is_none() -> None:
    """A card without a picture is a card, too."""
    for picture in ("data:image/png;base64,AA", "javascript:x", "http://[", "/" + "a" * 9000):
        page = read(f"<title>T</title><meta property=og:image content='{picture}'>")
        assert page == Page("T")


@settings(max_examples=200, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                ["<title>", "</title>", "<meta ", "property=og:image ", "content='", "http://[",
                 "'>", "&#0;", "&#xD800;", "<svg>", "\0", "ü", "<?xml encoding='x'?>",
                 "<!DOCTYPE", "-->"]
            ),
            max_size=30,
        ).map(lambda bits: "".join(bits).encode()),
    ),
    charset=st.sampled_from(
        [None, "utf-8", "utf-16", "utf-7", "cp037", "rot13", "hex", "idna", "x y"]
    ),
)  # fmt: skip
def test_nothing_that_is_sent_as_a_page_is_a_crash(content: bytes, charset: str | None) -> None:
    """It has a title, or no card."""
    page = read_page(content, charset, URL)
    if page is not None:
        assert page.title
        page.title.encode()
        page.description.encode()

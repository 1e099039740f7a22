"""Mentions, links and tags are found as a reader sees them, and located by bytes."""

from __future__ import annotations

import regex
from hypothesis import example, given
from hypothesis import strategies as st

from actors.translation.facets import (
    Link,
    Mention,
    Tag,
    find_handles,
    find_spans,
    make_facet,
)

WORDS = [
    *("@alice.test", "@a.b-c.social", "https://x.org/a_(b)", "http://é.de/?q=1&b=é", "foo-bar.com"),
    *(
        "#tag",
        "＃タグ",
        "#1",
        "max@foo.com",
        "👨‍👩‍👧",
        "🇩🇪",
        "e\u0301",
        "\u200b",
        "\ufe0f",
        "日本。",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "!",
        '"',
        "#",
        "@",
        "/",
        ":",
        " ",
        " ",
        " ",
        "\n",
        "a",
        "Hello",
    ),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=12).map("".join))


def found(text: str) -> list[tuple[str, str]]:
    """What stands in the text for each feature, and what the feature says."""
    said: list[tuple[str, str]] = []
    for span in find_spans(text):
        match span.feature:
            case Mention(value) | Link(value) | Tag(value):
                said.append((text[span.start : span.end], value))
    return said


def check(cases: dict[str, list[tuple[str, str]]]) -> None:
    assert {text: found(text) for text in cases} == cases


@given(TEXTS)
@example("#a(@alice.test")
@example("#a(foo.com")
def test_facets_lie_on_characters_and_do_not_overlap(text: str) -> None:
    """For any text: valid byte ranges in rising order, and the promised limits."""
    dids = dict.fromkeys(find_handles(text), "did:plc:alice")
    raw = text.encode()
    last_end = 0
    for span in find_spans(text):
        facet = make_facet(text, span, dids)
        assert facet is not None
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert last_end <= start < end <= len(raw)
        assert raw[start:end].decode() == text[span.start : span.end]
        last_end = end
        match span.feature:
            case Mention(handle):
                assert text[span.start : span.end].lower() == f"@{handle}"
                assert len(handle) <= 253
            case Link(uri):
                assert regex.match(r"https?://[^\s/?#]", uri)
                assert uri.lower().endswith(text[span.start : span.end].lower())
            case Tag(tag):
                assert text[span.start + 1 : span.end] == tag
                assert len(regex.findall(r"\X", tag)) <= 64
                assert len(tag.encode()) <= 640


def test_mentions() -> None:
    """A handle behind ``@``, at the beginning, after white space or a bracket."""
    check(
        {
            "@alice.test": [("@alice.test", "alice.test")],
            "Hi @Alice.Bsky.Social!": [("@Alice.Bsky.Social", "alice.bsky.social")],
            "(@alice.test)": [("@alice.test", "alice.test")],
            "\n@alice.test.": [("@alice.test", "alice.test")],
            "@alice.test@bob.test": [("@alice.test", "alice.test")],
            "@aliceです @alice.testさん": [("@alice.test", "alice.test")],
            "@a-1.test-x @a.b.c.co.uk,": [("@a.b.c.co.uk", "a.b.c.co.uk")],
            "@alice @alice. @.test @-a.test x@alice.test @alice.nosuchtld @alice_b.test": [],
            f"@{'a' * 64}.test": [],
            f"@{'a.' * 124}test": [(f"@{'a.' * 124}test", f"{'a.' * 124}test")],
            f"@{'a.' * 126}test": [],
        }
    )


def test_links_with_a_scheme() -> None:
    """They end before what closes the sentence or the bracket around them."""
    check(
        {
            "https://x.org": [("https://x.org", "https://x.org")],
            "HTTP://X.org/A": [("HTTP://X.org/A", "http://X.org/A")],
            "see https://x.org/a?b=c&d=e#f, ok": [
                ("https://x.org/a?b=c&d=e#f", "https://x.org/a?b=c&d=e#f")
            ],
            "https://x.org... https://y.org/?!": [
                ("https://x.org", "https://x.org"),
                ("https://y.org/", "https://y.org/"),
            ],
            "(https://x.org/a_(b)) [https://y.org]": [
                ("https://x.org/a_(b)", "https://x.org/a_(b)"),
                ("https://y.org", "https://y.org"),
            ],
            '"https://x.org" <https://y.org> „https://z.org“': [
                ("https://x.org", "https://x.org"),
                ("https://y.org", "https://y.org"),
                ("https://z.org", "https://z.org"),
            ],
            "詳細はhttps://x.org/日本。": [("https://x.org/日本", "https://x.org/日本")],
            "https://bücher.de/ü http://[::1]/x": [
                ("https://bücher.de/ü", "https://bücher.de/ü"),
                ("http://[::1]/x", "http://[::1]/x"),
            ],
            "https://x.org/?to=https://y.org": [
                ("https://x.org/?to=https://y.org", "https://x.org/?to=https://y.org")
            ],
            "https:// https://) http://... xhttps://x.org ftp://x.org": [],
            f"https://x.org/{'a' * 8180}": [],
        }
    )


def test_bare_domains() -> None:
    """With a top-level domain that exists, in lower case; the link gets ``https``."""
    check(
        {
            "x.org": [("x.org", "https://x.org")],
            "see my-shop.co.uk/a?b=c#d.": [
                ("my-shop.co.uk/a?b=c#d", "https://my-shop.co.uk/a?b=c#d")
            ],
            "(x.org) x.org, x.org:443/a x.org: yes": [
                ("x.org", "https://x.org"),
                ("x.org", "https://x.org"),
                ("x.org:443/a", "https://x.org:443/a"),
                ("x.org", "https://x.org"),
            ],
            "youtube.com/@alice": [("youtube.com/@alice", "https://youtube.com/@alice")],
            "x.orgを見て": [("x.org", "https://x.org")],
            "e.g. 3.50 a..b .org x.nosuchtld file.jpg x.org.jpg": [],
            "Danke.Es invoice.zip clip.mov": [],
            "max.info@x.org info@x.org x.org@y x.org_a x.org-a": [],
        }
    )


def test_tags() -> None:
    """Of letters or symbols, up to 64 of them; closing punctuation is no part."""
    check(
        {
            "#tag": [("#tag", "tag")],
            "so #Tag1, #a-b. #a_b! #c++": [
                ("#Tag1", "Tag1"),
                ("#a-b", "a-b"),
                ("#a_b", "a_b"),
                ("#c++", "c++"),
            ],
            "＃日本語": [("＃日本語", "日本語")],
            "#👍🏻 #🦋🦋": [("#👍🏻", "👍🏻"), ("#🦋🦋", "🦋🦋")],
            "##double": [("##double", "#double")],
            "#1 #123 #١٢٣ #1! # #! #️⃣ #1️⃣ x#tag (#tag)": [],
            f"#{'é' * 64}": [(f"#{'é' * 64}", "é" * 64)],
            f"#{'a' * 65} #{'👩‍👩‍👧' * 40}": [("#👩", "👩")],
            f"#{chr(0x1F98B) * 64}": [(f"#{chr(0x1F98B) * 64}", chr(0x1F98B) * 64)],
            f"#a{chr(0x301) * 320}": [],
        }
    )


def test_what_begins_first_has_it() -> None:
    """A mention inside of a tag is part of the tag."""
    check({"#a(@alice.test": [("#a(@alice.test", "a(@alice.test")]})


def test_handles_are_asked_for_once_each() -> None:
    """In lower case, in the order of the text; what is inside of a link is no mention."""
    text = "@b.test @A.test @a.test https://x.org/@c.test @d.test"
    assert find_handles(text) == ("b.test", "a.test", "d.test")


def test_a_mention_of_nobody_has_no_facet() -> None:
    """The others keep theirs; bytes are counted, not characters."""
    text = "é @a.test 👍 @b.test #x x.org"
    facets = [make_facet(text, span, {"b.test": "did:plc:b"}) for span in find_spans(text)]
    assert facets == [
        None,
        {
            "index": {"byteStart": 16, "byteEnd": 23},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:b"}],
        },
        {
            "index": {"byteStart": 24, "byteEnd": 26},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "x"}],
        },
        {
            "index": {"byteStart": 27, "byteEnd": 32},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.org"}],
        },
    ]

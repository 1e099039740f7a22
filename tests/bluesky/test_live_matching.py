"""What is matched in the stream, and what it costs to look."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from actors.bluesky.live_matching import Match, Matcher, find_time_us, list_plain
from runtime.errors import Malformed

OWN = "did:plc:brandbrandbrandbrandbrand"
ALICE = "did:plc:alicealicealicealicealice"
POST = "app.bsky.feed.post"
OURS = {"uri": f"at://{OWN}/{POST}/3aaaaaaaaaaa2", "cid": "c"}
THEIRS = {"uri": f"at://{ALICE}/{POST}/3aaaaaaaaaaa2", "cid": "c"}
MENTION = [
    {
        "index": {"byteStart": 0, "byteEnd": 6},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": OWN}],
    }
]


def make_line(record: dict[str, Any], *, escaped: bool = False, **commit: Any) -> str:  # noqa: ANN401
    """An event, as Jetstream writes it."""
    content = {
        "rev": "3l3qo2vutsw2b",
        "operation": "create",
        "collection": POST,
        "rkey": "3l3qo2vuowo2b",
        "record": {"$type": POST, "createdAt": "2026-01-01T00:00:00Z", "text": "", **record},
        "cid": "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi",
        **commit,
    }
    event = {"did": ALICE, "time_us": 1767225600123456, "kind": "commit", "commit": content}
    return json.dumps(event, ensure_ascii=escaped, separators=(",", ":"))


def match(record: dict[str, Any], *queries: str, **how: Any) -> Match | None:  # noqa: ANN401
    """What is found of a post."""
    return Matcher(OWN, list_plain(queries)).match(make_line(record, **how))


@pytest.mark.parametrize(
    ("record", "reason", "is_certain"),
    [
        ({"facets": MENTION}, "mention", True),
        ({"embed": {"$type": "app.bsky.embed.record", "record": OURS}}, "quote", True),
        ({"embed": {"record": {"record": OURS}, "media": {}}}, "quote", True),
        ({"reply": {"root": THEIRS, "parent": OURS}}, "reply", True),
        ({"reply": {"root": OURS, "parent": THEIRS}}, "reply", False),
        ({"facets": MENTION, "reply": {"root": OURS, "parent": OURS}}, "mention", True),
        ({"reply": {"root": OURS, "parent": OURS}, "embed": {"record": OURS}}, "quote", True),
    ],
)
def test_the_reason_is_bluesky_s(record: dict[str, Any], reason: str, is_certain: bool) -> None:
    """Mention before quote before reply; only deep in our thread it is not sure."""
    found = match(record)
    assert found is not None
    assert (found.reason, found.is_certain) == (reason, is_certain)
    assert (found.author_did, found.uri) == (ALICE, f"at://{ALICE}/{POST}/3l3qo2vuowo2b")
    assert found.time_us == 1767225600123456


@pytest.mark.parametrize(
    "record",
    [
        {"text": f"Who is {OWN}?"},
        {"embed": {"record": {"uri": f"at://{OWN}/app.bsky.feed.generator/x", "cid": "c"}}},
        {"facets": [{"index": {}, "features": "none"}], "text": OWN},
        {"facets": MENTION[0], "embed": OWN, "reply": [OWN]},
    ],
)
def test_what_only_names_us_is_no_mention(record: dict[str, Any]) -> None:
    """As for Bluesky: it takes a facet, a post that is shown, or an answer; odd ones are none."""
    assert match(record) is None


@pytest.mark.parametrize("commit", [{"operation": "delete"}, {"operation": "update"}])
def test_only_new_posts_are_of_interest(commit: dict[str, str]) -> None:
    """What is changed or deleted is not."""
    assert match({"facets": MENTION}, **commit) is None
    assert match({"facets": MENTION}, collection="app.bsky.feed.like") is None


@pytest.mark.parametrize(
    ("query", "record", "is_hit"),
    [
        ("acme", {"text": "I love ACME!"}, True),
        ("acme", {"text": "acmeology"}, False),
        ("acme phone", {"text": "a phone\nby acme"}, True),
        ("acme phone", {"text": "a phone"}, False),
        ("acme", {"text": "look", "tags": ["Acme"]}, True),
        ("straße", {"text": "In der STRASSE"}, True),
        ("日本", {"text": "日本 です"}, True),
        ("Ärger", {"text": "viel ärger"}, True),
        ("acme", {"text": 7}, False),
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_words_are_looked_for_as_they_are_left_out(
    query: str, record: dict[str, Any], is_hit: bool, escaped: bool
) -> None:
    """Whole words, in any case and order, all of them; as LISTEN_EXCLUDE does it.

    It does not matter whether the server writes other letters as escapes.
    """
    found = match(record, query, escaped=escaped)
    assert (found is not None and found.reason == "search") is is_hit


def test_any_query_will_do() -> None:
    """And the others do not matter."""
    assert match({"text": "two words"}, "one", "two words") is not None


@pytest.mark.parametrize(
    "query",
    ['"acme phone"', "from:bob", "acme -phone", "#acme", "@acme", "a OR b", "lang:de", "acme*", ""],
)
def test_only_the_search_understands_the_rest(query: str) -> None:
    """Whatever is not only words is left to SearchPoller."""
    assert list_plain([query]) == []


@pytest.mark.parametrize(
    "line",
    [
        f'{{"did":"{ALICE}","commit":"{OWN}"',
        make_line({"facets": MENTION}).replace(ALICE, "nobody"),
        make_line({"facets": MENTION}).replace("1767225600123456", '"now"'),
        make_line({"facets": MENTION}, rkey="a/b"),
        make_line({"facets": MENTION}, rkey=7),
        make_line({"text": OWN}).replace('"record":{', '"record":["x"],"y":{'),
    ],
)
def test_what_cannot_be_read_is_said(line: str) -> None:
    """It is malformed, and nothing else escapes."""
    with pytest.raises(Malformed):
        Matcher(OWN, []).match(line)


def test_our_own_posts_are_of_no_interest() -> None:
    """Even if they name us."""
    assert Matcher(ALICE, [("acme",)]).match(make_line({"text": "acme"})) is None


def test_the_time_is_the_event_s() -> None:
    """Not one that somebody wrote into a post."""
    line = make_line({"text": '"time_us":9999999999999999', "time_us": 8888888888888888})
    assert find_time_us(line) == 1767225600123456
    assert find_time_us("{}") is None


@pytest.mark.parametrize("queries", [(), ("acme phone", "brand")])
def test_looking_is_cheap(queries: tuple[str, ...]) -> None:
    """A thousand posts that concern nobody take well under 50 ms of CPU."""
    matcher = Matcher(OWN, list_plain(queries))
    lines = [
        make_line(
            {
                "text": f"Good morning number {number}, the weather is fine 🌞 and so am I",
                "langs": ["en"],
                "reply": {"root": THEIRS, "parent": THEIRS},
            }
        )
        for number in range(1000)
    ]
    started = time.process_time()
    for line in lines:
        assert matcher.match(line) is None
        assert find_time_us(line) is not None
    took_s = time.process_time() - started
    print(f"{1000 * took_s:.1f} ms of CPU per 1,000 events with {len(queries)} queries")  # noqa: T201
    assert took_s < 0.05

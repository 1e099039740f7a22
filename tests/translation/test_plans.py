"""What an agent writes becomes valid records, whole and in order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Json, PostReference, ThreadReference
from actors.translation.facets import find_handles
from actors.translation.plans import (
    Part,
    clean_text,
    make_direct_message_parts,
    make_parts,
    make_post_plan,
    make_relation_plan,
    make_reply_plan,
)
from actors.translation.record_key import make_record_key
from actors.translation.splitting import DIRECT_MESSAGE, POST, Limit, count_graphemes

POST_REFERENCE = PostReference("at://did:plc:alice/app.bsky.feed.post/3aaaaaaaaaaa2", "cid-post")
ROOT = PostReference("at://did:plc:alice/app.bsky.feed.post/3aaaaaaaaaaa3", "cid-root")
TARGET = ThreadReference(POST_REFERENCE, ROOT, "did:plc:alice")
NOON_2026 = 1_767_268_800.0

WORDS = [
    *("@alice.test", "https://x.org/" + "a" * 40, "foo-bar.com/x", "#tag", "＃タグ", "👨‍👩‍👧"),
    *("Hello", "word", ".", ",", "(", ")", " ", " ", " ", "\n", "日本。", "é"),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
LIMITS = st.sampled_from([POST, DIRECT_MESSAGE, Limit(20, 60), Limit(7, 90)])


def said(part: Part, facet: Json) -> str:
    index = facet["index"]
    return part.text.encode()[index["byteStart"] : index["byteEnd"]].decode()


@given(TEXTS, LIMITS)
def test_parts_are_within_the_limits_and_lose_nothing(text: str, limit: Limit) -> None:
    """Any text, cleaned, cut and with its facets, is what was written but for white space."""
    text = clean_text(text)
    parts = make_parts(text, limit, dict.fromkeys(find_handles(text), "did:plc:alice"))
    assert "".join("".join(part.text for part in parts).split()) == "".join(text.split())
    for part in parts:
        assert part.text == part.text.strip() != ""
        assert count_graphemes(part.text) <= limit.graphemes
        assert len(part.text.encode()) <= limit.utf8_bytes
        ends = [0]
        for facet in part.facets:
            assert said(part, facet)
            assert ends[-1] <= facet["index"]["byteStart"] < facet["index"]["byteEnd"]
            ends.append(facet["index"]["byteEnd"])


def test_facets_move_with_their_parts() -> None:
    """Each is counted from the beginning of its own part."""
    text = "Hello @alice.test and welcome to https://x.org/help #new"
    parts = make_parts(text, Limit(30, 300), {"alice.test": "did:plc:alice"})
    assert [part.text for part in parts] == ["Hello @alice.test and welcome", text[30:57]]
    shown = [[said(part, facet) for facet in part.facets] for part in parts]
    assert shown == [["@alice.test"], ["https://x.org/help", "#new"]]


def test_every_piece_of_a_link_leads_to_the_whole() -> None:
    """A link longer than a post stays usable; no other feature is ever that long."""
    url = "https://x.org/" + "a" * 500
    parts = make_parts(f"See {url} please", POST, {})
    assert [part.text for part in parts] == ["See", url[:300], url[300:] + " please"]
    facets = [facet for part in parts for facet in part.facets]
    assert [facet["features"][0]["uri"] for facet in facets] == [url, url]
    assert said(parts[2], parts[2].facets[0]) == url[300:]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" a\x00b \n", "ab"),
        ("\x00 \u00a0\x00", ""),
        ("\ud83d\udc4d", "👍"),
        ("a\ud83d b", "a\ufffd b"),
        ("\udc4d", "\ufffd"),
        ("line\r\nline", "line\r\nline"),
    ],
)
def test_what_bluesky_would_choke_on_is_taken_out(text: str, clean: str) -> None:
    """Null characters and halves of surrogate pairs; the rest stays as it was written."""
    assert clean_text(text) == clean
    clean_text(text).encode()


def test_a_reply_plan_is_a_chain() -> None:
    """Known parent first, then the part before; times a millisecond apart; keys by number."""
    facet = {"index": {"byteStart": 0, "byteEnd": 3}, "features": []}
    plan = make_reply_plan("id", [Part("One", (facet,)), Part("Two")], TARGET, NOON_2026)
    first, second = plan.writes
    root = {"uri": ROOT.uri, "cid": ROOT.cid}
    assert first.record == {
        "$type": "app.bsky.feed.post",
        "text": "One",
        "reply": {"root": root, "parent": {"uri": POST_REFERENCE.uri, "cid": POST_REFERENCE.cid}},
        "createdAt": "2026-01-01T12:00:00.000Z",
        "facets": [facet],
    }
    assert second.record == {
        "$type": "app.bsky.feed.post",
        "text": "Two",
        "reply": {"root": root},
        "createdAt": "2026-01-01T12:00:00.001Z",
    }
    assert [write.reply_to_previous for write in plan.writes] == [False, True]
    assert [write.record_key for write in plan.writes] == [make_record_key("id", n) for n in (0, 1)]
    assert json.loads(json.dumps(first.record)) == first.record


def test_times_rise_over_a_second() -> None:
    """Also where the milliseconds run over."""
    plan = make_reply_plan("id", [Part(str(n)) for n in range(25)], TARGET, NOON_2026 + 0.9901)
    times = [write.record["createdAt"] for write in plan.writes]
    assert len(set(times)) == 25
    assert times == sorted(times)


@pytest.mark.parametrize("quoted", [None, POST_REFERENCE])
def test_a_post_plan_begins_a_thread(quoted: PostReference | None) -> None:
    """The first part answers nobody, and may quote; the root of the rest is known only then."""
    plan = make_post_plan("id", [Part("One"), Part("Two")], NOON_2026, ("en",), quoted=quoted)
    first, second = plan.writes
    embed = {
        "$type": "app.bsky.embed.record",
        "record": {"uri": POST_REFERENCE.uri, "cid": POST_REFERENCE.cid},
    }
    assert first.record == {
        "$type": "app.bsky.feed.post",
        "text": "One",
        "createdAt": "2026-01-01T12:00:00.000Z",
        "langs": ["en"],
        **({"embed": embed} if quoted else {}),
    }
    assert (first.reply_to_previous, first.root_is_first) == (False, False)
    assert (second.record["reply"], second.record["text"]) == ({}, "Two")
    assert (second.reply_to_previous, second.root_is_first) == (True, True)


def test_the_languages_are_named_in_every_reply() -> None:
    """And none if there are none."""
    parts = [Part("One"), Part("Two")]
    plan = make_reply_plan("id", parts, TARGET, NOON_2026, ("de-CH", "en"))
    assert [write.record["langs"] for write in plan.writes] == [["de-CH", "en"]] * 2
    plain = make_reply_plan("id", parts, TARGET, NOON_2026)
    assert not any("langs" in write.record for write in plain.writes)


def test_a_relation_plan_names_the_post_or_the_person() -> None:
    """One record with the post, or the DID, as its subject."""
    (like,) = make_relation_plan("id", "app.bsky.feed.like", POST_REFERENCE, NOON_2026).writes
    assert like.collection == like.record["$type"] == "app.bsky.feed.like"
    assert like.record["subject"] == {"uri": POST_REFERENCE.uri, "cid": POST_REFERENCE.cid}
    (block,) = make_relation_plan("id", "app.bsky.graph.block", "did:plc:a", NOON_2026).writes
    assert block.record["subject"] == "did:plc:a"
    assert not block.reply_to_previous


def test_direct_messages_keep_text_and_facets() -> None:
    """One for each part."""
    parts = make_parts("Hi x.org", DIRECT_MESSAGE, {})
    (message,) = make_direct_message_parts(parts)
    assert (message.text, message.facets) == ("Hi x.org", parts[0].facets)
    assert len(message.facets) == 1

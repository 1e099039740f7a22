"""What a poller could not read can be read again by a release that can."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.bluesky.letters import make_letter, make_post_letter, read_post_letter
from actors.items import make_post_id
from runtime.errors import Malformed

URI = "at://did:plc:alice/app.bsky.feed.post/3lalice"
BROKEN = Malformed("not a PostView: cid: Field required")


def view(**changes: object) -> dict[str, Any]:
    """A post as Bluesky shows it."""
    shown = {
        "uri": URI,
        "cid": "bafypost",
        "author": {"did": "did:plc:alice", "handle": "alice.example"},
        "record": {"text": "Hello", "createdAt": "2026-01-01T00:00:00.000Z"},
    }
    return {**shown, **changes}


def test_a_post_is_read_again_with_the_reason_for_which_it_was_listed() -> None:
    """Whether it was a mention or a quote is not to be seen in the post itself."""
    post = read_post_letter(make_post_letter("P", view(), "quote", BROKEN, uri=URI).payload)
    assert (post.post.uri, post.text, post.reason) == (URI, "Hello", "quote")


def test_a_post_that_still_cannot_be_read_says_why() -> None:
    """The fields that are wrong are named."""
    letter = make_post_letter("P", view(cid=None), "search", BROKEN)
    with pytest.raises(Malformed, match="cid"):
        read_post_letter(letter.payload)


@pytest.mark.parametrize(
    "value",
    [
        {**view(), "reason": "mention", "reasonSubject": URI},
        {"uri": URI},
        {"reason": "like", "post": view()},
        {"reason": ["mention"], "post": view()},
        [view()],
        None,
    ],
)
def test_what_is_not_the_post_itself_is_not_taken_for_one(value: object) -> None:
    """A notification looks much like a post, but shows no pictures."""
    with pytest.raises(Malformed):
        read_post_letter(make_letter("P", value, BROKEN).payload)
    with pytest.raises(Malformed, match="no JSON"):
        read_post_letter("no JSON")


def test_whoever_keeps_a_listed_post_has_taken_it() -> None:
    """The letter has the item's id; one that is not listed properly is known by what it holds."""
    assert make_post_letter("P", view(), "reply", BROKEN, uri=URI).letter_id == make_post_id(URI)
    first, again = (make_post_letter("P", view(), "search", BROKEN) for _ in range(2))
    other = make_post_letter("P", view(cid="bafyother"), "search", BROKEN)
    assert first.letter_id == again.letter_id != other.letter_id
    assert json.loads(first.payload) == {"reason": "search", "post": view()}

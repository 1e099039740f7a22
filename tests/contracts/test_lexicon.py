"""The checks against the lexicons refuse what is wrong: they could fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contracts.lexicon import LexiconError, Lexicons

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
CID = "bafyreih2yy7eafbxxa4pcqj5zngtep5ui6zu7hlin3cfqk4v7dmlnqre3i"
URI = f"at://{DID}/app.bsky.feed.post/3kqk2zt5bfc2x"
TIME = "2026-01-01T00:00:00.000Z"


@pytest.fixture(scope="session")
def lexicons(contracts_dir: Path) -> Lexicons:
    return Lexicons(contracts_dir / "lexicons")


def make_post(**fields: object) -> dict[str, object]:
    return {"$type": "app.bsky.feed.post", "text": "hi", "createdAt": TIME, **fields}


def make_blob(**fields: object) -> dict[str, object]:
    blob = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 3}
    return {**blob, **fields}


def make_images(*blobs: object) -> dict[str, object]:
    images = [{"image": blob, "alt": ""} for blob in blobs]
    return {"$type": "app.bsky.embed.images", "images": images}


@pytest.mark.parametrize(
    "record",
    [
        make_post(),
        make_post(embed=make_images(make_blob())),
        make_post(embed={"$type": "com.example.unknown"}),
        make_post(extra=1),
        make_post(text="x" * 300),
    ],
)
def test_what_the_lexicon_allows_passes(lexicons: Lexicons, record: object) -> None:
    """Records may carry further fields, and open unions further types."""
    lexicons.check_record("app.bsky.feed.post", record)


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({"text": "hi"}, "createdAt"),
        (make_post(text=5), "text"),
        (make_post(text="x" * 301), "text"),
        (make_post(createdAt="yesterday"), "createdAt"),
        (make_post(langs=["en"] * 4), "langs"),
        (make_post(embed={}), "embed"),
        (make_post(embed=make_images(*[make_blob()] * 5)), "images"),
        (make_post(embed=make_images(make_blob(mimeType="text/plain"))), "image"),
        (make_post(embed=make_images(make_blob(size=2_000_001))), "size"),
        (make_post(embed=make_images(make_blob(ref={"$link": "bad"}))), "ref"),
        (make_post(reply={"root": {"uri": URI, "cid": CID}}), "parent"),
        (
            make_post(facets=[{"index": {"byteStart": -1, "byteEnd": 0}, "features": []}]),
            "byteStart",
        ),
        (make_post(reply={"root": {"uri": "x", "cid": CID}, "parent": {}}), "uri"),
    ],
)
def test_what_the_lexicon_forbids_is_refused(
    lexicons: Lexicons, record: object, where: str
) -> None:
    """Each kind of mistake is found, and its place named."""
    with pytest.raises(LexiconError, match=where):
        lexicons.check_record("app.bsky.feed.post", record)


def test_answers_may_not_hold_more_than_the_lexicon_names(lexicons: Lexicons) -> None:
    """A key that nobody defined is a mistake of the server."""
    nsid = "com.atproto.identity.resolveHandle"
    lexicons.check_output(nsid, {"did": DID})
    with pytest.raises(LexiconError, match="surprise"):
        lexicons.check_output(nsid, {"did": DID, "surprise": 1})
    with pytest.raises(LexiconError, match="did"):
        lexicons.check_output(nsid, {"did": "brand.test"})


def test_a_method_without_output_answers_nothing(lexicons: Lexicons) -> None:
    """``updateSeen`` has no output: an empty object would be one."""
    lexicons.check_output("app.bsky.notification.updateSeen", None)
    with pytest.raises(LexiconError, match="empty body"):
        lexicons.check_output("app.bsky.notification.updateSeen", {})


def test_unions_need_a_type_and_references_are_followed(lexicons: Lexicons) -> None:
    """A blocked post in a thread is checked as such; without ``$type`` it is nothing."""
    blocked: dict[str, Any] = {"uri": URI, "blocked": True, "author": {"did": DID}}
    nsid = "app.bsky.feed.getPostThread"
    kind = "app.bsky.feed.defs#blockedPost"
    lexicons.check_output(nsid, {"thread": {"$type": kind, **blocked}})
    with pytest.raises(LexiconError, match="type"):
        lexicons.check_output(nsid, {"thread": blocked})
    with pytest.raises(LexiconError, match="blocked"):
        lexicons.check_output(nsid, {"thread": {"$type": kind, **blocked, "blocked": False}})
    with pytest.raises(LexiconError, match="author"):
        lexicons.check_output(nsid, {"thread": {"$type": kind, "uri": URI, "blocked": True}})


def test_parameters_are_checked(lexicons: Lexicons) -> None:
    """Bounds, unknown names and missing ones."""
    nsid = "app.bsky.feed.getPosts"
    lexicons.check_params(nsid, {"uris": [URI]})
    for wrong in ({}, {"uris": [URI] * 26}, {"uris": [URI], "limit": 1}):
        with pytest.raises(LexiconError):
            lexicons.check_params(nsid, wrong)


def test_inputs_are_checked(lexicons: Lexicons) -> None:
    """``swapRecord`` may be null, ``swapCommit`` may not."""
    nsid = "com.atproto.repo.putRecord"
    body = {"repo": DID, "collection": "app.bsky.feed.post", "rkey": "self", "record": {}}
    lexicons.check_input(nsid, {**body, "swapRecord": None})
    with pytest.raises(LexiconError, match="swapCommit"):
        lexicons.check_input(nsid, {**body, "swapCommit": None})

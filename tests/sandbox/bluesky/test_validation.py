"""What the PDS says to records and requests that are not valid, in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bluesky.client import Client, Session, make_post

POST = "app.bsky.feed.post"
CREATE = "com.atproto.repo.createRecord"
GET = "com.atproto.repo.getRecord"
CID = "bafyreih2yy7eafbxxa4pcqj5zngtep5ui6zu7hlin3cfqk4v7dmlnqre3i"
ANY_VALUE = "one of null, boolean, integer, string, cid, bytes, array or object"
BARE_500 = (500, "InternalServerError", "Internal Server Error")


async def refused_post(session: Session, **fields: object) -> tuple[int, str, str]:
    """What createRecord says to a post with these fields; ``None`` leaves one out."""
    post = {**make_post(), **fields}
    record = {key: value for key, value in post.items() if value is not None}
    body = {"repo": session.did, "collection": POST, "record": record}
    return await session.refused(CREATE, body=body)


async def test_unknown_collections_are_kept_unjudged(session: Session) -> None:
    """``unknown`` unless validation is asked for; with it off there is no status at all."""
    where = {"repo": session.did, "collection": "com.example.thing", "record": {"a": 1}}
    assert (await session.post(CREATE, **where))["validationStatus"] == "unknown"
    refused = await session.refused(CREATE, body={**where, "validate": True})
    assert refused == (400, "InvalidRequest", "Unknown lexicon type: com.example.thing")
    unjudged = await session.create(make_post("x" * 301), validate=False)
    assert "validationStatus" not in unjudged
    assert await session.get("app.bsky.feed.getPosts", uris=[unjudged["uri"]]) == {"posts": []}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "x" * 301}, "grapheme too big (maximum 300, got 301) at $.record.text"),
        (
            {"text": "\U0001f468‍\U0001f469‍\U0001f467‍\U0001f466" * 121},
            "string too big (maximum 3000, got 3025) at $.record.text",
        ),
        ({"text": None}, 'Missing required key "text" at $.record'),
        ({"createdAt": None}, 'Missing required key "createdAt" at $.record'),
        (
            {"createdAt": "2026-01-01T00:00:00"},
            'Invalid datetime (got "2026-01-01T00:00:00") at $.record.createdAt',
        ),
        (
            {"createdAt": "yesterday"},
            'Invalid datetime (got "yesterday") at $.record.createdAt',
        ),
        ({"tags": ["a"] * 9}, "array too big (maximum 8, got 9) at $.record.tags"),
        ({"langs": ["en"] * 4}, "array too big (maximum 3, got 4) at $.record.langs"),
        ({"text": 5}, "Expected string value type (got 5) at $.record.text"),
        (
            {
                "facets": [
                    {
                        "index": {"byteStart": 0, "byteEnd": 2},
                        "features": [
                            {"$type": "app.bsky.richtext.facet#mention", "did": "brand.test"}
                        ],
                    }
                ]
            },
            'Invalid DID (got "brand.test") at $.record.facets[0].features[0].did',
        ),
        (
            {"embed": {"$type": "app.bsky.embed.record", "record": {"uri": "x", "cid": CID}}},
            'Invalid at-uri (got "x") at $.record.embed.record.uri',
        ),
    ],
)
async def test_invalid_posts_are_refused_in_the_words_of_the_pds(
    session: Session, fields: dict[str, object], message: str
) -> None:
    """The first thing that is wrong, and where."""
    expected = (400, "InvalidRequest", f"Invalid {POST} record: {message}")
    assert await refused_post(session, **fields) == expected


async def test_what_is_refused_before_the_record_is_looked_at(session: Session) -> None:
    """Keys that are no TIDs, wrong types, fractions, missing and malformed inputs."""
    where = {"repo": session.did, "collection": POST, "record": make_post()}
    key = f'Invalid record key for {POST}: Invalid TID string (got "ticket-42") at $'
    wrong = [
        ({**where, "rkey": "ticket-42"}, key),
        ({**where, "record": {"$type": "x.y.z"}}, f"Invalid $type: expected {POST}, got x.y.z"),
        (
            {**where, "record": make_post(x=1.5)},
            f"Expected {ANY_VALUE} value type (got 1.5) at $.record.x",
        ),
        ({**where, "collection": "nope"}, 'Invalid NSID (got "nope") at $.collection'),
        ({}, 'Missing required key "repo" at $'),
        ({**where, "record": "x"}, 'Expected object value type (got "x") at $.record'),
    ]
    for body, message in wrong:
        refused = await session.refused(CREATE, body=body)
        assert refused == (400, "InvalidRequest", message)


@pytest.mark.parametrize(
    "record",
    [
        make_post(""),
        make_post("x" * 300),
        make_post("\U0001f468‍\U0001f469‍\U0001f467‍\U0001f466" * 120),
        make_post(facets=[{"index": {"byteStart": 90, "byteEnd": 99}, "features": []}]),
        make_post(embed={"$type": "com.example.embed", "x": 1}),
        make_post(extra={"a": [1, None, True]}),
        make_post(createdAt="2026-01-01T00:00:00+01:00"),
    ],
)
async def test_what_passes(session: Session, record: dict[str, Any]) -> None:
    """Empty text, exact limits, facets beyond the text, unknown embeds and further fields."""
    await session.create(record)


async def test_bodies_have_a_limit(session: Session) -> None:
    """1,000,000 bytes for a record, 150 KiB elsewhere: 413 ``PayloadTooLargeError``."""
    where = {"repo": session.did, "collection": "com.example.thing"}
    await session.post(CREATE, **where, record={"a": "x" * 900_000})
    too_large = (413, "PayloadTooLargeError", "request entity too large")
    body = {**where, "record": {"a": "x" * 1_000_000}}
    assert await session.refused(CREATE, body=body) == too_large
    seen = {"seenAt": "x" * 160_000}
    assert await session.refused("app.bsky.notification.updateSeen", body=seen) == too_large


async def test_requests_that_are_none_are_refused_by_name(client: Client, session: Session) -> None:
    """Not JSON, the wrong content type, no body, the wrong HTTP method, no such method."""
    headers = {"authorization": f"Bearer {session.access}"}
    url = f"/xrpc/{CREATE}"
    kinds = {**headers, "content-type": "application/json"}
    broken = await client.http.post(url, content=b"hello", headers=kinds)
    assert (broken.status_code, broken.json()["error"]) == (400, "SyntaxError")
    plain = await client.http.post(
        url, content=b"hello", headers={**headers, "content-type": "text/plain"}
    )
    assert plain.json()["message"] == "Wrong request encoding (Content-Type): text/plain"
    nothing = await client.http.post(url, headers=headers)
    assert nothing.status_code == 400
    wrong = await session.refused(GET, body={})
    assert wrong == (400, "InvalidRequest", "Incorrect HTTP method (POST) expected GET")
    unknown = await session.refused("app.bsky.feed.nope")
    assert unknown == (501, "MethodNotImplemented", "Method Not Implemented")

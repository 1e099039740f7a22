"""Repositories: writing, swapping, deleting and reading records."""

from __future__ import annotations

import httpx
import trio

from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.bluesky.identifiers import record_cid
from sandbox.bluesky.limits import Limit, RateLimits
from tests.sandbox.bluesky.client import Client, Session, make_post

POST = "app.bsky.feed.post"
CREATE = "com.atproto.repo.createRecord"
PUT = "com.atproto.repo.putRecord"
DELETE = "com.atproto.repo.deleteRecord"
GET = "com.atproto.repo.getRecord"
LIST = "com.atproto.repo.listRecords"
KEY = "3kqk2zt5bfc2x"
CID = "bafyreih2yy7eafbxxa4pcqj5zngtep5ui6zu7hlin3cfqk4v7dmlnqre3i"
BARE_500 = (500, "InternalServerError", "Internal Server Error")


def test_equal_records_have_the_cid_of_the_real_pds() -> None:
    """Measured: the real PDS gave these CIDs to these records, whatever the order of keys."""
    post = {"text": "a", "$type": POST, "createdAt": "2026-01-01T00:00:00.000Z"}
    assert record_cid(post) == "bafyreiawxc53o3lvjroajm6fvqyhtdtf6g42x7da7wbfsvqiivccphkzgm"
    thing = {"$type": "com.example.thing", "a": 1}
    assert record_cid(thing) == "bafyreidlhma7iacrjsdskfx5uzyb5uwneffkwkd4vmkbv7hx2cc66janoi"


async def test_createRecord_twice_is_two_posts(session: Session) -> None:  # noqa: N802
    """The same content without a key: there is nothing that tells them apart but the key."""
    first, second = [await session.create(make_post()) for _ in range(2)]
    assert first["validationStatus"] == "valid"
    assert first["cid"] == second["cid"]
    assert first["uri"] < second["uri"]
    assert first["commit"]["rev"] < second["commit"]["rev"]


async def test_createRecord_on_an_existing_key_is_a_bare_500(session: Session) -> None:  # noqa: N802
    """With the identical record too; the first stays. Five at once: one 200, four 500."""
    answers: list[int] = []

    async def create() -> None:
        body = {"repo": session.did, "collection": POST, "rkey": KEY, "record": make_post()}
        answers.append((await session.send(CREATE, body=body)).status_code)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(create)
    assert sorted(answers) == [200, 500, 500, 500, 500]
    body = {"repo": session.did, "collection": POST, "rkey": KEY, "record": make_post("other")}
    assert await session.refused(CREATE, body=body) == BARE_500
    found = await session.get(GET, repo=session.did, collection=POST, rkey=KEY)
    assert found["value"]["text"] == "hi"


async def test_an_identical_putRecord_writes_nothing(  # noqa: N802
    session: Session, network: BlueskyNetwork, brand: Account
) -> None:
    """200 with the same uri and cid and no ``commit``: the retry-safe way to post."""
    first = await session.put(KEY, make_post(), swapRecord=None)
    again = await session.put(KEY, make_post(), swapRecord=None)
    assert "commit" in first
    assert {key: first[key] for key in ("uri", "cid", "validationStatus")} == again
    assert len(network.posts(brand)) == 1


async def test_putRecord_with_another_record_replaces_it(session: Session) -> None:  # noqa: N802
    """A new cid; the AppView shows the new text."""
    first = await session.put(KEY, make_post("one"))
    second = await session.put(KEY, make_post("two"))
    assert (first["uri"] == second["uri"], first["cid"] == second["cid"]) == (True, False)
    (post,) = (await session.get("app.bsky.feed.getPosts", uris=[first["uri"]]))["posts"]
    assert (post["record"]["text"], post["cid"]) == ("two", second["cid"])


async def test_swapRecord_null_means_create_or_tell_me(session: Session) -> None:  # noqa: N802
    """A different record on the same key is refused, with what is there; so is a wrong belief."""
    where = {"repo": session.did, "collection": POST, "rkey": KEY}
    missing = await session.refused(PUT, body={**where, "record": make_post(), "swapRecord": CID})
    assert missing == (400, "InvalidSwap", "Record was at null")
    first = await session.put(KEY, make_post(), swapRecord=None)
    other = {**where, "record": make_post("other")}
    at = (400, "InvalidSwap", f"Record was at {first['cid']}")
    assert await session.refused(PUT, body={**other, "swapRecord": None}) == at
    assert await session.refused(PUT, body={**other, "swapRecord": CID}) == at
    assert await session.refused(DELETE, body={**where, "swapRecord": CID}) == at
    commit = (400, "InvalidSwap", f"Commit was at {first['commit']['cid']}")
    assert await session.refused(PUT, body={**other, "swapCommit": CID}) == commit
    await session.put(KEY, make_post("other"), swapRecord=first["cid"])


async def test_deleting_twice_is_no_error(session: Session) -> None:
    """First a commit, then an empty object; the key can be used again."""
    await session.put(KEY, make_post())
    where = {"repo": session.did, "collection": POST, "rkey": KEY}
    assert (await session.post(DELETE, **where)).keys() == {"commit"}
    assert await session.post(DELETE, **where) == {}
    gone = await session.refused(GET, **where)
    uri = f"at://{session.did}/{POST}/{KEY}"
    assert gone == (400, "RecordNotFound", f"Could not locate record: {uri}")
    await session.create(make_post(), rkey=KEY)


async def test_the_repository_may_be_named_by_handle_but_not_be_anothers(
    session: Session, alice: Account
) -> None:
    """Another's is 401, an unknown one 403."""
    body = {"collection": POST, "record": make_post()}
    await session.post(CREATE, repo="brand.test", **body)
    others = await session.refused(CREATE, body={"repo": alice.did, **body})
    assert others == (401, "AuthenticationRequired", "Authentication Required")
    unknown = await session.refused(CREATE, body={"repo": "nobody.test", **body})
    assert unknown == (403, "AccountNotFound", "Account not found")


async def test_records_are_listed_by_key_the_greatest_first(
    session: Session, client: Client
) -> None:
    """Anybody may list; the cursor is the last key and comes with every page that has records."""
    keys = ["3kaaaaaaaaaa2", "3kaaaaaaaaab2", "3kaaaaaaaaac2"]
    for key in (keys[1], keys[0], keys[2]):
        await session.put(key, make_post(key))
    where = {"repo": "brand.test", "collection": POST}
    page = await client.call(LIST, params={**where, "limit": 2})
    assert [record["value"]["text"] for record in page["records"]] == [keys[2], keys[1]]
    assert page["cursor"] == keys[1]
    rest = await client.call(LIST, params={**where, "cursor": page["cursor"]})
    assert [record["value"]["text"] for record in rest["records"]] == [keys[0]]
    assert "cursor" not in await client.call(LIST, params={**where, "cursor": keys[0]})
    backwards = await client.call(LIST, params={**where, "reverse": "true", "cursor": keys[0]})
    assert [record["value"]["text"] for record in backwards["records"]] == keys[1:]


async def test_a_second_like_replaces_the_first(
    network: BlueskyNetwork, session: Session, alice: Account
) -> None:
    """createRecord keeps one like of a subject; putRecord does not, but they count once."""
    post = network.post(alice, "hello")
    like = {"subject": post.as_json(), "createdAt": "2026-01-01T00:00:00.000Z"}
    where = {"repo": session.did, "collection": "app.bsky.feed.like"}
    for _ in range(2):
        await session.post(CREATE, **where, record=like)
    listed = {"repo": session.did, "collection": where["collection"]}
    assert len((await session.get(LIST, **listed))["records"]) == 1
    for key in ("3kaaaaaaaaaa2", "3kaaaaaaaaab2"):
        await session.post(PUT, **where, rkey=key, record=like)
    assert len((await session.get(LIST, **listed))["records"]) == 3
    (shown,) = (await session.get("app.bsky.feed.getPosts", uris=[post.uri]))["posts"]
    assert shown["likeCount"] == 1


async def test_writes_are_limited_by_points(
    network: BlueskyNetwork, session: Session, client: Client, alice: Account
) -> None:
    """Create 3, put 2, delete 1, per account: 429 when they are spent; others write on."""
    network.rate_limits = RateLimits(writes=(Limit(6, 3600),))
    await session.create(make_post())
    await session.put(KEY, make_post())
    await session.post(DELETE, repo=session.did, collection=POST, rkey=KEY)
    body = {"repo": session.did, "collection": POST, "record": make_post()}
    response: httpx.Response = await session.send(CREATE, body=body)
    assert response.status_code == 429
    assert response.headers["ratelimit-policy"] == "6;w=3600"
    other = await client.log_in(alice)
    await other.create(make_post())

"""Records and posts: what the connector relies on holds in the network and in the sandbox."""

from __future__ import annotations

import pytest

from tests.interop.places import Place, refused
from tests.interop.session import Json, Session, now

POST = "app.bsky.feed.post"
KEY = "3kqk2zt5bfc2x"


def make_post(text: str) -> Json:
    """A post's record, with its time."""
    return {"text": text, "createdAt": now()}


async def test_the_same_put_again_changes_nothing(place: Place) -> None:
    """The identical record under its key answers as the first did, and writes nothing."""
    brand = await place.make_account("brand")
    record = make_post("once")
    first = await brand.put(POST, KEY, record, swapRecord=None)
    again = await brand.put(POST, KEY, record, swapRecord=None)
    assert (again["uri"], again["cid"]) == (first["uri"], first["cid"])
    assert "commit" in first
    assert "commit" not in again
    listed = await brand.get("com.atproto.repo.listRecords", repo=brand.did, collection=POST)
    assert [item["uri"] for item in listed["records"]] == [first["uri"]]


async def test_a_different_put_is_refused_when_nothing_was_expected(place: Place) -> None:
    """``swapRecord: null`` means: create, or tell me. The record stays."""
    brand = await place.make_account("brand")
    first = await brand.put(POST, KEY, make_post("once"), swapRecord=None)
    other = make_post("twice")
    expected = (400, "InvalidSwap", f"Record was at {first['cid']}")
    assert await refused(brand.put(POST, KEY, other, swapRecord=None)) == expected
    overwritten = await brand.put(POST, KEY, other)
    assert overwritten["cid"] != first["cid"]


async def test_creating_under_a_key_that_exists_is_a_bare_500(place: Place) -> None:
    """That is why records are put: the refusal of ``createRecord`` says nothing."""
    brand = await place.make_account("brand")
    record = {"$type": POST, **make_post("once")}
    body = {"repo": brand.did, "collection": POST, "rkey": KEY, "record": record}
    await brand.call("com.atproto.repo.createRecord", body)
    expected = (500, "InternalServerError", "Internal Server Error")
    assert await refused(brand.call("com.atproto.repo.createRecord", body)) == expected


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"text": "x" * 301}, "grapheme too big (maximum 300, got 301) at $.record.text"),
        ({"text": "👨‍👩‍👧‍👦" * 121}, "string too big (maximum 3000, got 3025) at $.record.text"),
        ({"createdAt": "yesterday"}, 'Invalid datetime (got "yesterday") at $.record.createdAt'),
        ({"tags": ["a"] * 9}, "array too big (maximum 8, got 9) at $.record.tags"),
    ],
)
async def test_an_invalid_post_is_refused_in_the_same_words(
    place: Place, record: Json, said: str
) -> None:
    """400 ``InvalidRequest``, and the message names the field and the limit."""
    brand = await place.make_account("brand")
    refusal = await refused(brand.put(POST, KEY, {**make_post("short"), **record}))
    assert refusal == (400, "InvalidRequest", f"Invalid {POST} record: {said}")


async def test_a_record_key_of_a_post_is_a_tid(place: Place) -> None:
    """Any other is refused."""
    brand = await place.make_account("brand")
    status, error, message = await refused(brand.put(POST, "ticket-42", make_post("hi")))
    assert (status, error) == (400, "InvalidRequest")
    assert message is not None
    assert message.startswith(f"Invalid record key for {POST}: Invalid TID string")


async def test_deleting_twice_is_no_error(place: Place) -> None:
    """A deleted record is gone for readers, and deleting it again is accepted."""
    brand = await place.make_account("brand")
    post = await brand.post("soon gone")
    await brand.delete(post.uri)
    await brand.delete(post.uri)
    key = post.uri.rpartition("/")[2]
    read = brand.get("com.atproto.repo.getRecord", repo=brand.did, collection=POST, rkey=key)
    assert (await refused(read))[:2] == (400, "RecordNotFound")


async def test_unknown_things_have_names(place: Place) -> None:
    """A method, a handle, a profile and a thread that are not there."""
    brand = await place.make_account("brand")
    gone = f"at://{brand.did}/{POST}/{KEY}"
    assert (await refused(brand.get("app.bsky.no.suchMethod")))[0] == 501
    resolving = brand.get("com.atproto.identity.resolveHandle", handle="nobody.test")
    assert (await refused(resolving))[:2] == (400, "HandleNotFound")
    profile = brand.get("app.bsky.actor.getProfile", actor="nobody.test")
    assert (await refused(profile))[:2] == (400, "InvalidRequest")
    thread = brand.get("app.bsky.feed.getPostThread", uri=gone)
    assert (await refused(thread))[:2] == (400, "NotFound")


async def test_missing_posts_are_left_out_without_a_word(place: Place) -> None:
    """``getPosts`` keeps the order asked for, and leaves out what is gone; 25 at most."""
    alice = await place.make_account("alice")
    first, second, third = [await alice.post(text) for text in ("one", "two", "three")]
    await alice.delete(second.uri)
    await place.settle()
    asked = [third.uri, second.uri, first.uri]
    answer = await alice.get("app.bsky.feed.getPosts", uris=asked)
    assert [post["uri"] for post in answer["posts"]] == [third.uri, first.uri]
    too_many = alice.get("app.bsky.feed.getPosts", uris=[first.uri] * 26)
    assert (await refused(too_many))[:2] == (400, "InvalidRequest")


async def test_a_deleted_parent_leaves_a_gap_in_the_thread(place: Place) -> None:
    """The thread of the answer is there; above it stands ``notFoundPost``."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await alice.post("question")
    reply = await brand.post("answer", reply_to=post)
    await alice.delete(post.uri)
    await place.settle()
    answer = await brand.get("app.bsky.feed.getPostThread", uri=reply.uri)
    assert answer["thread"]["post"]["uri"] == reply.uri
    assert answer["thread"]["parent"]["$type"] == "app.bsky.feed.defs#notFoundPost"


async def test_what_a_block_hides_is_told_from_what_is_deleted(place: Place) -> None:
    """``getPosts`` leaves out both; ``getPostThread`` shows a place-holder for the hidden one."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    hidden, deleted = await alice.post("hidden"), await alice.post("deleted")
    await alice.block(brand.did)
    await alice.delete(deleted.uri)
    await place.settle()
    answer = await brand.get("app.bsky.feed.getPosts", uris=[hidden.uri, deleted.uri])
    assert answer["posts"] == []
    shown = await brand.get("app.bsky.feed.getPostThread", uri=hidden.uri, depth=0)
    assert shown["thread"]["blocked"] is True
    gone = brand.get("app.bsky.feed.getPostThread", uri=deleted.uri, depth=0)
    assert (await refused(gone))[:2] == (400, "NotFound")


async def test_reactions_are_counted_at_the_post(place: Place) -> None:
    """Each kind for itself; what is withdrawn is not counted any more."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await brand.post("news")
    await place.settle()
    like = await alice.like(post)
    await alice.repost(post)
    await alice.post("look", quote=post)
    await place.settle()
    counts = ("likeCount", "repostCount", "quoteCount")
    (view,) = (await brand.get("app.bsky.feed.getPosts", uris=[post.uri]))["posts"]
    assert [view[name] for name in counts] == [1, 1, 1]
    await alice.delete(like.uri)
    await place.settle()
    (view,) = (await brand.get("app.bsky.feed.getPosts", uris=[post.uri]))["posts"]
    assert [view[name] for name in counts] == [0, 1, 1]


async def test_search_finds_a_part_of_the_text_newest_first(place: Place) -> None:
    """What the sandbox finds, the real AppView of the test network finds."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    word = alice.handle.removesuffix(".test")
    older = await alice.post(f"I love {word} very much")
    newer = await brand.post(f"who said {word}?")
    await alice.post("something else")
    await place.settle()
    answer = await brand.get("app.bsky.feed.searchPosts", q=word, sort="latest", limit=100)
    assert [post["uri"] for post in answer["posts"]] == [newer.uri, older.uri]


GATE = "app.bsky.feed.threadgate"


async def view(who: Session, uri: str) -> Json:
    """A post as an account sees it."""
    (shown,) = (await who.get("app.bsky.feed.getPosts", uris=uri))["posts"]
    found: Json = shown
    return found


async def viewer(who: Session, did: str) -> Json:
    """What stands between an account and another one."""
    (profile,) = (await who.get("app.bsky.actor.getProfiles", actors=did))["profiles"]
    found: Json = profile["viewer"]
    return found


async def test_a_gate_is_replaced_only_if_it_is_still_what_was_read(place: Place) -> None:
    """And what it hides is shown with the root of the thread, and only there."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    root = await brand.post("news")
    reply = await alice.post("nonsense", reply_to=root)
    key = root.uri.rpartition("/")[2]
    gate = {"post": root.uri, "createdAt": now(), "hiddenReplies": ["at://did:plc:a/b.c.d/e"]}
    first = await brand.put(GATE, key, gate, swapRecord=None)
    hiding = {**gate, "hiddenReplies": [reply.uri]}
    expected = (400, "InvalidSwap", f"Record was at {first['cid']}")
    assert await refused(brand.put(GATE, key, hiding, swapRecord=None)) == expected
    second = await brand.put(GATE, key, hiding, swapRecord=first["cid"])
    below = await brand.post("well", reply_to=reply)
    gate = {"post": below.uri, "createdAt": now(), "hiddenReplies": []}
    await brand.put(GATE, below.uri.rpartition("/")[2], gate)
    await place.settle()
    shown = (await view(alice, root.uri))["threadgate"]
    assert (shown["cid"], shown["record"]["hiddenReplies"]) == (second["cid"], [reply.uri])
    assert "threadgate" not in await view(alice, reply.uri)
    assert "threadgate" not in await view(alice, below.uri)


@pytest.mark.parametrize(
    ("rule", "allowed"), [(None, True), ("mention", False), ("follower", False), ("none", False)]
)
async def test_a_gate_says_who_may_reply(place: Place, rule: str | None, *, allowed: bool) -> None:
    """``viewer.replyDisabled`` is there whenever there is a gate, for replies in it too."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    root = await brand.post("news")
    below = await brand.post("more news", reply_to=root)
    await place.settle()
    assert "replyDisabled" not in (await view(alice, root.uri))["viewer"]
    gate: Json = {"post": root.uri, "createdAt": now()}
    if rule is not None:
        gate["allow"] = [] if rule == "none" else [{"$type": f"{GATE}#{rule}Rule"}]
    await brand.put(GATE, root.uri.rpartition("/")[2], gate)
    await place.settle()
    for uri in (root.uri, below.uri):
        assert (await view(alice, uri))["viewer"]["replyDisabled"] is not allowed
        assert (await view(brand, uri))["viewer"]["replyDisabled"] is False
    if rule == "follower":
        await alice.create("app.bsky.graph.follow", {"subject": brand.did})
        await place.settle()
        assert (await view(alice, root.uri))["viewer"]["replyDisabled"] is False


async def test_a_mute_is_seen_by_the_one_who_mutes(place: Place) -> None:
    """It takes what the other writes out of the notifications, until it ends."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await brand.post("news")
    await place.settle()
    await alice.post("nonsense", reply_to=post)
    await place.settle()
    assert [one["reason"] for one in await brand.list_notifications()] == ["reply"]
    for _ in range(2):
        assert await brand.call("app.bsky.graph.muteActor", {"actor": alice.did}) == {}
    await place.settle()
    assert (await viewer(brand, alice.did))["muted"] is True
    assert (await viewer(alice, brand.did))["muted"] is False
    assert await brand.list_notifications() == []
    for _ in range(2):
        assert await brand.call("app.bsky.graph.unmuteActor", {"actor": alice.did}) == {}
    await place.settle()
    assert (await viewer(brand, alice.did))["muted"] is False
    assert len(await brand.list_notifications()) == 1
    own = brand.call("app.bsky.graph.muteActor", {"actor": brand.did})
    assert await refused(own) == (400, "InvalidRequest", "Actor cannot mute themselves")


@pytest.mark.parametrize(("collection", "shown"), [("follow", "following"), ("block", "blocking")])
async def test_what_stands_between_two_accounts_is_named_by_its_record(
    place: Place, collection: str, shown: str
) -> None:
    """So it can be deleted, and is not shown any more."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    record = {"subject": alice.did, "createdAt": now()}
    written = await brand.put(f"app.bsky.graph.{collection}", KEY, record, swapRecord=None)
    await place.settle()
    assert (await viewer(brand, alice.did))[shown] == written["uri"]
    await brand.delete(written["uri"])
    await place.settle()
    assert shown not in await viewer(brand, alice.did)


async def test_a_reply_below_a_root_that_is_gone_is_shown(place: Place) -> None:
    """That the first post was deleted is no reason to refuse an answer to another one."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    root = await alice.post("question")
    second = await alice.post("and another", reply_to=root)
    await place.settle()
    await alice.delete(root.uri)
    await place.settle()
    link = {"root": root.to_json(), "parent": second.to_json()}
    answer = await brand.put(POST, KEY, {**make_post("answer"), "reply": link}, swapRecord=None)
    await place.settle()
    thread = (await alice.get("app.bsky.feed.getPostThread", uri=second.uri))["thread"]
    assert [one["post"]["uri"] for one in thread["replies"]] == [answer["uri"]]

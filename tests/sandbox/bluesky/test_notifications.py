"""What is told in listNotifications, to whom and why."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky import Account, BlueskyNetwork
from tests.sandbox.bluesky.client import Session

LIST = "app.bsky.notification.listNotifications"


async def listed(session: Session, **params: object) -> list[dict[str, Any]]:
    """One page."""
    found: list[dict[str, Any]] = (await session.get(LIST, **params))["notifications"]
    return found


async def texts(session: Session, **params: object) -> list[str]:
    """The texts of the posts on one page."""
    return [line["record"]["text"] for line in await listed(session, **params)]


async def reasons(session: Session) -> list[tuple[str, str | None]]:
    return [(line["reason"], line.get("reasonSubject")) for line in await listed(session)]


async def test_a_mention_says_who_and_what(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """The keys that clients rely on; a mention has no subject."""
    post = network.post(alice, "@brand.test hello")
    (line,) = await listed(session)
    assert line.keys() == {
        *("uri", "cid", "author", "reason", "record", "isRead", "indexedAt", "labels"),
    }
    assert (line["uri"], line["cid"], line["reason"]) == (post.uri, post.cid, "mention")
    author = line["author"]
    assert (author["did"], author["handle"], author["displayName"]) == (
        alice.did,
        "alice.test",
        "Alice",
    )
    assert line["record"]["text"] == "@brand.test hello"


async def test_only_a_facet_mentions(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """A handle that is no facet tells nobody; nor does one's own post."""
    where = network.repository(alice)
    record = {"text": "@brand.test", "createdAt": "2026-01-01T00:00:00.000Z"}
    where.create("app.bsky.feed.post", record)
    network.post(brand, "@brand.test it is me")
    assert await listed(session) == []


async def test_mention_comes_before_quote_before_reply(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """One notification for a post, with the strongest reason; ``record.reply`` tells the rest."""
    own = network.post(brand, "ours")
    network.post(alice, "plain", reply_to=own)
    network.post(alice, "quoting", reply_to=own, quote=own)
    network.post(alice, "@brand.test all", reply_to=own, quote=own)
    assert await reasons(session) == [("mention", None), ("quote", own.uri), ("reply", own.uri)]
    assert all("reply" in line["record"] for line in await listed(session))


async def test_a_reply_is_told_four_levels_up(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Also bob answering alice; the fifth level is silent. The subject is our nearest ancestor."""
    root = last = network.post(brand, "ours")
    for level in range(1, 7):
        last = network.post(bob if level % 2 else alice, f"level {level}", reply_to=last)
    assert await texts(session) == ["level 4", "level 3", "level 2", "level 1"]
    assert {subject for _, subject in await reasons(session)} == {root.uri}
    ours = network.post(brand, "ours again", reply_to=last)
    network.post(alice, "answer", reply_to=ours)
    assert (await reasons(session))[0] == ("reply", ours.uri)


async def test_who_continues_a_post_that_mentions_us_is_not_told(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Answers to a post that mentions or quotes the brand: nothing, not even the author's own."""
    own = network.post(brand, "ours")
    mention = network.post(alice, "@brand.test 1/2")
    quote = network.post(alice, "quote 1/2", quote=own)
    network.post(alice, "2/2", reply_to=mention)
    network.post(alice, "2/2", reply_to=quote)
    assert await texts(session) == ["quote 1/2", "@brand.test 1/2"]


async def test_likes_reposts_and_follows_are_told_once(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """``record`` is the like, ``uri`` is the like's; a second like record adds nothing."""
    own = network.post(brand, "ours")
    like = network.like(alice, own)
    repost = network.repost(alice, own)
    follow = network.follow(alice, brand)
    where = network.repository(alice)
    second = {"subject": own.as_json(), "createdAt": "2026-01-01T00:00:00.000Z"}
    where.put("app.bsky.feed.like", "3kaaaaaaaaaa2", second)
    lines = await listed(session)
    assert [(line["reason"], line["uri"]) for line in lines] == [
        ("follow", follow.uri),
        ("repost", repost.uri),
        ("like", like.uri),
    ]
    assert lines[2]["record"]["subject"]["uri"] == own.uri
    assert "reasonSubject" not in lines[0]


async def test_what_is_gone_is_not_listed(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Deleted posts, answers to our own deleted posts, and whoever blocks us."""
    own = network.post(brand, "ours")
    network.post(alice, "reply", reply_to=own)
    mention = network.post(alice, "@brand.test hello")
    network.post(bob, "@brand.test from bob")
    assert len(await listed(session)) == 3
    network.delete(mention)
    network.delete(own)
    assert await texts(session) == ["@brand.test from bob"]
    block = network.block(bob, brand)
    assert await listed(session) == []
    network.delete(block)
    assert await texts(session) == ["@brand.test from bob"]


async def test_a_rewritten_post_is_told_once_with_its_new_version(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """The notification stays one; its ``cid`` and ``indexedAt`` change."""
    post = network.post(alice, "@brand.test one")
    (before,) = await listed(session)
    key = post.uri.rpartition("/")[2]
    record = {**before["record"], "text": "@brand.test two", "createdAt": "2026-01-01T12:30:00Z"}
    network.repository(alice).put("app.bsky.feed.post", key, record)
    (after,) = await listed(session)
    assert (after["uri"], after["record"]["text"]) == (before["uri"], "@brand.test two")
    assert after["cid"] != before["cid"]


async def test_a_new_handle_shows_in_old_notifications(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """The DID stays: that is who it is."""
    network.post(alice, "@brand.test hello")
    network.rename(alice, "alice.example")
    (line,) = await listed(session)
    assert (line["author"]["handle"], line["author"]["did"]) == ("alice.example", alice.did)


async def test_priority_shows_whom_we_follow(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """And nobody else."""
    network.post(alice, "@brand.test from alice")
    network.post(bob, "@brand.test from bob")
    network.follow(brand, bob)
    assert await texts(session, priority="true") == ["@brand.test from bob"]

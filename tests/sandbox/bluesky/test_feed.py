"""Posts, threads, embeds, counts and profiles as the AppView shows them."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky import Account, BlueskyNetwork, Image, Link, RecordReference
from tests.sandbox.bluesky.client import Session

POSTS = "app.bsky.feed.getPosts"
THREAD = "app.bsky.feed.getPostThread"
PROFILE = "app.bsky.actor.getProfile"
DEFS = "app.bsky.feed.defs#"


async def shown(session: Session, post: RecordReference) -> dict[str, Any]:
    """One post as the session sees it."""
    (view,) = (await session.get(POSTS, uris=[post.uri]))["posts"]
    found: dict[str, Any] = view
    return found


async def test_getPosts_keeps_the_order_and_leaves_out_what_is_missing(  # noqa: N802
    network: BlueskyNetwork, session: Session, alice: Account
) -> None:
    """At most 25; a uri given twice is shown once; a handle in a uri makes the AppView fail."""
    posts = [network.post(alice, f"{number}") for number in range(3)]
    missing = posts[0].uri[:-1] + ("2" if posts[0].uri[-1] != "2" else "3")
    uris = [posts[2].uri, missing, posts[0].uri, posts[2].uri, posts[1].uri]
    views = (await session.get(POSTS, uris=uris))["posts"]
    assert [view["record"]["text"] for view in views] == ["2", "0", "1"]
    too_many = await session.refused(POSTS, uris=[posts[0].uri] * 26)
    message = f"Invalid {POSTS} params: array too big (maximum 25, got 26)"
    assert too_many == (400, "InvalidRequest", message)
    by_handle = await session.refused(POSTS, uris=[posts[0].uri.replace(alice.did, "alice.test")])
    assert by_handle[0] == 502


async def test_counts_and_the_viewers_own_marks(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Likes, reposts, quotes and replies are counted; the viewer's own are named."""
    post = network.post(alice, "hello")
    like, repost = network.like(brand, post), network.repost(brand, post)
    network.like(bob, post)
    network.post(bob, "answer", reply_to=post)
    network.post(bob, "look", quote=post)
    view = await shown(session, post)
    counts = {key: view[f"{key}Count"] for key in ("like", "repost", "reply", "quote")}
    assert counts == {"like": 2, "repost": 1, "reply": 1, "quote": 1}
    assert (view["viewer"]["like"], view["viewer"]["repost"]) == (like.uri, repost.uri)
    network.delete(like)
    view = await shown(session, post)
    assert (view["likeCount"], "like" in view["viewer"]) == (1, False)
    likes = await session.get("app.bsky.feed.getLikes", uri=post.uri)
    assert [one["actor"]["handle"] for one in likes["likes"]] == ["bob.test"]
    reposts = await session.get("app.bsky.feed.getRepostedBy", uri=post.uri)
    assert [one["handle"] for one in reposts["repostedBy"]] == ["brand.test"]


async def test_likes_are_paged(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """The newest first."""
    post = network.post(alice, "hello")
    network.like(bob, post)
    network.like(brand, post)
    first = await session.get("app.bsky.feed.getLikes", uri=post.uri, limit=1)
    cursor = first["cursor"]
    second = await session.get("app.bsky.feed.getLikes", uri=post.uri, limit=1, cursor=cursor)
    handles = [page["likes"][0]["actor"]["handle"] for page in (first, second)]
    assert handles == ["brand.test", "bob.test"]
    assert "cursor" not in second


async def test_a_thread_shows_ancestors_and_replies(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Replies the newest first, as deep as asked; root and parent as a reply must name them."""
    root = network.post(brand, "root")
    middle = network.post(alice, "middle", reply_to=root)
    for text in ("one", "two"):
        network.post(bob, text, reply_to=middle)
    thread = (await session.get(THREAD, uri=middle.uri))["thread"]
    assert thread["parent"]["post"]["uri"] == root.uri
    assert [reply["post"]["record"]["text"] for reply in thread["replies"]] == ["two", "one"]
    reply = thread["replies"][0]["post"]["record"]["reply"]
    assert (reply["root"], reply["parent"]) == (root.as_json(), middle.as_json())
    flat = (await session.get(THREAD, uri=middle.uri, depth=0, parentHeight=0))["thread"]
    assert flat.keys() == {"$type", "post", "threadContext"}
    top = (await session.get(THREAD, uri=root.uri, depth=1))["thread"]
    assert "replies" not in top["replies"][0]


async def test_missing_and_deleted_posts_in_threads(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """The post itself: 400 ``NotFound``. A deleted parent: a place-holder."""
    root = network.post(brand, "root")
    reply = network.post(alice, "reply", reply_to=root)
    network.delete(root)
    refused = await session.refused(THREAD, uri=root.uri)
    assert refused == (400, "NotFound", f"Post not found: {root.uri}")
    thread = (await session.get(THREAD, uri=reply.uri))["thread"]
    kind = f"{DEFS}notFoundPost"
    assert thread["parent"] == {"$type": kind, "uri": root.uri, "notFound": True}


async def test_blocks_hide(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """From getPosts and as a place-holder from threads; others see no reply to who blocks us."""
    root = network.post(alice, "root")
    network.block(bob, brand)
    blocked = network.post(bob, "from who blocks us", reply_to=root)
    assert await session.get(POSTS, uris=[blocked.uri]) == {"posts": []}
    thread = (await session.get(THREAD, uri=blocked.uri))["thread"]
    assert (thread["$type"], thread["author"]["did"]) == (f"{DEFS}blockedPost", bob.did)
    (reply,) = (await session.get(THREAD, uri=root.uri))["thread"]["replies"]
    assert reply["$type"] == f"{DEFS}blockedPost"
    ours = network.post(brand, "to who blocks us", reply_to=blocked)  # written all the same
    other = await session.client.log_in(alice)
    seen = (await other.get(THREAD, uri=blocked.uri))["thread"]
    assert seen["replies"] == []
    above = (await other.get(THREAD, uri=ours.uri))["thread"]["parent"]
    assert above["$type"] == f"{DEFS}blockedPost"


async def test_embeds_are_shown(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account
) -> None:
    """Images, a link card, a quote, and a quote beside images."""
    plain = network.post(alice, "plain")
    image = Image(b"picture", alt="a picture", size=(4, 3))
    pictured = await shown(session, network.post(alice, "see", images=[image]))
    (picture,) = pictured["embed"]["images"]
    assert (picture["alt"], picture["aspectRatio"]) == ("a picture", {"width": 4, "height": 3})
    link = Link("https://example.com/a", "A title", "About it")
    linked = await shown(session, network.post(alice, "read", link=link))
    assert linked["embed"]["$type"] == "app.bsky.embed.external#view"
    assert linked["embed"]["external"]["title"] == "A title"
    quote = network.post(bob, "look", quote=plain)
    quoted = (await shown(session, quote))["embed"]["record"]
    assert (quoted["value"]["text"], quoted["author"]["did"]) == ("plain", alice.did)
    both = await shown(session, network.post(bob, "both", quote=quote, images=[image]))
    assert both["embed"]["media"]["$type"] == "app.bsky.embed.images#view"
    inner = both["embed"]["record"]["record"]
    assert inner["embeds"][0]["record"]["value"]["text"] == "plain"


async def test_a_quote_of_what_is_gone_or_blocked(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """It says so instead."""
    original = network.post(alice, "original")
    quote = network.post(bob, "look", quote=original)
    network.block(alice, brand)
    kind = "app.bsky.embed.record#view"
    assert (await shown(session, quote))["embed"]["record"]["$type"] == f"{kind}Blocked"
    for edge in network.records(alice, "app.bsky.graph.block"):
        network.delete(edge.reference)
    network.delete(original)
    assert (await shown(session, quote))["embed"]["record"]["$type"] == f"{kind}NotFound"


async def test_profiles(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """By DID or handle, with counts and what stands between viewer and account."""
    follow = network.follow(brand, alice)
    back = network.follow(alice, brand)
    network.post(alice, "hello")
    profile = await session.get(PROFILE, actor="Alice.test")
    counts = {key: profile[f"{key}Count"] for key in ("followers", "follows", "posts")}
    assert counts == {"followers": 1, "follows": 1, "posts": 1}
    viewer = profile["viewer"]
    assert (viewer["following"], viewer["followedBy"]) == (follow.uri, back.uri)
    unknown = await session.refused(PROFILE, actor="nobody.test")
    assert unknown == (400, "InvalidRequest", "Profile not found")
    actors = ["alice.test", "nobody.test", brand.did]
    found = (await session.get("app.bsky.actor.getProfiles", actors=actors))["profiles"]
    assert [one["handle"] for one in found] == ["alice.test", "brand.test"]


async def test_handles_are_resolved(session: Session, alice: Account) -> None:
    """An unknown one is ``HandleNotFound``."""
    nsid = "com.atproto.identity.resolveHandle"
    assert await session.client.call(nsid, params={"handle": "alice.test"}) == {"did": alice.did}
    unknown = await session.refused(nsid, handle="nobody.test")
    assert unknown == (400, "HandleNotFound", "Unable to resolve handle")


async def test_the_appview_wants_a_token(session: Session, alice: Account) -> None:
    """Through the PDS nothing of ``app.bsky`` is public."""
    response = await session.client.http.get(f"/xrpc/{PROFILE}", params={"actor": alice.did})
    assert (response.status_code, response.json()["error"]) == (401, "AuthMissing")


async def test_the_server_describes_itself(session: Session) -> None:
    """With the largest blob it takes."""
    described = await session.client.call("com.atproto.server.describeServer")
    assert described["blobUploadLimit"] == 5_242_880

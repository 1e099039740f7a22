"""Notifications: what the connector relies on holds in the network and in the sandbox."""

from __future__ import annotations

from tests.interop.places import Place
from tests.interop.session import Reference, Session, ago, now

KEY = "3kqk2zt5bfc2x"


async def list_reasons(account: Session) -> list[tuple[str, str]]:
    """Reason and URI of an account's notifications, newest first."""
    return [(item["reason"], item["uri"]) for item in await account.list_notifications()]


async def test_one_post_notifies_once_by_precedence(place: Place) -> None:
    """Mention goes before quote, and quote before reply; the newest comes first."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await brand.post("we are open")
    await place.settle()  # a reply that is indexed before its parent notifies nobody
    reply = await alice.post("at last", reply_to=post)
    quote = await alice.post("look", quote=post)
    both = await alice.post("look here", reply_to=post, quote=post)
    mention = await alice.post(f"hello @{brand.handle}", reply_to=post, quote=post)
    await alice.post(f"{brand.handle} is only named here")
    await brand.post(f"thank you, says @{brand.handle}", reply_to=reply)
    await place.settle()
    assert await list_reasons(brand) == [
        ("mention", mention.uri),
        ("quote", both.uri),
        ("quote", quote.uri),
        ("reply", reply.uri),
    ]


async def test_the_subject_of_a_reply_is_the_nearest_post_of_ones_own(place: Place) -> None:
    """It need be neither the parent nor the root; a mention has none."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    root = await brand.post("root")
    await place.settle()  # a reply that is indexed before its parent notifies nobody
    first = await alice.post("first", reply_to=root)
    second = await alice.post("second", reply_to=first)
    mention = await alice.post(f"@{brand.handle}?")
    await place.settle()
    listed = await brand.list_notifications()
    subjects = {item["uri"]: item.get("reasonSubject") for item in listed}
    assert subjects == {first.uri: root.uri, second.uri: root.uri, mention.uri: None}


async def test_a_backdated_mention_appears_in_the_past(place: Place) -> None:
    """Its ``indexedAt`` is the author's time; one from the future gets the time of indexing."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    text = f"hello @{brand.handle}"
    usual = await alice.post(text)
    past = await alice.post(text, createdAt=ago(days=400))
    future = await alice.post(text, createdAt=ago(days=-400))
    await place.settle()
    listed = await brand.list_notifications()
    assert [item["uri"] for item in listed] == [future.uri, usual.uri, past.uri]
    assert listed[-1]["indexedAt"] < ago(days=399)
    assert listed[0]["indexedAt"] < ago(days=-1)


async def test_equal_times_are_lost_at_the_border_of_pages(place: Place) -> None:
    """Pages of one show one of three mentions of one moment; a page of a hundred shows all."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    moment = ago(minutes=5)
    for _ in range(3):
        await alice.post(f"hello @{brand.handle}", createdAt=moment)
    await place.settle()
    seen: list[str] = []
    cursor = None
    while True:
        page = await brand.get("app.bsky.notification.listNotifications", limit=1, cursor=cursor)
        seen += [item["uri"] for item in page["notifications"]]
        cursor = page.get("cursor")
        if cursor is None:
            break
    assert len(seen) == 1
    assert len(await brand.list_notifications()) == 3


async def test_reading_them_in_the_app_hides_nothing(place: Place) -> None:
    """``updateSeen`` answers nothing, and changes ``isRead`` alone."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await alice.post(f"hello @{brand.handle}")
    await place.settle()
    seen = {"seenAt": now()}
    assert await brand.call("app.bsky.notification.updateSeen", seen) == {}
    (listed,) = await brand.list_notifications()
    assert (listed["uri"], listed["isRead"]) == (post.uri, True)


async def test_a_deleted_post_leaves_the_list(place: Place) -> None:
    """And so does one by an author who blocks the brand."""
    alice, bob = await place.make_account("alice"), await place.make_account("bob")
    brand = await place.make_account("brand")
    text = f"hello @{brand.handle}"
    await alice.delete((await alice.post(text)).uri)
    kept = await alice.post(text)
    await bob.post(text)
    await bob.block(brand.did)
    await place.settle()
    assert await list_reasons(brand) == [("mention", kept.uri)]


async def test_likes_and_reposts_name_the_post(place: Place) -> None:
    """They are listed with their own URI, and the brand's post as subject."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await brand.post("news")
    like, repost = await alice.like(post), await alice.repost(post)
    await place.settle()
    listed = await brand.list_notifications()
    assert [(item["reason"], item["uri"], item["reasonSubject"]) for item in listed] == [
        ("repost", repost.uri, post.uri),
        ("like", like.uri, post.uri),
    ]


async def test_the_same_like_written_twice_notifies_once(place: Place) -> None:
    """As the connector writes likes: put under a key, with a fixed body."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    post = await alice.post("thank you")
    record = {"subject": post.to_json(), "createdAt": now()}
    answers = [
        await brand.put("app.bsky.feed.like", KEY, record, swapRecord=None) for _ in range(2)
    ]
    await place.settle()
    assert Reference.take(answers[0]) == Reference.take(answers[1])
    assert await list_reasons(alice) == [("like", answers[0]["uri"])]

"""Agents' commands and long answers on the real network, each read back from the AppView."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.translation.splitting import count_graphemes
from sandbox.genesys.conversations import InboundMessage, Receipt
from tests.interop.connected import Desk, open_desk
from tests.interop.net import Net
from tests.interop.session import Json

pytestmark = pytest.mark.interop

ADDRESS = "https://brand.example/manual/" + "chapter-" * 9
FAMILY = "👨‍👩‍👧‍👦"


async def do(desk: Desk, message: InboundMessage, *texts: str) -> list[Receipt]:
    """Send these public answers, each when the one before has its receipt."""
    return [await desk.answer(message, text, public=True) for text in texts]


def statuses(receipts: list[Receipt]) -> list[str]:
    return [receipt.status or "" for receipt in receipts]


async def list_own_posts(net: Net) -> list[Json]:
    """The brand's posts as the AppView shows them, the newest first."""
    await net.wait_indexed()
    feed = await net.ask_appview(
        "app.bsky.feed.getAuthorFeed", actor=net.brand.did, limit=100, filter="posts_with_replies"
    )
    posts: list[Json] = [one["post"] for one in feed["feed"]]
    return posts


def said(record: Json) -> list[tuple[str, str]]:
    """The words of each facet, and what they lead to."""
    raw = record["text"].encode()
    return [
        (
            raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(),
            facet["features"][0].get("uri") or facet["features"][0].get("did", ""),
        )
        for facet in record.get("facets", ())
    ]


async def test_a_long_answer_keeps_links_and_emoji_whole(net: Net, tmp_path: Path) -> None:
    """900 graphemes: the link and the emoji stand where a cut would go, and are not cut."""
    alice = await net.log_in("alice")
    filler = "Press the button. "
    text = (filler * 15 + f"See {ADDRESS} now. ").ljust(560, "-") + f" {FAMILY * 30} @alice.test "
    text = (text + filler * 40)[:1320].strip()
    text = text[: text.rindex("Press") - 1]
    assert 900 <= count_graphemes(text) < 1500
    variables = {"POST_LANGS": "en,de-CH"}
    async with open_desk(net, tmp_path, variables) as desk:
        mention = await alice.post("How does it work, @brand.test?")
        message = await desk.wait_post(mention.uri)
        receipt = await desk.answer(message, text, public=True)

    assert receipt.status == "Delivered"
    await net.wait_indexed()
    records: list[Json] = []
    level = (await net.get_thread(mention.uri))["replies"]
    while level:
        (below,) = level
        records.append(below["post"]["record"])
        level = below.get("replies", [])
    total = len(records)
    assert total >= 4
    parts = []
    for number, record in enumerate(records, start=1):
        end = f" ({number}/{total})"
        assert record["text"].endswith(end)
        parts.append(record["text"].removesuffix(end))
        assert record["langs"] == ["en", "de-CH"]
    assert " ".join(parts) == text
    facets = [facet for record in records for facet in said(record)]
    assert facets == [(ADDRESS, ADDRESS), ("@alice.test", alice.did)]


async def test_a_quote_and_a_post_show(net: Net, tmp_path: Path) -> None:
    """The quote embeds the customer's post; both begin threads of their own."""
    alice = await net.log_in("alice")
    long = " ".join(f"We have news number {number}." for number in range(1, 20))
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("I love it, @brand.test!")
        message = await desk.wait_post(mention.uri)
        receipts = await do(desk, message, "!quote Thank you, @alice.test!", f"!post {long}")

    assert statuses(receipts) == ["Delivered"] * 2
    second, first, quote, *_ = await list_own_posts(net)
    assert quote["record"]["text"] == "Thank you, @alice.test!"
    assert quote["embed"]["$type"] == "app.bsky.embed.record#view"
    assert quote["embed"]["record"]["uri"] == mention.uri
    assert "reply" not in quote["record"]
    assert "reply" not in first["record"]
    link = {"uri": first["uri"], "cid": first["cid"]}
    assert second["record"]["reply"] == {"root": link, "parent": link}
    assert (await net.get_thread(mention.uri))["post"]["quoteCount"] == 1


async def test_delete_takes_back_a_whole_chain(net: Net, tmp_path: Path) -> None:
    """Then the answer before it; then there is nothing left, and the agent is told."""
    alice = await net.log_in("alice")
    long = " ".join(f"Step {number}: press the button." for number in range(1, 25))
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("What now, @brand.test?")
        message = await desk.wait_post(mention.uri)
        await do(desk, message, "Let me see.", long)
        await net.wait_indexed()
        assert (await net.get_thread(mention.uri))["post"]["replyCount"] == 2
        await net.add_fault("deleteRecord", "drop_after")
        deleted = await do(desk, message, "!delete")
        await net.wait_indexed()
        (left,) = (await net.get_thread(mention.uri))["replies"]
        assert left["post"]["record"]["text"] == "Let me see."
        deleted += await do(desk, message, "!delete", "!delete")

    assert statuses(deleted) == ["Delivered", "Delivered", "Failed"]
    await net.wait_indexed()
    thread = await net.get_thread(mention.uri)
    assert (thread["replies"], thread["post"]["replyCount"]) == ([], 0)


async def test_what_was_liked_and_reposted_can_be_taken_back(net: Net, tmp_path: Path) -> None:
    """At once, while the AppView does not show it yet; and then done again."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("You are good, @brand.test!")
        message = await desk.wait_post(mention.uri)
        await net.control("POST", "/indexing", {"on": False})
        receipts = await do(desk, message, "!like", "!unlike", "!repost", "!unrepost", "!like")
        await net.control("POST", "/indexing", {"on": True})
        await net.wait_indexed()
        post = (await net.get_thread(mention.uri))["post"]
        assert (post["likeCount"], post["repostCount"]) == (1, 0)
        receipts += await do(desk, message, "!unlike", "!unlike")

    assert statuses(receipts) == ["Delivered"] * 7
    await net.wait_indexed()
    post = (await net.get_thread(mention.uri))["post"]
    assert (post["likeCount"], post["repostCount"]) == (0, 0)


async def test_a_reply_in_our_thread_is_hidden(net: Net, tmp_path: Path) -> None:
    """The gate lists it; a reply in somebody else's thread is refused."""
    alice, brand = await net.log_in("alice"), await net.log_in("brand")
    async with open_desk(net, tmp_path) as desk:
        news = await brand.post("We have news.")
        await net.wait_indexed()
        replies = [await alice.post(text, reply_to=news) for text in ("Spam!", "More spam!")]
        receipts = []
        for reply in replies:
            receipts += await do(desk, await desk.wait_post(reply.uri), "!hide")
        mention = await alice.post("And you, @brand.test?")
        receipts += await do(desk, await desk.wait_post(mention.uri), "!hide")

    assert statuses(receipts) == ["Delivered", "Delivered", "Failed"]
    await net.wait_indexed()
    gate = (await net.get_thread(news.uri))["post"]["threadgate"]["record"]
    assert gate["hiddenReplies"] == [reply.uri for reply in replies]
    assert "allow" not in gate


async def test_people_are_followed_muted_and_blocked(net: Net, tmp_path: Path) -> None:
    """And each is undone, of somebody blocked too, whose posts the account sees no more."""
    erin = await net.add_account("erin", "all")
    session = net.open_session(net.service_url)
    await session.log_in(erin.handle, erin.password)
    brand = await net.log_in("brand")

    async def between() -> Json:
        await net.wait_indexed()
        (profile,) = (await brand.get("app.bsky.actor.getProfiles", actors=erin.did))["profiles"]
        found: Json = profile["viewer"]
        return found

    async with open_desk(net, tmp_path) as desk:
        mention = await session.post("Hello @brand.test")
        message = await desk.wait_post(mention.uri)
        receipts = await do(desk, message, "!follow", "!mute")
        viewer = await between()
        assert (viewer["muted"], "following" in viewer) == (True, True)
        receipts += await do(desk, message, "!unfollow", "!unmute", "!block")
        viewer = await between()
        assert (viewer["muted"], "following" in viewer) == (False, False)
        assert "blocking" in viewer
        refused = await do(desk, message, "Are you still there?", "!dm Are you?")
        receipts += await do(desk, message, "!unblock")
        assert "blocking" not in await between()
        receipts += await do(desk, message, "!dm Welcome back.")

    assert statuses(receipts) == ["Delivered"] * 7
    assert [one.reasons[0][1] for one in refused] == [
        "The company's account has blocked this person on Bluesky."
    ] * 2
    assert [one["text"] for one in await session.list_messages(net.brand.did)] == ["Welcome back."]


async def test_a_locked_thread_is_explained(net: Net, tmp_path: Path) -> None:
    """The PDS would take the reply, and the AppView would show it to nobody."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("Only I speak here, @brand.test")
        gate = {"post": mention.uri, "createdAt": "2026-01-01T00:00:00Z", "allow": []}
        await alice.put("app.bsky.feed.threadgate", mention.uri.rpartition("/")[2], gate)
        message = await desk.wait_post(mention.uri)
        await net.wait_indexed()
        (refused,) = await do(desk, message, "May I?")

    assert "limited who may reply" in refused.reasons[0][1]

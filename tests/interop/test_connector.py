"""The connector against the real PDS and AppView: every direction, read back from the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.interop.connected import open_desk
from tests.interop.net import Net
from tests.interop.session import Json

pytestmark = pytest.mark.interop


async def test_mentions_replies_quotes_and_hits_arrive(net: Net, tmp_path: Path) -> None:
    """Each becomes one public message, threaded by its true root, with its author's DID."""
    alice, bob, brand = [await net.log_in(name) for name in ("alice", "bob", "brand")]
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("Hello @brand.test, are you there?")
        arrived = await desk.wait_post(mention.uri)
        assert (arrived.root_id, arrived.reply_to_id) == (mention.uri, None)
        assert arrived.sender_id == alice.did
        assert arrived.text == "Hello @brand.test, are you there?"

        announcement = await brand.post("We have news.")
        await net.wait_indexed()  # a reply that is indexed before its parent notifies nobody
        reply = await bob.post("Tell us!", reply_to=announcement)
        arrived = await desk.wait_post(reply.uri)
        assert (arrived.root_id, arrived.reply_to_id) == (announcement.uri, announcement.uri)

        quote = await alice.post("Look at this", quote=announcement)
        arrived = await desk.wait_post(quote.uri)
        assert "We have news." in arrived.text

        hit = await bob.post("is the brandphone any good?")
        arrived = await desk.wait_post(hit.uri)
        assert arrived.sender_id == bob.did

        uris = [one.provider_message_id for one in desk.genesys.ingested]
        # What Bob answers was written in the app, and comes with his reply.
        expected = [mention.uri, announcement.uri, reply.uri, quote.uri, hit.uri]
        assert sorted(uris) == sorted(expected)
        dids = {alice.did, bob.did}
        await desk.wait(
            lambda: [True] if _contact_dids(desk.genesys.contacts.by_id) == dids else []
        )


def _contact_dids(contacts: Mapping[str, Json]) -> set[str]:
    return {one["value"] for contact in contacts.values() for one in contact["externalIds"]}


async def test_a_public_answer_is_threaded_and_its_facets_hold(net: Net, tmp_path: Path) -> None:
    """The AppView shows the reply below the post, with link, mention and tag as facets."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("Where is the manual, @brand.test?")
        message = await desk.wait_post(mention.uri)
        text = "Größe: siehe https://brand.example/manual – @alice.test #Hilfe 🚀"
        receipt = await desk.answer(message, text, public=True)

    assert receipt.status == "Delivered"
    await net.wait_indexed()
    thread = await net.get_thread(mention.uri)
    (below,) = thread["replies"]
    record = below["post"]["record"]
    assert below["post"]["author"]["did"] == net.brand.did
    assert record["text"] == text
    assert record["reply"]["parent"] == record["reply"]["root"] == mention.to_json()
    raw = text.encode()
    found = {
        facet["features"][0]["$type"].partition("#")[2]: raw[
            facet["index"]["byteStart"] : facet["index"]["byteEnd"]
        ].decode()
        for facet in record["facets"]
    }
    assert found == {
        "link": "https://brand.example/manual",
        "mention": "@alice.test",
        "tag": "#Hilfe",
    }
    mentioned = [
        feature["did"]
        for facet in record["facets"]
        for feature in facet["features"]
        if "did" in feature
    ]
    assert mentioned == [alice.did]


async def test_a_long_answer_becomes_a_chain(net: Net, tmp_path: Path) -> None:
    """Each part is below the one before; together they are the whole text."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("How do I reset it, @brand.test?")
        message = await desk.wait_post(mention.uri)
        text = " ".join(f"Step {number}: press the button and wait." for number in range(1, 25))
        receipt = await desk.answer(message, text, public=True)

    assert receipt.status == "Delivered"
    await net.wait_indexed()
    parts = []
    level = (await net.get_thread(mention.uri))["replies"]
    while level:
        assert len(level) == 1
        parts.append(level[0]["post"]["record"]["text"])
        level = level[0].get("replies", [])
    assert len(parts) > 2
    numbers = [f" ({number}/{len(parts)})" for number in range(1, len(parts) + 1)]
    assert [part[-len(end) :] for part, end in zip(parts, numbers, strict=True)] == numbers
    assert " ".join(part[: part.rindex(" (")] for part in parts) == text


async def test_a_like_and_a_repost_show(net: Net, tmp_path: Path) -> None:
    """``!like`` and ``!repost`` are seen by the AppView; an unknown command is not posted."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        mention = await alice.post("You are great, @brand.test!")
        message = await desk.wait_post(mention.uri)
        liked = await desk.answer(message, "!like", public=True)
        reposted = await desk.answer(message, "!repost", public=True)
        refused = await desk.answer(message, "!lick", public=True)

    assert (liked.status, reposted.status, refused.status) == ("Delivered", "Delivered", "Failed")
    await net.wait_indexed()
    post = (await net.get_thread(mention.uri))["post"]
    assert (post["likeCount"], post["repostCount"], post["replyCount"]) == (1, 1, 0)
    likes = await net.ask_appview("app.bsky.feed.getLikes", uri=mention.uri)
    assert [like["actor"]["did"] for like in likes["likes"]] == [net.brand.did]


async def test_direct_messages_go_both_ways(net: Net, tmp_path: Path) -> None:
    """A customer's message arrives with the sender's handle; the answer is in the conversation."""
    carol = await net.log_in("carol")
    async with open_desk(net, tmp_path) as desk:
        await carol.send_message(net.brand.did, "My order is late.")
        message = await desk.wait_text("My order is late.")
        assert (message.sender_id, message.sender["nickname"]) == (carol.did, carol.handle)
        receipt = await desk.answer(message, "Which order, please?", public=False)

    assert receipt.status == "Delivered"
    assert [one["text"] for one in await carol.list_messages(net.brand.did)] == [
        "My order is late.",
        "Which order, please?",
    ]


async def test_a_refused_direct_message_is_explained(net: Net, tmp_path: Path) -> None:
    """The agent learns that the customer accepts no direct messages."""
    dave = await net.add_account("dave", "none")
    session = net.open_session(net.service_url)
    await session.log_in(dave.handle, dave.password)
    async with open_desk(net, tmp_path) as desk:
        mention = await session.post("Do not write to me, @brand.test")
        message = await desk.wait_post(mention.uri)
        receipt = await desk.answer(message, "Why not?", public=False)

    assert receipt.status == "Failed"
    ((code, sentence),) = receipt.reasons
    assert code is not None
    assert "direct messages" in sentence


async def test_the_session_is_refreshed(net: Net, tmp_path: Path) -> None:
    """Access tokens of two seconds: messages go on, by refreshing, with one login only."""
    alice = await net.log_in("alice")
    await net.limit_access(2)
    async with open_desk(net, tmp_path) as desk:
        for number in range(4):
            mention = await alice.post(f"@brand.test, number {number}")
            message = await desk.wait_post(mention.uri)
            receipt = await desk.answer(message, f"answer {number}", public=True)
            assert receipt.status == "Delivered"
        assert desk.health()[0]["status"] == "ok"

    logins = await net.list_calls("com.atproto.server.createSession")
    refreshes = await net.list_calls("com.atproto.server.refreshSession")
    assert len(logins) == 1
    assert len(refreshes) >= 1


async def test_a_lost_answer_doubles_nothing(net: Net, tmp_path: Path) -> None:
    """The PDS writes and the connection breaks: one reply, one direct message, one receipt each."""
    carol = await net.log_in("carol")
    async with open_desk(net, tmp_path) as desk:
        mention = await carol.post("Are you still there, @brand.test?")
        message = await desk.wait_post(mention.uri)
        await net.add_fault("putRecord", "drop_after")
        public = await desk.answer(message, "We are.", public=True)
        await net.add_fault("sendMessage", "drop_after")
        private = await desk.answer(message, "And here as well.", public=False)

    assert (public.status, private.status) == ("Delivered", "Delivered")
    await net.wait_indexed()
    thread = await net.get_thread(mention.uri)
    assert [below["post"]["record"]["text"] for below in thread["replies"]] == ["We are."]
    texts = [one["text"] for one in await carol.list_messages(net.brand.did)]
    assert texts.count("And here as well.") == 1
    assert len(desk.genesys.receipts) == 2

"""What Bluesky tells nobody, found on the real network: additions, reactions, deletions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.interop.connected import Desk, open_desk
from tests.interop.net import Net
from tests.interop.session import Reference, Session, now

pytestmark = pytest.mark.interop

OFTEN = {"FOLLOW_THREADS_EVERY": "0.3", "REACTIONS_EVERY": "0.3", "WATCH_DELETES_EVERY": "0.3"}


async def list_notified(brand: Session) -> set[str]:
    return {one["uri"] for one in await brand.list_notifications()}


async def test_a_continued_post_arrives(net: Net, tmp_path: Path) -> None:
    """2/2 of a customer's post notifies nobody; it is found in the thread."""
    alice, brand = [await net.log_in(name) for name in ("alice", "brand")]
    async with open_desk(net, tmp_path, OFTEN) as desk:
        first = await alice.post("My order is late, @brand.test. 1/2")
        await desk.wait_post(first.uri)
        second = await alice.post("It was promised for Monday. 2/2", reply_to=first)
        arrived = await desk.wait_post(second.uri)
        assert (arrived.root_id, arrived.reply_to_id) == (first.uri, first.uri)
        assert arrived.text == "It was promised for Monday. 2/2"
        answered = await desk.answer(arrived, "We are looking into it.", public=True)
        assert answered.status == "Delivered"
    assert second.uri not in await list_notified(brand)


async def test_an_answer_deep_in_a_thread_arrives(net: Net, tmp_path: Path) -> None:
    """Seven levels below a post of ours, where the notifications have ended."""
    alice, bob, brand = [await net.log_in(name) for name in ("alice", "bob", "brand")]
    async with open_desk(net, tmp_path, OFTEN) as desk:
        chain = [await brand.post("We have news.")]
        for level in range(7):
            await net.wait_indexed()
            author = bob if level % 2 else alice
            chain.append(await author.post(f"level {level + 1}", reply_to=chain[-1]))
        arrived = await desk.wait_post(chain[-1].uri)
        assert (arrived.root_id, arrived.reply_to_id) == (chain[0].uri, chain[-2].uri)
    assert chain[-1].uri not in await list_notified(brand)


async def test_a_reply_that_lost_its_notification_arrives(net: Net, tmp_path: Path) -> None:
    """It was indexed before the post of ours that it answers, and so never notifies us."""
    alice, brand = [await net.log_in(name) for name in ("alice", "brand")]
    async with open_desk(net, tmp_path, OFTEN) as desk:
        first = await alice.post("Is anybody there, @brand.test?")
        await desk.wait_post(first.uri)
        key = "3zzzzzzzzzz22"
        later = Reference(f"at://{brand.did}/app.bsky.feed.post/{key}", first.cid)
        reply = {"root": first.to_json(), "parent": later.to_json()}
        lost = await alice.create("app.bsky.feed.post", {"text": "Good!", "reply": reply})
        await net.wait_indexed()
        below = {"root": first.to_json(), "parent": first.to_json()}
        await brand.put(
            "app.bsky.feed.post", key, {"text": "We are.", "createdAt": now(), "reply": below}
        )
        arrived = await desk.wait_post(lost.uri)
        assert (arrived.root_id, arrived.reply_to_id) == (first.uri, later.uri)
    assert lost.uri not in await list_notified(brand)


async def test_a_reply_brings_what_it_answers(net: Net, tmp_path: Path) -> None:
    """Root and parent come before it, marked; our own post in between is marked as ours."""
    alice, bob, brand = [await net.log_in(name) for name in ("alice", "bob", "brand")]
    root = await bob.post("Which phone shall I buy?")
    await net.wait_indexed()
    own = await brand.post("Ours!", reply_to=root)
    await net.wait_indexed()
    async with open_desk(net, tmp_path, OFTEN) as desk:
        asked = await alice.post("Does it float, @brand.test?", reply_to=own)
        await desk.wait_post(asked.uri)
    uris = [one.provider_message_id for one in desk.genesys.ingested]
    assert uris == [root.uri, own.uri, asked.uri]
    metadata = [one.body["metadata"] for one in desk.genesys.ingested]
    assert [one.get("context") for one in metadata] == ["true", "true", None]
    assert [one.get("author_is_us") for one in metadata] == [None, "true", None]
    assert len({one.conversation_id for one in desk.genesys.ingested}) == 1


async def test_reactions_are_counted(net: Net, tmp_path: Path) -> None:
    """A like, a repost and a quote of a post of ours; a second like changes the count."""
    alice, bob, brand = [await net.log_in(name) for name in ("alice", "bob", "brand")]
    async with open_desk(net, tmp_path, OFTEN) as desk:
        post = await brand.post("Our new phone.")
        await net.wait_indexed()
        await alice.like(post)
        await bob.repost(post)
        quote = await bob.post("Look!", quote=post)
        await wait_counts(desk, post.uri, {"Like": 1, "Share": 2})
        await bob.like(post)
        await wait_counts(desk, post.uri, {"Like": 2, "Share": 2})
        await desk.wait_post(quote.uri)
    assert [one.provider_message_id for one in desk.genesys.ingested] == [quote.uri]


async def wait_counts(desk: Desk, uri: str, expected: Mapping[str, int]) -> None:
    """Wait until these are the last counts of a post."""

    def find() -> list[Any]:
        last = [
            {one["reactionType"]: one["count"] for one in event["events"][0]["reactions"]}
            for event in desk.genesys.messaging.reactions
            if event["channel"]["messageId"] == uri
        ][-1:]
        return last if last == [expected] else []

    await desk.wait(find)


async def test_a_deleted_post_is_noted_and_a_hidden_one_is_not(net: Net, tmp_path: Path) -> None:
    """Once, in its conversation. That its author blocks us is no deletion."""
    alice, bob = [await net.log_in(name) for name in ("alice", "bob")]
    heidi = await net.add_account("heidi")
    hiding = net.open_session(net.service_url)
    await hiding.log_in(heidi.handle, heidi.password)
    async with open_desk(net, tmp_path, OFTEN) as desk:
        hidden = await hiding.post("You will not see me, @brand.test")
        await desk.wait_post(hidden.uri)
        await hiding.block(net.brand.did)
        await net.wait_indexed()
        posts = [
            await alice.post("Forget this, @brand.test"),
            await bob.post("And this, @brand.test"),
        ]
        for post in posts:
            message = await desk.wait_post(post.uri)
            await (alice if post is posts[0] else bob).delete(post.uri)
            await net.wait_indexed()
            note = await desk.wait_post(f"{post.uri}#deleted")
            assert note.conversation_id == message.conversation_id
            assert (note.root_id, note.reply_to_id) == (post.uri, post.uri)
            assert "deleted" in note.text
    uris = [one.provider_message_id for one in desk.genesys.ingested]
    assert len(uris) == len(set(uris)) == 5


async def test_a_deleted_direct_message_is_noted(net: Net, tmp_path: Path) -> None:
    """The log tells of it to whoever deleted it: here a person who uses our account's app."""
    await net.add_account("frank")
    frank, brand = [await net.log_in(name) for name in ("frank", "brand")]
    async with open_desk(net, tmp_path, OFTEN) as desk:
        sent = await frank.send_message(net.brand.did, "My password is 1234.")
        message = await desk.wait_text("My password is 1234.")
        body = {
            "convoId": await brand.open_conversation(frank.did),
            "messageId": sent["id"],
        }
        await brand.call("chat.bsky.convo.deleteMessageForSelf", body)
        note = await desk.wait(
            lambda: [
                one
                for one in desk.genesys.private_messages
                if one.provider_message_id == f"{sent['id']}#deleted"
            ]
        )
        assert (note.sender_id, note.conversation_id) == (frank.did, message.conversation_id)

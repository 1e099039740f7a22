"""What people write on the real network reaches the agent whole, in bodies that Genesys allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.genesys.conversations import InboundMessage
from tests.interop.connected import open_desk
from tests.interop.content import make_png
from tests.interop.net import Net
from tests.interop.session import Json, Session

pytestmark = pytest.mark.interop


async def make_images(account: Session, count: int) -> Json:
    """So many pictures with alt text (``app.bsky.embed.images``)."""
    images = [
        {
            "image": await account.upload(make_png(rgb=(50 * number, 90, 30))),
            "alt": f"picture {number + 1}",
        }
        for number in range(count)
    ]
    return {"$type": "app.bsky.embed.images", "images": images}


def list_attachments(message: InboundMessage) -> list[dict[str, Any]]:
    """What is attached, as it was sent."""
    return [one["attachment"] for one in message.body.get("content", [])]


async def test_four_pictures_arrive_with_their_alt_text(net: Net, tmp_path: Path) -> None:
    """In full size, with the true type, under addresses that answer."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path) as desk:
        embed = await make_images(alice, 4)
        post = await alice.post("Which of these, @brand.test?", embed=embed)
        arrived = await desk.wait_post(post.uri)
    attached = list_attachments(arrived)
    assert [one["text"] for one in attached] == [f"picture {number}" for number in range(1, 5)]
    assert {(one["mediaType"], one["mime"]) for one in attached} == {("Image", "image/png")}
    assert [one["filename"].rpartition("-")[2] for one in attached] == [
        f"{number}.png" for number in range(1, 5)
    ]
    for one in attached:
        assert await net.is_image(one["url"])


async def test_a_quote_with_media_arrives(net: Net, tmp_path: Path) -> None:
    """Who is quoted, what they wrote, and the pictures of both posts, each once."""
    alice, bob = await net.log_in("alice"), await net.log_in("bob")
    async with open_desk(net, tmp_path) as desk:
        quoted = await bob.post("Mine is broken", embed=await make_images(bob, 2))
        await net.wait_indexed()
        embed = {
            "$type": "app.bsky.embed.recordWithMedia",
            "record": {"record": quoted.to_json()},
            "media": await make_images(alice, 1),
        }
        post = await alice.post("So is mine, @brand.test", embed=embed)
        arrived = await desk.wait_post(post.uri)
    key = quoted.uri.rpartition("/")[2]
    assert arrived.text == (
        "So is mine, @brand.test\n\n"
        f"Quoting @bob.test (https://bsky.app/profile/bob.test/post/{key}):\n"
        "> Mine is broken\n> [Image: picture 1]\n> [Image: picture 2]"
    )
    urls = [one["url"] for one in list_attachments(arrived)]
    assert len(urls) == len(set(urls)) == 3


async def test_a_card_arrives_with_what_is_known_of_its_author(net: Net, tmp_path: Path) -> None:
    """Title, description and address below the text; followers and age in the metadata."""
    alice, brand = await net.log_in("alice"), await net.log_in("brand")
    follow = {"subject": brand.did}
    await alice.create("app.bsky.graph.follow", follow)
    async with open_desk(net, tmp_path) as desk:
        external = {"uri": "https://shop.example/a", "title": "The manual", "description": "All."}
        embed = {"$type": "app.bsky.embed.external", "external": external}
        post = await alice.post("Is this true, @brand.test?", embed=embed, langs=["en"])
        arrived = await desk.wait_post(post.uri)
    assert arrived.text == (
        "Is this true, @brand.test?\n\nThe manual\nAll.\nhttps://shop.example/a"
    )
    (link,) = list_attachments(arrived)
    assert (link["mediaType"], link["url"]) == ("Link", "https://shop.example/a")
    metadata = arrived.body["metadata"]
    assert metadata["authorFollowers"].isdecimal()
    assert (metadata["authorAgeDays"], metadata["authorFollowsUs"]) == ("0", "true")
    assert (metadata["reason"], metadata["langs"]) == ("mention", "en")


async def test_noise_is_left_out_of_what_the_search_finds(net: Net, tmp_path: Path) -> None:
    """Another language and an excluded word are counted; what speaks to the brand is heard."""
    bob = await net.log_in("bob")
    noise = {"LISTEN_LANGS": "en", "LISTEN_EXCLUDE": "giveaway"}
    async with open_desk(net, tmp_path, noise) as desk:
        await bob.post("le brandphone est cher", langs=["fr"])
        await bob.post("brandphone giveaway!", langs=["en"])
        wanted = await bob.post("is the brandphone good?", langs=["en"])
        await desk.wait_post(wanted.uri)
        mention = await bob.post("une giveaway, @brand.test ?", langs=["fr"])
        await desk.wait_post(mention.uri)
        skipped = desk.health()[0]["actors"]["SearchPoller"]["skipped"]
        uris = [one.provider_message_id for one in desk.genesys.ingested]
    assert sorted(uris) == sorted([wanted.uri, mention.uri])
    assert (skipped["language"], skipped["excluded_word"]) == (1, 1)


async def test_a_reaction_arrives_and_the_conversation_is_read(net: Net, tmp_path: Path) -> None:
    """The note quotes what was reacted to; nothing is left unread."""
    greta = await net.add_account("greta")
    session = await net.log_in("greta")
    async with open_desk(net, tmp_path) as desk:
        await session.send_message(net.brand.did, "My order is late.")
        message = await desk.wait_text("My order is late.")
        await desk.answer(message, "It left today.", public=False)
        answer = (await session.list_messages(net.brand.did))[-1]
        reaction = {
            "convoId": await session.open_conversation(net.brand.did),
            "messageId": answer["id"],
            "value": "❤️",
        }
        await session.call("chat.bsky.convo.addReaction", reaction)
        note = await desk.wait_text("[Reacted with ❤️ to:]\n> It left today.")
        assert note.sender_id == greta.did
        assert note.conversation_id == message.conversation_id
        brand = await net.log_in("brand")

        async def look() -> bool | None:
            convos = (await brand.get("chat.bsky.convo.listConvos", limit=100))["convos"]
            unread = {
                member["did"]: convo["unreadCount"]
                for convo in convos
                for member in convo["members"]
            }
            return unread.get(greta.did) == 0 or None

        assert await net.wait_for(look, "the conversation is read")

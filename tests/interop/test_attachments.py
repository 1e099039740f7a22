"""Images and cards against the real PDS and AppView: what an agent sends is what people see."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from sandbox.genesys.conversations import Attachment, InboundMessage, Receipt
from tests.interop.connected import Desk, open_desk
from tests.interop.net import Net
from tests.media.pictures import SECRET, make_picture, write_picture, write_with_metadata
from tests.media.server import open_server

pytestmark = pytest.mark.interop

LOCAL = {"FETCH_ALLOW_PRIVATE": "true", "ATTACHMENT_WINDOW": "1"}


async def answer(
    desk: Desk, message: InboundMessage, text: str, attachments: Sequence[Attachment] = ()
) -> list[Receipt]:
    """Answer in public, with files; the receipts of all messages that Genesys sends for it."""
    conversation = desk.conversation(message)
    before = len(conversation.outbound)
    desk.genesys.agent_reply(
        conversation, text, public=True, in_reply_to=message, attachments=attachments
    )
    sent = conversation.outbound[before:]
    await desk.wait(lambda: [True] if all(one.receipt for one in sent) else [])
    return [one.receipt for one in sent if one.receipt]


async def read(url: str) -> bytes:
    """What lies at an address."""
    async with httpx.AsyncClient() as http:
        return (await http.get(url)).raise_for_status().content


async def read_reply(net: Net, uri: str) -> dict[str, Any]:
    """The one reply to a post, as the AppView shows it."""
    await net.wait_indexed()
    (below,) = (await net.get_thread(uri))["replies"]
    post: dict[str, Any] = below["post"]
    return post


async def test_images_are_shown_with_their_descriptions(net: Net, tmp_path: Path) -> None:
    """Two files of one answer are one post, in their order, without what cameras write into them;
    the larger one is made to fit."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path, LOCAL) as desk:
        mention = await alice.post("What does it look like, @brand.test?")
        message = await desk.wait_post(mention.uri)
        files = desk.genesys.files
        small = files.add(write_with_metadata("JPEG"), "image/jpeg", "lamp.jpg", "A red lamp")
        noise = write_picture("PNG", make_picture(1600, 1200, noisy=True))
        assert len(noise) > 2_000_000
        large = files.add(noise, "image/png", "box.png", "The box it is in")
        receipts = await answer(desk, message, "Like this:", [small, large])

    assert [one.status for one in receipts] == ["Delivered", "Delivered"]
    post = await read_reply(net, mention.uri)
    assert post["record"]["text"] == "Like this:"
    assert post["embed"]["$type"] == "app.bsky.embed.images#view"
    shown = post["embed"]["images"]
    assert [one["alt"] for one in shown] == ["A red lamp", "The box it is in"]
    assert shown[0]["aspectRatio"] == {"width": 60, "height": 40}
    assert shown[1]["aspectRatio"]["width"] * 3 == pytest.approx(
        shown[1]["aspectRatio"]["height"] * 4, rel=0.01
    )
    for image, view in zip(post["record"]["embed"]["images"], shown, strict=True):
        assert image["image"]["size"] <= 2_000_000
        picture = Image.open(io.BytesIO(await read(view["fullsize"])))
        assert abs(picture.width / picture.height - 4 / 3) < 0.2
        of_it = f"did={net.brand.did}&cid={image['image']['ref']['$link']}"
        blob = await read(f"{net.service_url}/xrpc/com.atproto.sync.getBlob?{of_it}")
        assert len(blob) == image["image"]["size"]
        assert SECRET not in blob


async def test_a_link_is_shown_with_its_card(net: Net, tmp_path: Path) -> None:
    """Title and description of the page, and its picture from the AppView's own server."""
    alice = await net.log_in("alice")
    async with open_server() as server, open_desk(net, tmp_path, LOCAL) as desk:
        page = (
            "<title>x</title><meta property=og:title content='Wie setze ich zurück?'>"
            "<meta property=og:description content='In drei Schritten.'>"
            "<meta property=og:image content='/a.png'>"
        )
        server.answer("/help", page.encode(), content_type="text/html")
        server.answer("/a.png", write_picture("PNG"), content_type="image/png")
        mention = await alice.post("How do I reset it, @brand.test?")
        message = await desk.wait_post(mention.uri)
        link = f"http://127.0.0.1:{server.port}/help"
        (receipt,) = await answer(desk, message, f"See {link}")

    assert receipt.status == "Delivered"
    post = await read_reply(net, mention.uri)
    assert post["embed"]["$type"] == "app.bsky.embed.external#view"
    card = post["embed"]["external"]
    assert (card["uri"], card["title"]) == (link, "Wie setze ich zurück?")
    assert card["description"] == "In drei Schritten."
    assert await read(card["thumb"])


async def test_an_upload_whose_answer_is_lost_doubles_nothing(net: Net, tmp_path: Path) -> None:
    """Neither does a record whose blob the server has not got: it is uploaded again."""
    alice = await net.log_in("alice")
    async with open_desk(net, tmp_path, LOCAL) as desk:
        mention = await alice.post("May I see it, @brand.test?")
        message = await desk.wait_post(mention.uri)
        image = desk.genesys.files.add(write_picture("PNG"), "image/png", "a.png")
        await net.add_fault("uploadBlob", "drop_after")
        await net.add_fault("putRecord", "drop_after")
        (receipt,) = await answer(desk, message, "Here.", [image])

    assert receipt.status == "Delivered"
    post = await read_reply(net, mention.uri)
    assert len(post["embed"]["images"]) == 1

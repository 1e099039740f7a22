"""What an agent attaches in Genesys Cloud is on Bluesky, over real sockets and threads."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from PIL import Image

from sandbox.bluesky.blobs import Blob
from sandbox.genesys.conversations import Conversation, OutboundMessage
from sandbox.world import open_world
from tests.connector.connected import Connected, connect, open_connected
from tests.media.pictures import SECRET, make_picture, write_picture, write_with_metadata
from tests.media.server import open_server


@asynccontextmanager
async def open_conversation(
    state_dir: Path, **variables: str
) -> AsyncIterator[tuple[Connected, Conversation]]:
    given = {"ATTACHMENT_WINDOW": "0.5", **variables}
    async with open_connected(state_dir, given) as connected:
        yield connected, await connected.conversation()


def attach(
    connected: Connected, conversation: Conversation, text: str, *files: bytes, public: bool = True
) -> Sequence[OutboundMessage]:
    """Answer with these files; the messages that Genesys sends for it."""
    genesys = connected.world.genesys
    attachments = [genesys.files.add(one, "image/png", "a.png") for one in files]
    before = len(conversation.outbound)
    genesys.agent_reply(conversation, text, public=public, attachments=attachments)
    return conversation.outbound[before:]


def answers(connected: Connected) -> list[dict[str, Any]]:
    """The records of the company's posts, oldest first."""
    world = connected.world
    return [dict(one.record) for one in reversed(world.bluesky.posts(world.brand))]


def find_blob(connected: Connected, reference: Mapping[str, Any]) -> Blob:
    """A file on the company's server, as it is served to everybody."""
    world = connected.world
    blob = world.bluesky.repository(world.brand).blobs.find(reference["ref"]["$link"])
    assert blob is not None
    return blob


@pytest.mark.parametrize("crashes", [False, True])
async def test_images_of_one_answer_are_one_post(tmp_path: Path, *, crashes: bool) -> None:
    """Fetched with the token, stripped, uploaded; and so it is if the sender or the store crashes
    again and again meanwhile."""
    pictures = [write_with_metadata("JPEG"), write_picture("PNG"), write_picture("GIF")]
    async with open_conversation(tmp_path) as (connected, conversation):
        sent = attach(connected, conversation, "Like this:", *pictures)
        assert len(sent) == 3
        async with trio.open_nursery() as nursery:
            if crashes:
                nursery.start_soon(crash_often, connected)
            statuses = [await connected.concluded(one) for one in sent]
            nursery.cancel_scope.cancel()
        (record,) = answers(connected)
        shown = [find_blob(connected, one["image"]) for one in record["embed"]["images"]]
    assert statuses == ["Delivered"] * 3
    assert record["text"] == "Like this:"
    assert [one.mime for one in shown] == ["image/jpeg", "image/png", "image/png"]
    for blob in shown:
        assert SECRET not in blob.content
        assert Image.open(io.BytesIO(blob.content)).size == (60, 40)


@pytest.mark.parametrize("lives_s", [0.2, 0.55, 0.65, 0.8])
async def test_a_process_that_ends_meanwhile_doubles_and_loses_nothing(
    tmp_path: Path, lives_s: float
) -> None:
    """Before the images are together, while they are fetched, or while they are posted: the next
    process makes one post of them, with a receipt for each."""
    given = {"ATTACHMENT_WINDOW": "0.5"}
    async with open_world(random.SystemRandom()) as world:
        pictures = [write_picture("PNG", make_picture(width, 40)) for width in (50, 60, 70)]
        with trio.CancelScope() as life:
            async with connect(world, tmp_path, given) as connected:
                conversation = await connected.conversation()
                sent = attach(connected, conversation, "Like this:", *pictures)
                await trio.sleep(lives_s)
                life.cancel()
        async with connect(world, tmp_path, given) as connected:
            assert [await connected.concluded(one) for one in sent] == ["Delivered"] * 3
            (record,) = answers(connected)
        assert [one["aspectRatio"]["width"] for one in record["embed"]["images"]] == [50, 60, 70]
        assert sum(not one.repeat for one in world.genesys.receipts) == 3


async def crash_often(connected: Connected) -> None:
    for _ in range(3):
        for name in ("BlueskySender", "DedupStore"):
            await trio.sleep(0.15)
            connected.crasher.crash(name)


async def test_an_image_over_the_limit_is_made_to_fit(tmp_path: Path) -> None:
    """Ten megabytes of noise become less than two."""
    content = write_picture("PNG", make_picture(1900, 1800, noisy=True))
    assert len(content) > 5_000_000
    async with open_conversation(tmp_path) as (connected, conversation):
        (sent,) = attach(connected, conversation, "", content)
        assert await connected.concluded(sent) == "Delivered"
        (record,) = answers(connected)
    (image,) = record["embed"]["images"]
    assert image["image"]["size"] <= 2_000_000
    ratio = image["aspectRatio"]
    assert ratio["width"] / ratio["height"] == pytest.approx(19 / 18, rel=0.01)


async def test_a_file_that_is_no_image_fails_with_a_reason(tmp_path: Path) -> None:
    """Whatever Genesys calls it; and in private, images fail too."""
    async with open_conversation(tmp_path) as (connected, conversation):
        (sent,) = attach(connected, conversation, "Look", b"%PDF-1.7")
        assert await connected.concluded(sent) == "Failed"
        (private,) = attach(connected, conversation, "Look", write_picture("PNG"), public=False)
        assert await connected.concluded(private) == "Failed"
        assert answers(connected) == []
        said = [one.receipt.reasons[0][1] for one in (sent, private) if one.receipt]
    assert "JPEG, PNG, WebP and GIF" in said[0]
    assert "Direct messages on Bluesky carry no files" in said[1]


async def test_a_link_has_a_card(tmp_path: Path) -> None:
    """From the page itself; its picture lies on the account's server."""
    async with open_server() as server, open_conversation(tmp_path) as (connected, conversation):
        page = b"<title>Help</title><meta property=og:image content=/a.png>"
        server.answer("/help", page, content_type="text/html; charset=utf-8")
        server.answer("/a.png", write_picture("PNG"), content_type="image/png")
        link = f"http://127.0.0.1:{server.port}/help"
        (sent,) = attach(connected, conversation, f"See {link}")
        assert await connected.concluded(sent) == "Delivered"
        (record,) = answers(connected)
        card = record["embed"]["external"]
        assert find_blob(connected, card["thumb"]).mime == "image/png"
    assert (card["uri"], card["title"], card["description"]) == (link, "Help", "")


async def test_nothing_is_fetched_from_this_machine_unless_tests_allow_it(tmp_path: Path) -> None:
    """Neither a page nor a file: a link to an inner address brings out nothing."""
    off = {"FETCH_ALLOW_PRIVATE": "false"}
    async with (
        open_server() as server,
        open_conversation(tmp_path, **off) as (connected, conversation),
    ):
        server.answer("/", b"<title>Secret</title>", content_type="text/html")
        (sent,) = attach(connected, conversation, f"See http://127.0.0.1:{server.port}/")
        assert await connected.concluded(sent) == "Delivered"
        assert "embed" not in answers(connected)[0]
        (sent,) = attach(connected, conversation, "", write_picture("PNG"))
        assert await connected.concluded(sent) == "Failed"
        assert len(answers(connected)) == 1
    assert server.requests == []

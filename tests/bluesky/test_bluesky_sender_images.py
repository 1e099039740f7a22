"""What an agent attaches is posted with what they say, and each message has its receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio

from actors.messages import AgentMessage, Attachment, Receipt
from actors.settlement import bury
from runtime.errors import Rejected, Retryable
from tests.bluesky.scripted_bluesky import find_blobs
from tests.bluesky.scripted_files import GENESYS, make_file
from tests.bluesky.sender_world import (
    LONG,
    World,
    agent_message,
    image,
    image_message,
    private_message,
)

PUT = "com.atproto.repo.putRecord"
UPLOAD = "com.atproto.repo.uploadBlob"


def statuses(world: World) -> dict[str, str]:
    receipts = [one for one in world.memory.payloads if isinstance(one, Receipt)]
    assert len(receipts) == len({one.message_id for one in receipts})
    return {one.message_id: one.status for one in receipts}


def posts(world: World) -> list[tuple[str, list[int]]]:
    """The text of each of our posts, and the widths of its images."""
    written = [world.bluesky.repo[key] for key in world.bluesky.commits if "post" in key[0]]
    return [(one["text"], widths(one)) for one in written]


def widths(record: Any) -> list[int]:  # noqa: ANN401 - a record
    images = record.get("embed", {}).get("images", [])
    return [one["aspectRatio"]["width"] for one in images]


async def handle(world: World, *messages: AgentMessage, gap_s: float = 0.1) -> None:
    """Record these one after the other, while the sender works."""
    async with trio.open_nursery() as nursery:
        for number, message in enumerate(messages):
            if number:
                await trio.sleep(gap_s)
            world.add(message)
            if not number:
                nursery.start_soon(world.work)
    await world.work()


async def test_an_image_is_below_the_text(autojump_clock: trio.abc.Clock) -> None:
    """With its proportions, and the description that Genesys has, if any."""
    world = World.make()
    message = agent_message("Look", attachments=(image(7, "A lamp"), image(8)))
    receipt = await world.handle(message)
    assert receipt.status == "Delivered"
    (record,) = world.bluesky.repo.values()
    assert record["text"] == "Look"
    first, second = record["embed"]["images"]
    assert (first["alt"], second["alt"]) == ("A lamp", "")
    assert first["aspectRatio"] == {"width": 7, "height": 10}
    assert world.bluesky.blobs[first["image"]["ref"]["$link"]] == make_file(7)


async def test_an_image_needs_no_text(autojump_clock: trio.abc.Clock) -> None:
    """It is a post of its own; of a long text it is with the first part."""
    world = World.make()
    await world.handle(image_message(5))
    assert posts(world) == [("", [5])]
    world = World.make()
    await world.handle(image_message(5, LONG))
    assert [shown for _, shown in posts(world)] == [[5], [], []]


async def test_files_that_come_one_after_the_other_become_one_post(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Genesys sends a message for each; each gets its receipt."""
    world = World.make()
    await handle(world, image_message(1, "Look"), image_message(2), image_message(3))
    assert posts(world) == [("Look", [1, 2, 3])]
    assert statuses(world) == dict.fromkeys(["image 1", "image 2", "image 3"], "Delivered")
    assert 2.5 < trio.current_time() < 3.5


async def test_the_text_may_come_with_any_of_them(autojump_clock: trio.abc.Clock) -> None:
    """Or by itself, right after them."""
    world = World.make()
    await handle(world, image_message(1), image_message(2, "Look"), image_message(3))
    assert posts(world) == [("Look", [1, 2, 3])]
    world = World.make()
    await handle(world, image_message(1), agent_message("Look", message_id="text"))
    assert posts(world) == [("Look", [1])]
    assert statuses(world) == {"image 1": "Delivered", "text": "Delivered"}


async def test_a_text_takes_in_the_images_that_wait_behind_it(
    autojump_clock: trio.abc.Clock,
) -> None:
    """But waits for none: most answers have no image."""
    world = World.make()
    world.add(agent_message("Look", message_id="text"))
    world.add(image_message(1))
    await world.work()
    assert posts(world) == [("Look", [1])]
    assert trio.current_time() < 1
    world = World.make()
    await handle(world, agent_message("Look", message_id="text"), image_message(1))
    assert posts(world) == [("Look", []), ("", [1])]


async def test_four_images_are_one_post_and_the_fifth_another(
    autojump_clock: trio.abc.Clock,
) -> None:
    """And whoever has four waits for no more."""
    world = World.make()
    await handle(world, *(image_message(width) for width in range(1, 6)))
    assert posts(world) == [("", [1, 2, 3, 4]), ("", [5])]
    assert list(statuses(world).values()) == ["Delivered"] * 5
    world = World.make()
    started_at = trio.current_time()
    for width in range(1, 5):
        world.add(image_message(width))
    await world.work()
    assert trio.current_time() - started_at < 1


@pytest.mark.parametrize(
    "other",
    [
        image_message(2, reply_to_uri="at://did:plc:alice/app.bsky.feed.post/3aaaaaaaaaab2"),
        image_message(2, channel="private"),
        image_message(2, "!like"),
        image_message(2, "Another text"),
        agent_message("!like", message_id="command"),
        agent_message("", message_id="file", attachments=(Attachment("File", f"{GENESYS}2"),)),
    ],
)
async def test_what_belongs_elsewhere_is_on_its_own(
    autojump_clock: trio.abc.Clock, other: AgentMessage
) -> None:
    """Another post, another way, another text, a command, another kind of file."""
    world = World.make()
    await handle(world, image_message(1, "Look"), other, image_message(3))
    assert posts(world)[0] == ("Look", [1])
    assert len(statuses(world)) == 3
    assert world.memory.items == [f"receipt:{one}" for one in statuses(world)]


async def test_what_comes_later_is_on_its_own(autojump_clock: trio.abc.Clock) -> None:
    """After the window; a backlog is not one post."""
    world = World.make()
    await handle(world, image_message(1), image_message(2), gap_s=3.5)
    assert posts(world) == [("", [1]), ("", [2])]
    world = World.make()
    world.window_s = 0.0
    await handle(world, image_message(1), image_message(2))
    assert posts(world) == [("", [1]), ("", [2])]


async def test_an_image_that_is_none_fails_alone(autojump_clock: trio.abc.Clock) -> None:
    """Those before and behind it are posted."""
    world = World.make()
    world.files.contents[f"{GENESYS}x"] = ("image/png", b"%PDF-1.7")
    bad = image_message(2, attachments=(Attachment("Image", f"{GENESYS}x", filename="a.png"),))
    await handle(world, image_message(1), bad, image_message(3))
    assert posts(world) == [("", [1]), ("", [3])]
    assert statuses(world) == {"image 1": "Delivered", "image 2": "Failed", "image 3": "Delivered"}
    (failed,) = (
        one for one in world.memory.payloads if isinstance(one, Receipt) and one.status == "Failed"
    )
    assert failed.code == "MediaTypeNotAllowed"
    assert failed.sentence is not None
    assert "a.png" in failed.sentence
    assert "JPEG, PNG, WebP and GIF" in failed.sentence


async def test_a_text_that_is_too_long_fails_alone(autojump_clock: trio.abc.Clock) -> None:
    """The image before it is not to blame."""
    world = World.make()
    await handle(world, image_message(1), image_message(2, "word " * 2000))
    assert posts(world) == [("", [1])]
    assert statuses(world) == {"image 1": "Delivered", "image 2": "Failed"}


@pytest.mark.parametrize(
    ("attachment", "code", "said"),
    [
        (Attachment("Video", f"{GENESYS}1", "video/mp4"), "MediaTypeNotAllowed", "a video"),
        (Attachment("File", f"{GENESYS}1", "application/pdf"), "MediaTypeNotAllowed", "JPEG, PNG"),
        (Attachment("Image", f"{GENESYS}1", "video/mp4"), "MediaTypeNotAllowed", "JPEG, PNG"),
        (Attachment("Image", f"{GENESYS}gone"), "GeneralError", "hand the file out"),
    ],
)  # fmt: skip
async def test_another_file_is_refused_with_what_is_possible(
    autojump_clock: trio.abc.Clock, attachment: Attachment, code: str, said: str
) -> None:
    """And the text is not posted without it."""
    world = World.make()
    receipt = await world.handle(agent_message("Look", attachments=(attachment,)))
    assert (receipt.status, receipt.code) == ("Failed", code)
    assert said in (receipt.sentence or "")
    assert world.bluesky.commits == []


async def test_five_images_in_one_message_are_refused(autojump_clock: trio.abc.Clock) -> None:
    """Nobody knows which of them matters."""
    world = World.make()
    receipt = await world.handle(agent_message(attachments=tuple(map(image, range(1, 6)))))
    assert receipt.code == "InvalidMessageStructure"


async def test_a_file_that_cannot_be_had_now_is_tried_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Those that belong together stay together."""
    world = World.make()
    world.files.trouble[f"{GENESYS}2"] = [Retryable("503")] * 2
    await handle(world, image_message(1, "Look"), image_message(2))
    assert posts(world) == [("Look", [1, 2])]
    assert statuses(world) == {"image 1": "Delivered", "image 2": "Delivered"}


async def test_a_blob_that_was_dropped_is_uploaded_again(autojump_clock: trio.abc.Clock) -> None:
    """A server keeps a blob that no record needs for a while only."""
    world = World.make()
    world.bluesky.trouble[PUT] = [Retryable("502")]
    await world.handle_only(agent_message(LONG, attachments=(image(4),)))
    assert world.bluesky.commits == []
    world.bluesky.blobs.clear()
    await world.work()
    assert len(world.bluesky.commits) == 3
    assert world.receipt().status == "Delivered"
    for record in world.bluesky.repo.values():
        for blob in find_blobs(record):
            assert blob["ref"]["$link"] in world.bluesky.blobs


async def test_a_blob_that_comes_out_otherwise_is_the_one_that_is_posted(
    autojump_clock: trio.abc.Clock,
) -> None:
    """After an upgrade of what writes images, its bytes may differ: the plan is fixed anew."""
    world = World.make()
    world.bluesky.trouble[PUT] = [Retryable("502")]
    url = f"{GENESYS}a"
    world.files.contents[url] = ("image/png", make_file(3))
    await world.handle_only(agent_message(attachments=(Attachment("Image", url),)))
    world.bluesky.blobs.clear()
    world.files.contents[url] = ("image/png", make_file(4))
    await world.work()
    assert [shown for _, shown in posts(world)] == [[4]]
    assert world.receipt().status == "Delivered"


async def test_a_server_that_never_keeps_a_blob_is_given_up(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Not in a loop."""
    world = World.make()
    world.bluesky.trouble[PUT] = [Rejected("BlobNotFound", "Could not find blob")] * 9999
    receipt = await world.handle(agent_message(attachments=(image(4),)))
    assert (receipt.status, receipt.code) == ("Failed", "MessageExpired")
    assert world.bluesky.count(UPLOAD) < 200


async def test_a_poisonous_message_answers_for_all_it_has_taken_in(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Though it is handed to the undertaker as it first came."""
    world = World.make()
    entry = world.add(image_message(1))
    world.add(image_message(2))
    world.bluesky.trouble[PUT] = [Retryable("502")]
    await world.start().handle(entry)
    assert len(world.memory.entries) == 1
    await bury(world.memory.store, entry, 5, ValueError("x"))
    assert statuses(world) == {"image 1": "Failed", "image 2": "Failed"}


async def test_a_clock_that_is_ahead_holds_no_image_up(autojump_clock: trio.abc.Clock) -> None:
    """The window is as long as it is, whoever recorded the message."""
    world = World.make()
    entry = world.add(image_message(1))
    ahead = replace(entry, recorded_at=entry.recorded_at + 3600)
    world.memory.entries[entry.entry_id] = ahead
    await world.start().handle(ahead)
    assert posts(world) == [("", [1])]
    assert trio.current_time() < 4


@pytest.mark.parametrize("text", ["!like", "!quote Look", "!post Look", "!dm Look"])
async def test_a_command_takes_no_files(autojump_clock: trio.abc.Clock, text: str) -> None:
    """Nothing is done, rather than half of what was meant."""
    world = World.make()
    receipt = await world.handle(agent_message(text, attachments=(image(1),)))
    assert (receipt.status, receipt.code) == ("Failed", "UnsupportedMessage")
    assert "takes no files" in (receipt.sentence or "")
    assert (world.bluesky.commits, world.bluesky.sent, world.files.fetched) == ([], [], [])


async def test_a_direct_message_carries_no_file(autojump_clock: trio.abc.Clock) -> None:
    """The agent is told so, and the text is not sent without it."""
    world = World.make()
    receipt = await world.handle(private_message("Look", attachments=(image(1),)))
    assert (receipt.status, receipt.code) == ("Failed", "MediaTypeNotAllowed")
    assert world.bluesky.sent == []
    assert world.files.fetched == []


async def test_a_direct_message_can_carry_a_public_link(autojump_clock: trio.abc.Clock) -> None:
    """If it is wanted, and if anybody can open it."""
    world = World.make()
    world.link_in_direct_messages = True
    public = Attachment("File", "https://shop.example/manual.pdf")
    await world.handle(private_message("Look", attachments=(public,)))
    assert world.bluesky.sent == ["Look\nhttps://shop.example/manual.pdf"]
    world = World.make()
    world.link_in_direct_messages = True
    receipt = await world.handle(private_message("Look", attachments=(image(1),)))
    assert (receipt.status, receipt.code) == ("Failed", "MediaTypeNotAllowed")
    assert "would not open" in (receipt.sentence or "")


async def test_a_settled_message_is_not_sent_again(autojump_clock: trio.abc.Clock) -> None:
    """A worker may crash after the settling, and then has the message in hand once more."""
    world = World.make()
    entry = world.add(private_message("Hello"))
    await world.start().handle(entry)
    await world.start().handle(entry)
    assert world.bluesky.sent == ["Hello"]
    assert world.receipt().status == "Delivered"

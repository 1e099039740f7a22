"""The first link of a public answer has a card, and no answer waits or fails for it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime.errors import Rejected, Retryable
from tests.bluesky.scripted_files import make_file
from tests.bluesky.sender_world import LONG, World, agent_message, image, private_message

URL = "https://shop.example/help?x=1"
PICTURE = "https://shop.example/a.png"
PAGE = b"""<title>Help &amp; more</title><meta name=description content="How to reset it.">
<meta property=og:image content="/a.png">"""


def make_world(page: bytes = PAGE) -> World:
    world = World.make()
    world.files.contents[URL] = ("text/html", page)
    world.files.contents[PICTURE] = ("image/png", make_file(40))
    return world


def cards(world: World) -> list[dict[str, Any] | None]:
    written = [world.bluesky.repo[key] for key in world.bluesky.commits]
    assert all(one.get("embed", {"$type": "app.bsky.embed.external"})["$type"] for one in written)
    return [one.get("embed", {}).get("external") for one in written]


async def test_the_first_link_has_a_card(autojump_clock: trio.abc.Clock) -> None:
    """Title, description and picture; the text stays as it is."""
    world = make_world()
    await world.handle(agent_message(f"See {URL} or https://other.example/"))
    (card,) = cards(world)
    assert card is not None
    thumb = card.pop("thumb")
    assert world.bluesky.blobs[thumb["ref"]["$link"]] == make_file(40)
    assert card == {
        "uri": URL,
        "title": "Help & more",
        "description": "How to reset it.",
    }
    assert world.files.fetched == [URL, PICTURE]
    assert world.bluesky.texts == [f"See {URL} or https://other.example/"]


async def test_the_card_is_below_the_part_that_has_the_link(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Of a long text, that may be a later one."""
    world = make_world()
    await world.handle(agent_message(f"{LONG} {URL}"))
    assert [card is not None for card in cards(world)] == [False, False, True]


async def test_a_new_post_has_a_card_and_a_quote_has_none(autojump_clock: trio.abc.Clock) -> None:
    """Below a quote there is the post that it quotes."""
    world = make_world()
    await world.handle(agent_message(f"!post See {URL}"))
    assert [card is not None for card in cards(world)] == [True]
    world = make_world()
    await world.handle(agent_message(f"!quote See {URL}"))
    (written,) = (world.bluesky.repo[key] for key in world.bluesky.commits)
    assert written["embed"]["$type"] == "app.bsky.embed.record"
    assert world.files.fetched == []


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        (URL, Retryable("no answer in time")),
        (URL, Rejected("address", "shop.example is not on the public internet")),
        (URL, Rejected("type", "shop.example sent application/pdf")),
    ],
)
async def test_a_page_that_cannot_be_had_has_no_card(
    autojump_clock: trio.abc.Clock, url: str, trouble: Exception
) -> None:
    """The answer goes out without it, and is not tried again for it."""
    world = make_world()
    world.files.trouble[url] = [trouble]
    receipt = await world.handle(agent_message(f"See {URL}"))
    assert receipt.status == "Delivered"
    assert cards(world) == [None]
    assert world.retries() == []


@pytest.mark.parametrize("page", [b"", b"<p>No title</p>", b"\xff\xfe\x00"])
async def test_a_page_that_says_nothing_has_no_card(
    autojump_clock: trio.abc.Clock, page: bytes
) -> None:
    """A card without a title shows nothing."""
    world = make_world(page)
    await world.handle(agent_message(f"See {URL}"))
    assert cards(world) == [None]


async def test_a_slow_page_holds_nothing_up(autojump_clock: trio.abc.Clock) -> None:
    """After five seconds the answer goes out, with what there is by then."""
    world = make_world()
    world.files.delays[URL] = 60.0
    await world.handle(agent_message(f"See {URL}"))
    assert cards(world) == [None]
    assert trio.current_time() < 6
    world = make_world()
    world.files.delays[PICTURE] = 60.0
    await world.handle(agent_message(f"See {URL}"))
    (card,) = cards(world)
    assert card is not None
    assert "thumb" not in card


@pytest.mark.parametrize("content", [b"GIF89a", b"no picture", make_file(40)[:60]])
async def test_a_picture_that_is_none_is_left_out(
    autojump_clock: trio.abc.Clock, content: bytes
) -> None:
    """The card is there without it; so it is if the picture cannot be uploaded."""
    world = make_world()
    world.files.contents[PICTURE] = ("image/png", content)
    await world.handle(agent_message(f"See {URL}"))
    world.bluesky.trouble["com.atproto.repo.uploadBlob"] = [Rejected("PayloadTooLarge", "x")]
    world.files.contents[PICTURE] = ("image/png", make_file(40))
    world.memory.entries.clear()
    await world.handle(agent_message(f"See {URL}", message_id="second"))
    assert [card and sorted(card) for card in cards(world)] == [["description", "title", "uri"]] * 2


async def test_a_picture_that_was_dropped_is_left_out(autojump_clock: trio.abc.Clock) -> None:
    """A card is not worth a second look at the page."""
    world = make_world()
    world.bluesky.trouble["com.atproto.repo.putRecord"] = [Retryable("502")]
    await world.handle_only(agent_message(f"See {URL}"))
    world.bluesky.blobs.clear()
    await world.work()
    (card,) = cards(world)
    assert card is not None
    assert "thumb" not in card
    assert world.files.fetched == [URL, PICTURE]


async def test_there_is_no_card_where_none_belongs(autojump_clock: trio.abc.Clock) -> None:
    """Beside an image, in a direct message, without a link, and if none are wanted."""
    world = make_world()
    await world.handle(agent_message(f"See {URL}", attachments=(image(3),)))
    assert URL not in world.files.fetched
    for message in (private_message(f"See {URL}"), agent_message("No link")):
        world = make_world()
        await world.handle(message)
        assert world.files.fetched == []
    world = make_world()
    world.cards = False
    await world.handle(agent_message(f"See {URL}"))
    assert (world.files.fetched, cards(world)) == ([], [None])

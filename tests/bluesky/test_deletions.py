"""A post that was taken in and is deleted yields one note in its conversation."""

from __future__ import annotations

from typing import Any

import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.client import Parameters
from actors.bluesky.deletions import MOST_POSTS
from actors.messages import InboundPost
from actors.translation.open_message import make_public_message
from runtime.errors import Rejected, Retryable
from tests.bluesky.attentive import HOUR_S, POSTS, THREAD, Attentive

WATCHING = Attention(watch_s=24 * HOUR_S, watch_every_s=300.0)


def mention(world: Attentive, at_s: float) -> dict[str, Any]:
    """Somebody mentions the brand."""
    view = world.network.post(at_s)
    world.network.announce(view, "mention")
    return view


def notes(world: Attentive) -> list[InboundPost]:
    return [one for one in world.posts if one.reason == "deletion"]


async def test_a_deleted_post_is_noted_once(autojump_clock: Clock) -> None:
    """In its thread, as an answer to it by its author, under an id of its own."""
    world = Attentive(WATCHING)
    root = mention(world, -10)
    async with world.polling():
        reply = world.network.reply(40, root)
        world.network.announce(reply, "reply")
        await trio.sleep(100)
        world.network.delete(reply["uri"])
        await trio.sleep(1000)
    async with world.polling():
        await trio.sleep(1000)
    (note,) = notes(world)
    message = make_public_message(note)
    assert message["channel"]["messageId"] == f"{reply['uri']}#deleted"
    assert message["channel"]["from"]["id"] == "did:plc:alice"
    assert message["channel"]["publicMetadata"]["rootId"] == root["uri"]
    assert message["channel"]["publicMetadata"]["replyToId"] == reply["uri"]
    assert message["metadata"]["reason"] == "deletion"
    assert message["metadata"]["deleted"] == reply["uri"]
    assert message["text"]
    entries = list(world.memory.entries.values())
    assert entries[-1].payload == note
    assert entries[-1].conversation == entries[0].conversation


async def test_what_a_block_hides_is_not_deleted(autojump_clock: Clock) -> None:
    """Nothing is said, and it is not asked about again and again."""
    world = Attentive(WATCHING)
    first = mention(world, -10)
    async with world.polling():
        world.network.blocked.add(first["uri"])
        await trio.sleep(2000)
    assert notes(world) == []
    assert world.network.count(THREAD) == 1


async def test_a_post_that_was_not_shown_for_a_moment_is_not_deleted(
    autojump_clock: Clock,
) -> None:
    """It is asked for in two ways."""
    world = Attentive(WATCHING)
    first = mention(world, -10)

    def flicker(nsid: str, parameters: Parameters) -> None:
        if nsid == POSTS:
            world.network.posts.pop(first["uri"], None)
        elif nsid == THREAD:
            world.network.posts[first["uri"]] = first

    async with world.polling():
        world.network.before = flicker
        await trio.sleep(1000)
    assert notes(world) == []
    assert world.network.count(THREAD) == 3


async def test_a_post_is_watched_for_a_day(autojump_clock: Clock) -> None:
    """Then nobody looks for it any more."""
    world = Attentive(WATCHING)
    first = mention(world, -10)
    async with world.polling():
        await trio.sleep(25 * HOUR_S)
        before = world.network.count(POSTS)
        world.network.delete(first["uri"])
        await trio.sleep(HOUR_S)
        assert world.network.count(POSTS) == before
    assert notes(world) == []


async def test_a_post_that_is_deleted_while_the_connector_is_off_is_noted(
    autojump_clock: Clock,
) -> None:
    """The store remembers which were taken in."""
    world = Attentive(WATCHING)
    first = mention(world, -10)
    async with world.polling():
        pass
    world.network.delete(first["uri"])
    await trio.sleep(HOUR_S)
    async with world.polling():
        pass
    assert [note.parent_uri for note in notes(world)] == [first["uri"]]


async def test_our_own_posts_are_not_watched(autojump_clock: Clock) -> None:
    """They are taken in as context; we know ourselves that we deleted one."""
    world = Attentive(Attention(ancestors=3, watch_s=24 * HOUR_S))
    own = world.network.post(-HOUR_S, author="brand")
    reply = world.network.reply(-10, own)
    world.network.announce(reply, "reply")
    async with world.polling():
        world.network.delete(own["uri"])
        await trio.sleep(1000)
    assert notes(world) == []


async def test_an_idle_watch_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """Some requests to Bluesky, 25 posts in each."""
    world = Attentive(WATCHING)
    for number in range(60):
        mention(world, -100 + number)
    async with world.polling():
        await trio.sleep(700)
        before, asked = len(world.requests), world.network.count(POSTS)
        await trio.sleep(1200)
        assert len(world.requests) == before
        assert world.network.count(POSTS) == asked + 4 * 3


async def test_a_round_has_an_end(autojump_clock: Clock) -> None:
    """However many were taken in; the oldest are looked at in turn."""
    world = Attentive(WATCHING)
    first = mention(world, -1000)
    for number in range(2 * MOST_POSTS):
        mention(world, -990 + number / 10)
    async with world.polling():
        await trio.sleep(60)
        asked = world.network.count(POSTS)
        world.network.delete(first["uri"])
        await trio.sleep(300)
        assert world.network.count(POSTS) == asked + MOST_POSTS // 25
        await trio.sleep(1500)
    assert [note.parent_uri for note in notes(world)] == [first["uri"]]


async def test_trouble_is_left_to_the_next_round(autojump_clock: Clock) -> None:
    """A request that fails or is refused tells nothing about its posts."""
    world = Attentive(WATCHING)
    first = mention(world, -10)
    async with world.polling():
        world.network.delete(first["uri"])
        world.network.faults[POSTS] = [Retryable("500"), Rejected("InvalidRequest", "uris")]
        world.network.faults[THREAD] = [Retryable("500"), Rejected("InvalidRequest", "uri")]
        await trio.sleep(1250)
        assert notes(world) == []
        assert len(world.context.failures) == 3
        await trio.sleep(400)
    assert len(notes(world)) == 1

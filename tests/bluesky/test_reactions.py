"""How many like, repost and quote our posts is counted when it changes, and not too often."""

from __future__ import annotations

import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.reactions import MOST_PAGES
from actors.items import make_reactions_item
from actors.messages import ReactionCounts
from runtime.errors import Rejected, Retryable
from tests.bluesky.attentive import HOUR_S, LIST, POSTS, Attentive

COUNTING = Attention(reactions_every_s=60.0)


def own_post(world: Attentive, at_s: float = -10 * HOUR_S) -> str:
    """A post of the brand; returns its uri."""
    return str(world.network.post(at_s, author="brand")["uri"])


async def test_reactions_are_summed_per_post(autojump_clock: Clock) -> None:
    """One count of each post in one recording; reposts are no messages."""
    world = Attentive(COUNTING)
    first, second = own_post(world), own_post(world)
    async with world.polling():
        for kind in ("like", "like", "repost", "quote"):
            world.network.react(40, first, kind)
        world.network.react(41, second)
        await trio.sleep(60)
        assert sorted(world.counts) == [(1, 0, 0), (2, 1, 1)]
        conversations = {entry.conversation for entry in world.memory.entries.values()}
        assert conversations == {f"reactions:{first}", f"reactions:{second}"}
        await trio.sleep(600)
    assert len(world.payloads) == 2


async def test_a_count_is_sent_again_only_when_it_changed(autojump_clock: Clock) -> None:
    """Not after a restart either, although the notifications are listed as before."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        world.network.react(40, uri)
        await trio.sleep(300)
    for _ in range(2):
        async with world.polling():
            await trio.sleep(300)
    assert world.counts == [(1, 0, 0)]
    async with world.polling():
        world.network.react(1100, uri)
        await trio.sleep(300)
    assert world.counts == [(1, 0, 0), (2, 0, 0)]


async def test_a_post_is_counted_at_most_once_in_the_time(autojump_clock: Clock) -> None:
    """However many like it meanwhile."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        for number in range(300):
            world.network.react(30 + number, uri)
            await trio.sleep(1)
        await trio.sleep(60)
    assert 5 <= len(world.counts) <= 6
    assert world.counts[-1] == (300, 0, 0)


async def test_a_count_that_comes_later_than_its_notification_is_seen(
    autojump_clock: Clock,
) -> None:
    """The AppView tells of a like before it counts it."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        world.network.react(40, uri)
        world.network.posts[uri]["likeCount"] = 0
        await trio.sleep(60)
        world.network.posts[uri]["likeCount"] = 1
        await trio.sleep(60)
    assert world.counts == [(1, 0, 0)]


async def test_counts_that_return_to_earlier_ones_are_news(autojump_clock: Clock) -> None:
    """A repost was withdrawn, and somebody else likes what one who withdrew liked before."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        world.network.react(40, uri)
        await trio.sleep(120)
        world.network.react(160, uri, "repost")
        await trio.sleep(120)
        world.network.posts[uri] |= {"likeCount": 0, "repostCount": 0}
        world.network.react(290, uri, author="bob")
        await trio.sleep(120)
    assert world.counts == [(1, 0, 0), (1, 1, 0), (1, 0, 0)]


async def test_reactions_while_the_connector_was_off_are_counted(autojump_clock: Clock) -> None:
    """From where it had come, however long ago."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        pass
    await trio.sleep(10 * HOUR_S)
    world.network.react(HOUR_S, uri)
    async with world.polling():
        pass
    assert world.counts == [(1, 0, 0)]


async def test_reactions_before_the_look_back_are_not_looked_for(autojump_clock: Clock) -> None:
    """The first start does not count the past."""
    world = Attentive(COUNTING)
    world.network.react(-3 * HOUR_S, own_post(world))
    async with world.polling():
        pass
    assert world.payloads == []
    assert world.network.count(POSTS) == 0


async def test_others_posts_are_not_counted(autojump_clock: Clock) -> None:
    """A notification about a post that is not ours, or is gone, or is odd, changes nothing."""
    world = Attentive(COUNTING)
    strange = str(world.network.post(-10)["uri"])
    gone = own_post(world)
    async with world.polling():
        world.network.react(40, strange)
        world.network.react(41, gone)
        world.network.delete(gone)
        world.network.notifications += [
            {"reason": "like", "indexedAt": "odd"},
            {"reason": "repost", "uri": "at://a/b/c", "reasonSubject": 7, "indexedAt": "9"},
        ]
        await trio.sleep(130)
    assert (world.payloads, world.context.failures) == ([], [])


async def test_a_flood_of_likes_is_read_as_far_as_is_needed(autojump_clock: Clock) -> None:
    """Some pages of it, at each look."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    for number in range(2000):
        world.network.react(-number / 1000, uri)
    async with world.polling():
        asked = [parameters for nsid, parameters in world.network.calls if nsid == LIST]
        assert sum("like" in str(one["reasons"]) for one in asked) == MOST_PAGES
    assert world.counts == [(2000, 0, 0)]


async def test_an_idle_look_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """One request to Bluesky in a minute."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    world.network.react(-5, uri)
    async with world.polling():
        await trio.sleep(120)
        before = len(world.requests)
        listed, counted = world.network.count(LIST), world.network.count(POSTS)
        await trio.sleep(1200)
        assert len(world.requests) == before
        assert world.network.count(LIST) == listed + 2 * 20
        assert world.network.count(POSTS) == counted


async def test_trouble_is_left_to_the_next_look(autojump_clock: Clock) -> None:
    """Notifications go on, and what was noticed is counted then."""
    world = Attentive(COUNTING)
    uri = own_post(world)
    async with world.polling():
        world.network.faults[POSTS] = [Retryable("500"), Rejected("InvalidRequest", "uris")]
        world.network.react(40, uri)
        await trio.sleep(120)
        assert len(world.context.failures) == 2
        world.network.react(170, uri)
        await trio.sleep(120)
    assert world.counts == [(2, 0, 0)]


def test_each_count_is_an_item_of_its_own() -> None:
    """The same one is the same item."""
    counts = ReactionCounts("at://x/y/z", 1, 2, 3, "2026-01-01T00:00:00.000Z")
    item = make_reactions_item(counts)
    assert item.item_id == "reactions:at://x/y/z:1:2:3:2026-01-01T00:00:00.000Z"
    assert item == make_reactions_item(counts)

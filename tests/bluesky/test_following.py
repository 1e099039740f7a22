"""What people add to the thread of a conversation arrives, although it notifies nobody."""

from __future__ import annotations

from typing import Any

import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.client import Parameters
from actors.bluesky.following import MOST_THREADS
from actors.bluesky.turns import choose
from actors.items import make_post_id
from actors.messages import Author, KnownPost
from actors.store import FindUnseen
from runtime.errors import RateLimited, Rejected, Retryable
from tests.bluesky.attentive import HOUR_S, THREAD, Attentive
from tests.bluesky.network import BRAND, time_at
from tests.support.memory_store import NEW_YEAR_2026

FOLLOWING = Attention(follow_s=48 * HOUR_S, follow_every_s=120.0)


def mention(world: Attentive, at_s: float, author: str = "alice") -> dict[str, Any]:
    """Somebody mentions the brand."""
    view = world.network.post(at_s, author=author)
    world.network.announce(view, "mention")
    return view


def uris_of(*views: dict[str, Any]) -> list[str]:
    return [view["uri"] for view in views]


async def test_a_continued_post_arrives(autojump_clock: Clock) -> None:
    """2/2 and 3/3 by the same person are taken in as replies, once, in their order."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        second = world.network.reply(31, first)
        third = world.network.reply(32, second)
        await trio.sleep(600)
    assert world.uris == uris_of(first, second, third)
    assert [one.reason for one in world.posts] == ["mention", "reply", "reply"]
    assert {entry.conversation for entry in world.memory.entries.values()} == {
        f"thread:{first['uri']}"
    }


async def test_what_was_continued_before_the_first_look_arrives_too(autojump_clock: Clock) -> None:
    """A client posts the parts of a chain at one moment."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    second = world.network.reply(-10, first)
    async with world.polling():
        pass
    assert world.uris == uris_of(first, second)


async def test_what_notifies_meanwhile_comes_in_its_place(autojump_clock: Clock) -> None:
    """It is in the thread that is read, and not yet in the list that was: nothing overtakes it."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    said: list[dict[str, Any]] = []

    def go_on(nsid: str, parameters: Parameters) -> None:
        if nsid == THREAD and not said:
            said.append(world.network.reply(31, first, author="bob"))
            world.network.announce(said[0], "mention")
            said.append(world.network.reply(32, said[0]))

    world.network.before = go_on
    async with world.polling():
        await trio.sleep(300)
    assert world.uris == uris_of(first, *said)
    assert [one.reason for one in world.posts] == ["mention", "mention", "reply"]


async def test_an_answer_deep_in_a_thread_arrives(autojump_clock: Clock) -> None:
    """Level five and below notify nobody."""
    world = Attentive(FOLLOWING)
    chain = [mention(world, -10)]
    async with world.polling():
        for level in range(12):
            author = "bob" if level % 2 else "alice"
            chain.append(world.network.reply(31 + level, chain[-1], author=author))
        await trio.sleep(300)
    # Bob takes no part: nobody of the brand has spoken with him.
    assert world.uris == uris_of(chain[0], *chain[1::2])


async def test_whom_the_brand_mentions_takes_part(autojump_clock: Clock) -> None:
    """So does whoever answers a post of the brand and was not notified of."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    facet = {
        "index": {"byteStart": 0, "byteEnd": 4},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:bob"}],
    }
    async with world.polling():
        own = world.network.reply(31, first, author="brand", facets=[facet])
        bobs = world.network.reply(32, first, author="bob")
        carols = world.network.reply(33, own, author="carol")
        world.network.reply(34, first, author="dave")
        await trio.sleep(300)
    assert world.uris == uris_of(first, bobs, carols)


async def test_what_was_said_before_the_conversation_is_left_out(autojump_clock: Clock) -> None:
    """Alice talked with strangers in this thread before she turned to the brand."""
    world = Attentive(FOLLOWING)
    root = world.network.post(-HOUR_S, author="bob")
    world.network.reply(-HOUR_S + 10, root)
    asked = world.network.reply(-10, root)
    world.network.announce(asked, "mention")
    async with world.polling():
        later = world.network.reply(31, root)
        await trio.sleep(300)
    assert world.uris == uris_of(asked, later)


async def test_what_is_followed_and_notified_arrives_once(autojump_clock: Clock) -> None:
    """Whichever finds it first, and after a restart."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        second = world.network.reply(31, first)
        await trio.sleep(300)
        world.network.announce(second, "reply")
        third = world.network.reply(400, second)
        world.network.announce(third, "reply")
        await trio.sleep(300)
    async with world.polling():
        await trio.sleep(300)
    assert world.uris == uris_of(first, second, third)


async def test_a_thread_is_followed_after_a_restart_and_as_long_as_it_is_alive(
    autojump_clock: Clock,
) -> None:
    """The store remembers it; each thing that is said lets it live for two more days."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        await trio.sleep(40 * HOUR_S)
        second = world.network.reply(40 * HOUR_S, first)
        await trio.sleep(HOUR_S)
    async with world.polling():
        await trio.sleep(40 * HOUR_S)
        third = world.network.reply(81 * HOUR_S, second)
        await trio.sleep(HOUR_S)
    assert world.uris == uris_of(first, second, third)
    async with world.polling():
        await trio.sleep(49 * HOUR_S)
        read = world.network.count(THREAD)
        world.network.reply(131 * HOUR_S, third)
        await trio.sleep(HOUR_S)
        assert world.network.count(THREAD) == read
    assert world.uris == uris_of(first, second, third)


async def test_an_answer_of_ours_keeps_a_thread_alive(autojump_clock: Clock) -> None:
    """It is told by BlueskySender, and noticed by the next look without a restart."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        await trio.sleep(40 * HOUR_S)
        own = world.network.reply(40 * HOUR_S, first, author="brand")
        known = KnownPost(own["uri"], first["uri"], Author(BRAND, ""), NEW_YEAR_2026 + 40 * HOUR_S)
        await world.memory.store.record(posts=[known])
        await trio.sleep(40 * HOUR_S)
        answer = world.network.reply(80 * HOUR_S, own)
        await trio.sleep(HOUR_S)
    assert world.uris == uris_of(first, answer)


async def test_a_thread_whose_root_is_gone_is_followed_all_the_same(autojump_clock: Clock) -> None:
    """From the first post of it that is known."""
    world = Attentive(FOLLOWING)
    root = world.network.post(-20, author="bob")
    asked = world.network.reply(-10, root)
    world.network.announce(asked, "mention")
    async with world.polling():
        world.network.delete(root["uri"])
        more = world.network.reply(31, asked)
        await trio.sleep(300)
    assert world.uris == uris_of(asked, more)
    assert world.context.failures == []


async def test_an_idle_follower_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """It reads what is known when it begins, and when something was recorded."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    world.network.reply(-9, first, author="bob")
    async with world.polling():
        await trio.sleep(200)
        before, read = len(world.requests), world.network.count(THREAD)
        await trio.sleep(1200)
        assert len(world.requests) == before
        assert world.network.count(THREAD) == read + 10
        world.network.reply(1400, first)
        await trio.sleep(260)
        # Whether it is new, that it is recorded, and what is known now.
        assert len(world.requests) == before + 3
    assert world.readings == 2
    async with world.polling():
        before = len(world.requests)
        await trio.sleep(600)
        assert len(world.requests) == before


async def test_many_threads_are_read_in_turn_the_newest_always(autojump_clock: Clock) -> None:
    """A round has an end, and no thread is forgotten."""
    world = Attentive(FOLLOWING)
    firsts = [mention(world, -1000 + number) for number in range(2 * MOST_THREADS)]
    async with world.polling():
        await trio.sleep(120)
        before = world.network.count(THREAD)
        await trio.sleep(120)
        assert world.network.count(THREAD) == before + MOST_THREADS
        oldest = world.network.reply(300, firsts[0])
        newest = world.network.reply(301, firsts[-1])
        await trio.sleep(130)
        assert newest["uri"] in world.uris
        await trio.sleep(500)
        assert oldest["uri"] in world.uris


def test_none_waits_for_ever() -> None:
    """Half are the first, half those that were done longest ago."""
    assert choose(list("abc"), 4, {}) == list("abc")
    assert choose(list("abcdef"), 4, {"c": 2, "d": 1, "f": 0}) == list("abef")


async def test_a_round_takes_in_no_more_than_is_recorded_together(autojump_clock: Clock) -> None:
    """The oldest first; the next round goes on."""
    world = Attentive(FOLLOWING, at_once=10)
    first = mention(world, -100)
    replies = [world.network.reply(-90 + number, first) for number in range(25)]
    async with world.polling():
        assert world.uris == uris_of(first, *replies[:10])
        await trio.sleep(300)
    assert world.uris == uris_of(first, *replies)


async def test_a_thread_that_cannot_be_read_holds_up_nothing(autojump_clock: Clock) -> None:
    """The notifications go on, and so do the other threads; the next round tries again."""
    world = Attentive(FOLLOWING)
    threads = [mention(world, -20), mention(world, -10, "bob")]
    async with world.polling():
        world.network.faults[THREAD] = [Retryable("500"), Rejected("Odd", "no")]
        more = [
            world.network.reply(31, threads[0]),
            world.network.reply(32, threads[1], author="bob"),
        ]
        await trio.sleep(100)
        assert [type(one) for one in world.context.failures] == [Retryable, Rejected]
        late = mention(world, 140)
        await trio.sleep(200)
    assert sorted(world.uris) == sorted(uris_of(*threads, late, *more))


async def test_a_limit_ends_the_round(autojump_clock: Clock) -> None:
    """Asking on would only take from what the others need."""
    world = Attentive(FOLLOWING)
    for number in range(20):
        mention(world, -100 + number)
    async with world.polling():
        before = world.network.count(THREAD)
        world.network.faults[THREAD] = [RateLimited("429", after_s=60)]
        await trio.sleep(120)
        assert world.network.count(THREAD) <= before + 2


async def test_a_post_that_cannot_be_read_becomes_a_dead_letter(autojump_clock: Clock) -> None:
    """The others of the thread are taken in."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        broken = world.network.reply(31, first)
        del broken["cid"]
        whole = world.network.reply(32, first)
        world.network.posts["at://x/y/z"] = {"uri": 7, "record": {}}
        await trio.sleep(300)
    assert world.uris == uris_of(first, whole)
    assert list(world.memory.letters) == [make_post_id(broken["uri"])]


async def test_nothing_is_followed_when_it_is_turned_off(autojump_clock: Clock) -> None:
    """No request, and no question to the store."""
    world = Attentive(Attention(follow_s=0))
    first = mention(world, -10)
    async with world.polling():
        world.network.reply(31, first)
        await trio.sleep(1000)
    assert world.uris == uris_of(first)
    assert world.network.count(THREAD) == world.readings == 0


async def test_a_backdated_addition_below_a_known_post_arrives(autojump_clock: Clock) -> None:
    """Its place in the thread says that it came later, whatever its clock says."""
    world = Attentive(FOLLOWING)
    first = mention(world, -10)
    async with world.polling():
        late = world.network.reply(31, first)
        late["indexedAt"] = time_at(-900 * HOUR_S)
        await trio.sleep(300)
    assert world.uris == uris_of(first, late)
    assert any(isinstance(one, FindUnseen) for one in world.requests)

"""An agent sees what a reply answers: its ancestors come before it, marked as context."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.pacing import PATIENCE
from actors.items import make_post_id
from actors.store import Record
from actors.translation.open_message import make_public_message
from actors.translation.record_key import make_record_key
from runtime.errors import Malformed, Rejected, Retryable
from tests.bluesky.attentive import HOUR_S, POSTS, THREAD, Attentive
from tests.bluesky.network import Network

WITH_CONTEXT = Attention(ancestors=3)


def chain(network: Network, length: int, *authors: str) -> list[dict[str, Any]]:
    """A thread of old posts, each an answer to the one before, by these authors in turn."""
    views = [network.post(-5 * HOUR_S, author=authors[0])]
    for number in range(1, length):
        author = authors[number % len(authors)]
        views.append(network.reply(-5 * HOUR_S + number, views[-1], author=author))
    return views


def uris_of(*views: dict[str, Any]) -> list[str]:
    return [view["uri"] for view in views]


async def test_the_ancestors_of_a_mention_come_before_it_in_one_step(
    autojump_clock: Clock,
) -> None:
    """Oldest first, in the same conversation, and marked in their metadata."""
    world = Attentive(WITH_CONTEXT)
    above = chain(world.network, 3, "bob", "brand")
    asked = world.network.reply(-10, above[-1])
    world.network.announce(asked, "mention")
    async with world.polling():
        pass
    assert world.uris == uris_of(*above, asked)
    metadata = [make_public_message(post)["metadata"] for post in world.posts]
    assert [one["reason"] for one in metadata] == ["context", "context", "context", "mention"]
    assert [one.get("context") for one in metadata] == ["true", "true", "true", None]
    assert [one.get("author_is_us") for one in metadata] == [None, "true", None, None]
    conversations = {entry.conversation for entry in world.memory.entries.values()}
    assert conversations == {f"thread:{above[0]['uri']}"}
    (record,) = (one for one in world.requests if isinstance(one, Record) and one.items)
    assert len(record.items) == 4


@pytest.mark.parametrize(
    ("ancestors", "places"), [(3, [0, 7, 8, 9]), (1, [0, 9]), (0, [0]), (80, list(range(10)))]
)
async def test_of_a_long_thread_the_nearest_and_the_root_are_taken(
    autojump_clock: Clock, ancestors: int, places: list[int]
) -> None:
    """However few are wanted, the root tells what it is all about."""
    world = Attentive(Attention(ancestors=ancestors))
    above = chain(world.network, 10, "bob", "carol")
    asked = world.network.reply(-10, above[-1])
    world.network.announce(asked, "reply")
    async with world.polling():
        pass
    assert world.uris == uris_of(*(above[place] for place in places), asked)


async def test_what_agents_answered_is_no_context(autojump_clock: Clock) -> None:
    """It came from Genesys, even if the process was killed before it noted that it is out."""
    world = Attentive(WITH_CONTEXT)
    found = world.network.post(-90, author="bob")
    answer = world.network.reply(-80, found, author="brand", key=make_record_key("a", 0))
    more = world.network.reply(-79, answer, author="brand", key=make_record_key("a", 1))
    in_the_app = world.network.reply(-70, more, author="brand")
    asked = world.network.reply(-10, in_the_app)
    world.network.announce(asked, "reply")
    async with world.polling():
        pass
    assert world.uris == uris_of(found, in_the_app, asked)


async def test_a_thread_that_agents_began_is_context(autojump_clock: Clock) -> None:
    """What they posted for all to read was no part of a public conversation."""
    world = Attentive(WITH_CONTEXT)
    root = world.network.post(-90, author="brand", key=make_record_key("p", 0))
    second = world.network.reply(-90, root, author="brand", key=make_record_key("p", 1))
    asked = world.network.reply(-10, second)
    world.network.announce(asked, "reply")
    async with world.polling():
        pass
    assert world.uris == uris_of(root, second, asked)


async def test_only_the_first_post_of_a_thread_brings_context(autojump_clock: Clock) -> None:
    """Genesys has seen the thread then, and after a restart as well."""
    world = Attentive(WITH_CONTEXT)
    above = chain(world.network, 2, "bob")
    first, second = (world.network.reply(-10 + number, above[-1]) for number in range(2))
    for view in (first, second):
        world.network.announce(view, "reply")
    async with world.polling():
        third = world.network.reply(40, second)
        world.network.announce(third, "reply")
        await trio.sleep(60)
    async with world.polling():
        fourth = world.network.reply(120, third)
        world.network.announce(fourth, "reply")
        await trio.sleep(60)
    assert world.uris == uris_of(*above, first, second, third, fourth)
    assert world.network.count(THREAD) == 1


async def test_a_thread_that_began_in_genesys_needs_none(autojump_clock: Clock) -> None:
    """Its root was taken in as a mention."""
    world = Attentive(WITH_CONTEXT)
    root = world.network.post(-20)
    world.network.announce(root, "mention")
    async with world.polling():
        reply = world.network.reply(40, root)
        world.network.announce(reply, "reply")
        await trio.sleep(60)
    assert world.uris == uris_of(root, reply)
    assert world.network.count(THREAD) == 0


async def test_what_is_deleted_or_hidden_is_passed_over(autojump_clock: Clock) -> None:
    """What is between it and the root is out of sight, the root is not."""
    for hide in (Network.delete, lambda network, uri: network.blocked.add(uri)):
        world = Attentive(WITH_CONTEXT)
        above = chain(world.network, 3, "bob")
        asked = world.network.reply(-10, above[-1])
        world.network.announce(asked, "mention")
        hide(world.network, above[1]["uri"])
        async with world.polling():
            pass
        assert world.uris == uris_of(above[0], above[2], asked)
        assert world.context.failures == []


async def test_an_ancestor_that_is_news_itself_is_no_context(autojump_clock: Clock) -> None:
    """It comes before what answers it, as what it is, even if its clock says otherwise."""
    world = Attentive(WITH_CONTEXT)
    root = world.network.post(-5 * HOUR_S, author="bob")
    late = world.network.reply(-5, root)
    early = world.network.reply(-10, late)
    for view in (late, early):
        world.network.announce(view, "mention")
    async with world.polling():
        pass
    assert world.uris == uris_of(root, late, early)
    assert [post.reason for post in world.posts] == ["context", "mention", "mention"]


@pytest.mark.parametrize("fault", [Rejected("NotFound", "gone"), Malformed("no JSON")])
async def test_a_post_goes_without_context_rather_than_not_at_all(
    autojump_clock: Clock, fault: Rejected | Malformed
) -> None:
    """Whatever Bluesky answers."""
    world = Attentive(WITH_CONTEXT)
    above = chain(world.network, 2, "bob")
    asked = world.network.reply(-10, above[-1])
    world.network.announce(asked, "mention")
    world.network.faults[THREAD] = [fault]
    async with world.polling():
        pass
    assert world.uris == uris_of(asked)


async def test_trouble_with_context_holds_up_the_posts_for_a_moment_only(
    autojump_clock: Clock,
) -> None:
    """After a few attempts they go, all of them, without it."""
    world = Attentive(WITH_CONTEXT)
    asked = []
    for _ in range(20):
        above = chain(world.network, 2, "bob")
        asked.append(world.network.reply(-10, above[-1]))
        world.network.announce(asked[-1], "mention")
    world.network.faults[THREAD] = [Retryable("500")] * 1000
    async with world.polling():
        pass
    assert sorted(world.uris) == sorted(uris_of(*asked))
    assert world.network.count(THREAD) <= 2 * (PATIENCE + 1)


async def test_an_ancestor_that_cannot_be_read_is_counted(autojump_clock: Clock) -> None:
    """The others come."""
    world = Attentive(WITH_CONTEXT)
    above = chain(world.network, 2, "bob")
    del above[1]["cid"]
    asked = world.network.reply(-10, above[1] | {"cid": "c"})
    world.network.announce(asked, "mention")
    async with world.polling():
        pass
    assert world.uris == uris_of(above[0], asked)
    assert world.context.skips["context_unreadable"] == 1


async def test_context_neither_makes_its_authors_take_part_nor_doubles(
    autojump_clock: Clock,
) -> None:
    """Bob only wrote what alice answers: what else he says in the thread is his own affair."""
    world = Attentive(Attention(ancestors=3, follow_s=48 * HOUR_S))
    above = chain(world.network, 2, "bob")
    asked = world.network.reply(-10, above[-1])
    world.network.announce(asked, "mention")
    async with world.polling():
        world.network.reply(40, above[0], author="bob")
        await trio.sleep(300)
        world.network.announce(above[1], "mention")
        await trio.sleep(120)
    assert world.uris == uris_of(*above, asked)
    assert world.memory.is_seen(make_post_id(above[0]["uri"]))


async def test_none_is_looked_for_when_it_is_turned_off(autojump_clock: Clock) -> None:
    """The post goes as it is."""
    world = Attentive(Attention())
    above = chain(world.network, 2, "bob")
    asked = world.network.reply(-10, above[-1])
    world.network.announce(asked, "mention")
    async with world.polling():
        pass
    assert world.uris == uris_of(asked)
    assert world.network.count(POSTS) == 1

"""What is heard live is recorded at once, once, in its order, and nothing depends on it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.listing import Candidate
from actors.bluesky.live_finds import LiveFind, LiveFinds
from actors.bluesky.noise import Noise
from actors.messages import InboundPost
from actors.store import Record
from runtime.errors import RateLimited, Rejected, Retryable
from tests.bluesky.live import HOUR_S, LiveWorld, make_event, mention
from tests.bluesky.network import BRAND, profile

LIST = "app.bsky.notification.listNotifications"
POSTS = "app.bsky.feed.getPosts"
SEARCH = "app.bsky.feed.searchPosts"


async def test_a_mention_is_recorded_at_once(autojump_clock: Clock) -> None:
    """Long before the next poll, and before the listing shows it."""
    world = LiveWorld()
    async with world.running():
        uri = world.mention()
        await trio.sleep(0.2)
        assert world.uris == [uri]
    (post,) = world.memory.payloads
    assert isinstance(post, InboundPost)
    assert post.reason == "mention"


async def test_a_reply_and_a_quote_are_heard(autojump_clock: Clock) -> None:
    """An answer to a post of ours, and a post that shows one; with their reasons."""
    world = LiveWorld()
    async with world.running():
        ours = world.network.post(trio.current_time(), author="brand")
        embed = {"$type": "app.bsky.embed.record", "record": {"uri": ours["uri"], "cid": "c"}}
        reply = world.network.reply(trio.current_time(), ours)
        media: dict[str, Any] = {"$type": "app.bsky.embed.recordWithMedia", "record": embed}
        quotes = [world.network.post(trio.current_time(), embed=one) for one in (embed, media)]
        for view in (ours, reply, *quotes):
            world.publish(view)
        await trio.sleep(0.5)
    heard = [one for one in world.memory.payloads if isinstance(one, InboundPost)]
    reasons = {one.post.uri: one.reason for one in heard}
    assert [reasons[view["uri"]] for view in (reply, *quotes)] == ["reply", "quote", "quote"]
    # Our own is the context of the reply to it, and no more.
    assert reasons[ours["uri"]] == "context"


async def test_what_the_poller_lists_too_is_recorded_once(autojump_clock: Clock) -> None:
    """Whoever comes first; a stream that repeats itself changes nothing."""
    world = LiveWorld()
    async with world.running():
        uris = [world.mention(is_listed=True) for _ in range(3)]
        for _, line in list(world.history):
            world.tell(line)
        await trio.sleep(400)
        for _, line in list(world.history):
            world.tell(line)
        await trio.sleep(400)
    assert world.uris == uris
    async with world.running(listens=False):
        await trio.sleep(100)
    assert world.uris == uris


async def test_a_post_that_is_not_indexed_yet_is_looked_for_again(autojump_clock: Clock) -> None:
    """Soon, and it is recorded as soon as the AppView shows it."""
    world = LiveWorld()
    async with world.running():
        view = world.network.post(trio.current_time(), facets=mention())
        del world.network.posts[view["uri"]]
        world.publish(view)
        await trio.sleep(1.5)
        assert world.uris == []
        world.network.posts[view["uri"]] = view
        await trio.sleep(2.1)
        assert world.uris == [view["uri"]]


async def test_a_post_that_never_appears_is_left_to_the_poller(autojump_clock: Clock) -> None:
    """After ten seconds nobody asks for it any more; when it is listed, it is taken in."""
    world = LiveWorld()
    async with world.running():
        view = world.network.post(trio.current_time(), facets=mention())
        del world.network.posts[view["uri"]]
        world.publish(view)
        await trio.sleep(15)
        asked = world.network.count(POSTS)
        await trio.sleep(100)
        assert world.network.count(POSTS) == asked
        assert world.poller.skips["left_to_poller"] == 1
        world.network.posts[view["uri"]] = view
        world.network.announce(view, "mention")
        await trio.sleep(200)
        assert world.uris == [view["uri"]]


async def test_what_follows_a_late_post_in_its_thread_waits_for_it(autojump_clock: Clock) -> None:
    """The order of a conversation holds although its first post is indexed last; others go on."""
    world = LiveWorld()
    async with world.running():
        now = trio.current_time()
        first = world.network.post(now, facets=mention())
        second = world.network.reply(now + 0.1, first, facets=mention())
        del world.network.posts[first["uri"]]
        third = world.network.reply(now + 0.2, second, facets=mention())
        world.publish(first)
        world.publish(second)
        # Nobody heard of the third, and the second is listed, too.
        world.network.announce(second, "mention")
        world.network.announce(third, "mention")
        other = world.mention(author="bob")
        await trio.sleep(1)
        assert world.uris == [other]
        world.network.posts[first["uri"]] = first
        await trio.sleep(200)
        assert world.uris == [other, *(one["uri"] for one in (first, second, third))]


async def test_what_goes_before_a_late_post_does_not_wait_for_it(autojump_clock: Clock) -> None:
    """Both were heard before the poller looked, and only the second cannot be fetched yet."""
    world = LiveWorld()
    async with world.running(polls=False), trio.open_nursery() as nursery:
        now = trio.current_time()
        first = world.network.post(now, facets=mention())
        second = world.network.reply(now + 0.1, first, facets=mention())
        del world.network.posts[second["uri"]]
        world.publish(first)
        world.publish(second)
        await trio.sleep(1)
        nursery.start_soon(world.make_poller().run)
        await trio.sleep(1)
        assert world.uris == [first["uri"]]
        world.network.posts[second["uri"]] = second
        await trio.sleep(3)
        assert world.uris == [first["uri"], second["uri"]]
        nursery.cancel_scope.cancel()


async def test_what_notifies_nobody_waits_for_a_late_post_too(autojump_clock: Clock) -> None:
    """Whoever follows the thread finds the third while the second cannot be fetched yet."""
    world = LiveWorld(attention=Attention(follow_s=HOUR_S, follow_every_s=1.0))
    async with world.running():
        first = world.mention()
        await trio.sleep(2)
        now, above = trio.current_time(), world.network.posts[first]
        second = world.network.reply(now, above, facets=mention())
        third = world.network.reply(now + 0.1, above)
        del world.network.posts[second["uri"]]
        world.publish(second)
        await trio.sleep(5)
        assert world.uris == [first]
        world.network.posts[second["uri"]] = second
        await trio.sleep(5)
        assert world.uris == [first, second["uri"], third["uri"]]


async def test_a_late_post_holds_up_nobody_else(autojump_clock: Clock) -> None:
    """Not even what is heard in the very moment in which it is looked for in vain."""
    finds = LiveFinds()
    late, new = [
        LiveFind(Candidate(uri, "did:plc:alice", 0.0, "mention"), uri, True, 1, 0.0)
        for uri in ("at://a/b/late", "at://a/b/new")
    ]
    finds.put(late)
    taken = finds.first()
    finds.put(new)
    finds.close(taken, {late.uri})
    assert finds.wait_s == 0.0
    finds.close(finds.first(), {late.uri})
    assert 0.0 < finds.wait_s < 1.0


async def test_what_is_listed_comes_before_what_is_heard(autojump_clock: Clock) -> None:
    """A listener that missed the first of a thread does not put the second before it."""
    world = LiveWorld()
    async with world.running():
        now = trio.current_time()
        first = world.network.post(now, facets=mention())
        second = world.network.reply(now + 1, first, facets=mention())
        world.network.announce(first, "mention")
        world.publish(second)
        await trio.sleep(1)
        assert world.uris == [first["uri"], second["uri"]]


async def test_many_in_one_thread_keep_their_order(autojump_clock: Clock) -> None:
    """Half are listed and half are heard, some of them both, some of them late."""
    world = LiveWorld()
    async with world.running():
        root = world.network.post(trio.current_time(), facets=mention())
        world.network.announce(root, "mention")
        written = [root]
        for number in range(60):
            view = world.network.reply(trio.current_time(), written[-1], facets=mention())
            written.append(view)
            if number % 3:
                world.network.announce(view, "mention")
            if number % 3 != 1:
                world.publish(view)
            if number % 7 == 0:
                del world.network.posts[view["uri"]]
                await trio.sleep(0.3)
                world.network.posts[view["uri"]] = view
            await trio.sleep(0.4)
        await trio.sleep(400)
    assert world.uris == [view["uri"] for view in written]


async def test_what_was_missed_is_told_again(autojump_clock: Clock) -> None:
    """After an outage it resumes a few seconds before the last event; nothing doubles."""
    world = LiveWorld()
    async with world.running():
        before = world.mention()
        await trio.sleep(1)
        told_us = world.history[-1][0]
        world.is_away = True
        world.streams[0].cut()
        await trio.sleep(20)
        missed = world.mention()
        await trio.sleep(20)
        assert world.uris == [before]
        world.is_away = False
        await trio.sleep(5)
        assert world.cursors == [None, told_us - 5_000_000]
        assert world.uris == [before, missed]


async def test_what_was_missed_before_anything_was_heard_is_told_too(
    autojump_clock: Clock,
) -> None:
    """It listens from the moment in which it connected, whenever the first event comes."""
    world = LiveWorld()
    async with world.running():
        world.is_away = True
        world.streams[0].cut()
        await trio.sleep(1)
        missed = world.mention()
        world.is_away = False
        await trio.sleep(10)
        assert world.cursors[0] is None
        assert world.uris == [missed]


async def test_the_poller_is_the_net(autojump_clock: Clock) -> None:
    """While the stream is away it polls at its own pace, and afterwards nothing doubles."""
    world = LiveWorld()
    world.is_away = True
    async with world.running():
        uris = [world.mention(is_listed=True) for _ in range(3)]
        await trio.sleep(60)
        assert world.uris == uris
        world.is_away = False
        await trio.sleep(100)
        assert world.uris == uris


async def test_a_safety_net_looks_more_seldom(autojump_clock: Clock) -> None:
    """A third of the requests while it hears, and at once the usual ones when it does not."""
    world = LiveWorld()
    async with world.running():
        heard = world.network.count(LIST)
        await trio.sleep(3600)
        assert world.network.count(LIST) - heard == 20
        world.is_away = True
        world.streams[0].cut()
        await trio.sleep(0.1)
        unheard = world.network.count(LIST)
        await trio.sleep(3600)
        assert world.network.count(LIST) - unheard in (60, 61)


async def test_a_new_process_resumes_where_the_last_one_was(autojump_clock: Clock) -> None:
    """The place is kept every two minutes, and what was not recorded then is heard again."""
    world = LiveWorld()
    async with world.running():
        world.tell(make_event(world.network.post(0.0), world.now_us))
        await trio.sleep(130)
    kept = [
        one
        for one in world.memory.requests
        if isinstance(one, Record) and any(value.name == "live" for value in one.values)
    ]
    assert len(kept) == 1
    await trio.sleep(30)
    missed = world.mention()
    await trio.sleep(1)
    async with world.running():
        assert world.cursors[1] is not None
        assert world.uris == [missed]


async def test_a_find_in_hand_is_not_lost_with_its_process(autojump_clock: Clock) -> None:
    """The place that is kept is never beyond what is recorded."""
    world = LiveWorld()
    async with world.running(polls=False):
        waiting_us = world.now_us
        uri = world.mention()
        await trio.sleep(30)
        world.tell(make_event(world.network.post(0.0), world.now_us))
        await trio.sleep(100)
    assert world.memory.values[("cursor", "live")].text == str(waiting_us)
    async with world.running():
        assert world.uris == [uri]


async def test_after_a_long_absence_it_listens_from_now_on(autojump_clock: Clock) -> None:
    """What was missed for longer than ten minutes the pollers list."""
    world = LiveWorld()
    async with world.running():
        world.mention()
        await trio.sleep(130)
    missed = world.mention(is_listed=True)
    await trio.sleep(700)
    async with world.running():
        assert world.cursors == [None, None]
        assert missed in world.uris


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        f'{{"did":"{BRAND}","time_us":"soon"',
        f'["{BRAND}"]',
        f'{{"did":7,"time_us":1,"commit":{{"operation":"create","collection":"app.bsky.feed.post"}},"x":"{BRAND}"}}',
        '{"a":' * 5000 + f'"{BRAND}"',
        b"\x00\xff",
        f'{{"did":"did:plc:x","time_us":99999999999999999,"text":"{BRAND}"}}',
    ],
)
async def test_garbage_does_not_stop_it(line: str | bytes, autojump_clock: Clock) -> None:
    """What is no event is left out, and moves no place; the next one is heard."""
    world = LiveWorld()
    async with world.running():
        world.tell(line)
        uri = world.mention()
        await trio.sleep(130)
        assert world.uris == [uri]
        assert world.memory.values[("cursor", "live")].text == str(world.history[-1][0])


async def test_a_connection_that_is_dead_is_given_up(autojump_clock: Clock) -> None:
    """Nobody closes it, but it does not answer: within 40 seconds there is a new one."""
    world = LiveWorld()
    async with world.running():
        world.streams[0].is_deaf = True
        await trio.sleep(45)
        assert len(world.cursors) == 2
        assert "ping" in str(world.listener.back_offs[0])


async def test_idle_it_costs_the_store_nothing(autojump_clock: Clock) -> None:
    """A silent stream moves no place; a busy one is kept every two minutes."""
    world = LiveWorld()
    async with world.running():
        asked = len(world.memory.requests)
        await trio.sleep(3600)
        assert len(world.memory.requests) == asked
        for number in range(600):
            world.tell(make_event(world.network.post(float(number)), world.now_us))
            await trio.sleep(1)
        assert len(world.memory.requests) - asked == 5


async def test_the_same_noise_is_left_out(autojump_clock: Clock) -> None:
    """LISTEN_EXCLUDE and its like hold for what is heard as for what is listed."""
    noise = Noise.make(
        langs=["en"], exclude=["bob.test", "giveaway"], min_account_age_s=0.0, labels=["spam"]
    )
    world = LiveWorld(noise=noise)
    async with world.running(searches=True):
        world.mention(author="bob")
        foreign = world.network.post(
            trio.current_time(), author="carol", text="acme!", langs=["fr"]
        )
        excluded = world.network.post(trio.current_time(), author="carol", text="acme giveaway")
        for view in (foreign, excluded):
            world.publish(view)
        wanted = world.network.post(trio.current_time(), author="carol", text="acme rocks")
        world.publish(wanted)
        await trio.sleep(2)
    assert world.uris == [wanted["uri"]]
    assert world.poller.skips["excluded_account"] == 1
    assert (world.searcher.skips["language"], world.searcher.skips["excluded_word"]) == (1, 1)


async def test_hits_are_heard_before_the_search_knows_them(autojump_clock: Clock) -> None:
    """Plain words; and what the search finds later is not taken in again."""
    world = LiveWorld(queries=("acme phone", "from:bob acme"))
    async with world.running(searches=True):
        hit = world.network.post(trio.current_time(), text="My ACME's new\nphone is dead")
        miss = world.network.post(trio.current_time(), text="acmephone")
        for view in (hit, miss):
            world.publish(view)
        await trio.sleep(1)
        assert world.uris == [hit["uri"]]
        world.network.hits["acme phone"] = [hit]
        await trio.sleep(1000)
        assert world.uris == [hit["uri"]]
        assert world.memory.payloads[0].reason == "search"  # type: ignore[union-attr]


async def test_the_search_slows_down_only_if_all_of_it_is_heard(autojump_clock: Clock) -> None:
    """A query that only the search understands is made as often as ever."""
    for queries, times in ((("acme",), 4), (("acme", "from:bob"), 24)):
        world = LiveWorld(queries=queries)
        async with world.running(searches=True):
            before = world.network.count(SEARCH)
            await trio.sleep(3600)
            assert world.network.count(SEARCH) - before == times


@pytest.mark.parametrize("viewer", [{"muted": True}, {"blocking": "at://x/y/z"}])
async def test_whom_the_brand_mutes_is_not_heard(
    viewer: dict[str, Any], autojump_clock: Clock
) -> None:
    """Bluesky would not list them; the mark is left to whoever does."""
    world = LiveWorld()
    async with world.running():
        view = world.network.post(trio.current_time(), facets=mention())
        view["author"] = {**profile("alice"), "viewer": viewer}
        world.publish(view)
        await trio.sleep(30)
        assert world.uris == []
        assert world.poller.skips["hidden"] == 1


async def test_deep_in_our_thread_the_listing_decides(autojump_clock: Clock) -> None:
    """An answer to somebody else is taken in if Bluesky tells of it, and holds up nobody."""
    world = LiveWorld()
    async with world.running():
        ours = world.network.post(trio.current_time(), author="brand")
        alice = world.network.reply(trio.current_time(), ours)
        world.publish(alice)
        await trio.sleep(2)
        told = world.network.reply(trio.current_time(), alice, author="bob")
        untold = world.network.reply(trio.current_time(), alice, author="carol")
        for view in (told, untold):
            world.publish(view)
        world.network.announce(told, "reply")
        await trio.sleep(5)
    assert world.uris == [ours["uri"], alice["uri"], told["uri"]]
    assert len(world.listeners.notifications) == 0


async def test_what_fails_is_still_a_find(autojump_clock: Clock) -> None:
    """The poller crashes in the middle: its next incarnation records what was heard."""
    world = LiveWorld()
    async with world.running(polls=False):
        uri = world.mention()
        await trio.sleep(1)
        for method, fault in (
            (LIST, Retryable("away")),
            (POSTS, RateLimited("slow", after_s=1)),
            (POSTS, Rejected("InvalidRequest", "odd")),
        ):
            world.network.faults[method] = [fault] * 5
            with pytest.raises(Retryable) if method == LIST else trio.move_on_after(0.1):
                await world.make_poller().run()
            world.network.faults.clear()
            assert world.uris == []
        with trio.move_on_after(20):
            await world.make_poller().run()
        assert world.uris == [uri]


async def test_memory_is_bounded_whatever_the_rate(autojump_clock: Clock) -> None:
    """What does not fit is left to the poller, which lists it."""
    world = LiveWorld()
    world.listeners = type(world.listeners)(LiveFinds(10), LiveFinds(10))
    async with world.running(polls=False):
        uris = [world.mention(is_listed=True) for _ in range(50)]
        await trio.sleep(1)
        assert len(world.listeners.notifications) == 10
        assert world.listener.skips["left_to_poller"] == 40
        with trio.move_on_after(20):
            await world.make_poller().run()
        assert sorted(world.uris) == sorted(uris)


async def test_off_duty_nobody_listens(autojump_clock: Clock) -> None:
    """Whoever begins anew has nothing in hand of the duty before."""
    world = LiveWorld()
    async with world.running(polls=False):
        world.mention()
        await trio.sleep(1)
        assert len(world.listeners.notifications) == 1
    assert not world.listeners.notifications.is_hearing
    world.history.clear()
    async with world.running(polls=False):
        assert len(world.listeners.notifications) == 0


async def test_looking_often_does_not_make_a_late_post_a_gone_one(autojump_clock: Clock) -> None:
    """It is listed, but for half a minute it cannot be fetched, while others are heard of."""
    world = LiveWorld()
    async with world.running():
        late = world.network.post(trio.current_time(), facets=mention())
        del world.network.posts[late["uri"]]
        world.network.announce(late, "mention")
        others = []
        for _ in range(10):
            others.append(world.mention(author="bob"))
            await trio.sleep(3)
        world.network.posts[late["uri"]] = late
        others.append(world.mention(author="bob"))
        await trio.sleep(1)
        assert sorted(world.uris) == sorted([*others, late["uri"]])

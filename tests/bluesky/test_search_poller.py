"""SearchPoller takes in what strangers say, once, and nothing of our own."""

from __future__ import annotations

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.client import Parameters
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.search_poller import SearchPoller
from actors.messages import InboundPost, Json
from runtime.errors import AuthRejected, Rejected, Retryable
from tests.bluesky.network import Network, time_at
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0
DAY_S = 86_400.0
SEARCH = "app.bsky.feed.searchPosts"
PROFILES = "app.bsky.actor.getProfiles"


class World:
    """A network, a memory, and a poller that can be run for a while, again and again."""

    def __init__(self, *queries: str) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.context = FakeContext("SearchPoller")
        self.queries = queries or ("acme",)

    async def poll_for(self, seconds: float) -> None:
        """Run a new incarnation of the poller for so long."""
        poller = SearchPoller(
            self.context,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            queries=self.queries,
            interval_s=300.0,
            lookback_s=HOUR_S,
            at_once=500,
        )
        with trio.move_on_after(seconds):
            await poller.run()

    def hit(
        self, at_s: float, *, query: str = "acme", author: str = "alice", **record: object
    ) -> str:
        """A post that the server finds."""
        view = self.network.post(at_s, author=author, key=None, **record)
        self.network.hits.setdefault(query, []).append(view)
        return str(view["uri"])

    @property
    def uris(self) -> list[str]:
        return [one.post.uri for one in self.memory.payloads if isinstance(one, InboundPost)]


async def test_hits_are_recorded_oldest_first_without_fetching_them_again(
    autojump_clock: Clock,
) -> None:
    """searchPosts shows whole posts; only their authors are asked about."""
    world = World()
    uris = [world.hit(-number) for number in range(130, 0, -1)]
    await world.poll_for(1)
    assert world.uris == uris
    assert {nsid for nsid, _ in world.network.calls} == {SEARCH, PROFILES}
    assert world.network.calls[0][1] == {"q": "acme", "sort": "latest", "limit": 100}
    assert isinstance(world.memory.payloads[0], InboundPost)
    assert world.memory.payloads[0].reason == "search"


async def test_a_hit_that_is_a_reply_keeps_its_true_root(autojump_clock: Clock) -> None:
    """An answer to it must name the root of the thread, not the hit."""
    world = World()
    root = {"uri": "at://did:plc:carol/app.bsky.feed.post/root", "cid": "r"}
    parent = {"uri": "at://did:plc:carol/app.bsky.feed.post/parent", "cid": "p"}
    uri = world.hit(-1, reply={"root": root, "parent": parent})
    await world.poll_for(1)
    assert world.memory.references[uri].root.uri == root["uri"]


async def test_own_and_old_hits_are_left_out_and_counted_once(autojump_clock: Clock) -> None:
    """They are found again at every poll."""
    world = World()
    world.hit(-2 * HOUR_S)
    world.hit(-5, author="brand")
    mine = world.hit(-1)
    await world.poll_for(1000)
    assert world.uris == [mine]
    assert world.context.skips == {"own_post": 1, "before_start": 1}


async def test_a_post_already_taken_in_as_a_mention_is_not_ingested_again(
    autojump_clock: Clock,
) -> None:
    """One post is one item, whichever poller finds it first."""
    world = World()
    uri = world.network.notify(-1)
    world.network.hits["acme"] = [world.network.posts[uri]]
    poller = NotificationPoller(
        FakeContext("NotificationPoller"),
        world.network,
        world.memory.store,
        virtual_wall_clock,
        interval_s=60,
        lookback_s=HOUR_S,
        deep_sweep_s=HOUR_S,
        at_once=500,
    )
    with trio.move_on_after(1):
        await poller.run()
    await world.poll_for(1)
    assert world.uris == [uri]
    assert world.context.handled == 0


async def test_an_old_hit_is_not_hidden_from_the_notifications(autojump_clock: Clock) -> None:
    """What is too old for the search may still be a mention that is only now listed."""
    world = World()
    world.network.notifications = []
    poller = NotificationPoller(
        FakeContext("NotificationPoller"),
        world.network,
        world.memory.store,
        virtual_wall_clock,
        interval_s=60,
        lookback_s=HOUR_S,
        deep_sweep_s=HOUR_S,
        at_once=500,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(poller.run)
        await trio.sleep(1)
        late = world.network.notify(-5 * HOUR_S)
        world.network.hits["acme"] = [world.network.posts[late]]
        await world.poll_for(1)
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert world.uris == [late]


async def test_a_post_that_two_queries_find_is_ingested_once(autojump_clock: Clock) -> None:
    """Each query has its own place in the store."""
    world = World("acme", "anvil")
    uri = world.hit(-1)
    world.network.hits["anvil"] = [world.network.posts[uri]]
    await world.poll_for(1)
    assert world.uris == [uri]
    assert len([one for one in world.memory.values if one[1].startswith("search:")]) == 2


async def test_an_idle_poll_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """Neither for what is known, nor for what is never taken."""
    world = World()
    for number in range(30):
        world.hit(-60 * number)
        world.hit(-3 * HOUR_S - number)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 4000)
        await trio.sleep(30)
        before = len(world.memory.requests)
        await trio.sleep(3600)
        assert world.network.count(SEARCH) > 10
        assert len(world.memory.requests) == before
    assert 0 in world.context.successes


async def test_a_restart_repeats_nothing_and_misses_nothing(autojump_clock: Clock) -> None:
    """The watermark is older than the pause."""
    world = World()
    first = world.hit(-1)
    await world.poll_for(1)
    await trio.sleep(DAY_S)
    missed = [world.hit(100 + number) for number in range(250)]
    await world.poll_for(1)
    assert world.uris == [first, *missed]


async def test_more_hits_than_can_be_held_are_taken_in_parts_oldest_first(
    autojump_clock: Clock,
) -> None:
    """Memory is bounded; the next sweep follows at once."""
    world = World()
    uris = [world.hit(-3000 + number) for number in range(2300)]
    await world.poll_for(60)
    assert world.uris == uris


async def test_what_is_forgotten_by_the_store_is_not_found_again(autojump_clock: Clock) -> None:
    """A rare query shows posts of months ago, whose marks are gone."""
    world = World()
    first = world.hit(-1)
    await world.poll_for(1)
    await trio.sleep(45 * DAY_S)
    await world.poll_for(1000)
    second = world.hit(45 * DAY_S + 500)
    await world.poll_for(1)
    await trio.sleep(10 * DAY_S)
    await world.poll_for(1)
    assert world.uris == [first, second]


async def test_a_malformed_hit_is_kept_and_stops_nothing(autojump_clock: Clock) -> None:
    """One that is no view, and one whose record is broken."""
    world = World()
    good = world.hit(-3)
    broken = world.hit(-2)
    world.network.posts[broken]["record"] = {"text": 5}
    world.network.hits["acme"].append({"uri": "nonsense", "indexedAt": time_at(-1)})
    await world.poll_for(700)
    assert world.uris == [good]
    assert len(world.memory.letters) == 2
    assert len(world.context.failures) == 2


async def test_a_query_that_the_server_refuses_does_not_stop_the_others(
    autojump_clock: Clock,
) -> None:
    """It is shown as a failure, with what a person should do about it."""
    world = World("((", "acme")
    uri = world.hit(-1)
    world.network.faults[SEARCH] = [Rejected("BadQueryString", "unbalanced")]
    await world.poll_for(1)
    assert world.uris == [uri]
    assert [type(one) for one in world.context.failures] == [Rejected]
    (told,) = world.context.back_offs
    assert isinstance(told, AuthRejected)
    assert "BLUESKY_SEARCH_QUERY" in (told.action or "")


async def test_a_query_that_fails_does_not_stop_the_others_but_is_told(
    autojump_clock: Clock,
) -> None:
    """The supervisor backs off, after all queries had their turn."""
    world = World("slow", "acme")
    uri = world.hit(-1)
    world.network.faults[SEARCH] = [Retryable("502")]
    with pytest.raises(Retryable):
        await world.poll_for(1)
    assert world.uris == [uri]


async def test_endless_empty_pages_are_given_up(autojump_clock: Clock) -> None:
    """Each has a cursor of its own, and nothing says how far down it is."""
    world = World()

    class Endless(Network):
        async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
            await super().query(nsid, parameters)
            return {"posts": [], "cursor": str(len(self.calls))}

    world.network = Endless()
    await world.poll_for(10)
    assert world.network.count(SEARCH) == 20
    assert world.context.skips == {"blank_pages": 1}

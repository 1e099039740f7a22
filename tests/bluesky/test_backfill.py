"""A backfill takes in what was left out before, whatever there is of it, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trio.abc import Clock

from actors.bluesky.backfill import CAPACITY, Backfill, Scope
from actors.bluesky.backfill_store import TAKEN_IN, BackfillStore, Tally
from actors.bluesky.noise import Noise
from actors.items import make_before_id, make_post_id
from actors.messages import InboundPost
from runtime.errors import Rejected
from tests.bluesky.network import Network
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0
QUERY = "phone"


class World:
    """A network, a memory, and backfills of the last hour."""

    def __init__(self) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.context = FakeContext("NotificationPoller", concurrency=2)

    def act_for(self, poller: str) -> FakeContext:
        """What the sweep tells is told by the first of the pollers."""
        return self.context if poller == self.context.name else FakeContext(poller)

    def hit(self, at_s: float, text: str) -> dict[str, Any]:
        """A post that the search finds."""
        view = self.network.post(at_s, text=text)
        self.network.hits.setdefault(QUERY, []).append(view)
        return view

    async def take_in(
        self,
        *,
        dry: bool = False,
        queries: Sequence[str] = (),
        words: Sequence[str] = (),
        capacity: int = CAPACITY,
    ) -> Tally:
        """Of posts, once."""
        tally = Tally()
        store = BackfillStore(self.memory.store._mailbox, answer_within_s=5.0, tally=tally, dry=dry)
        noise = Noise.make(langs=(), exclude=words, min_account_age_s=0.0, labels=())
        scope = Scope(virtual_wall_clock() - HOUR_S, queries, noise, None, "accept")
        work = Backfill(
            self.act_for,
            self.network,
            store,
            virtual_wall_clock,
            scope,
            lambda _: None,
            capacity=capacity,
        )
        await work.take_in_posts()
        return tally

    @property
    def uris(self) -> list[str]:
        return [one.post.uri for one in self.memory.payloads if isinstance(one, InboundPost)]


async def test_all_pages_down_to_the_time_are_taken_in_oldest_first(autojump_clock: Clock) -> None:
    """And nothing of before; a second time there is nothing new."""
    world = World()
    before = world.network.notify(-HOUR_S - 1)
    uris = [world.network.notify(-HOUR_S + 10 * number) for number in range(1, 350)]
    assert (await world.take_in()).new == {"mention": 349}
    assert world.uris == uris
    assert not world.memory.is_seen(make_post_id(before))
    again = await world.take_in()
    assert again.new.total() == 0
    assert again.left_out[TAKEN_IN] == 349


async def test_what_the_first_start_left_out_is_taken_in(autojump_clock: Clock) -> None:
    """It is marked as having been there before, which keeps back the pollers and nobody else."""
    world = World()
    uri = world.network.notify(-60)
    await world.memory.store.record(seen=[make_before_id(uri)])
    await world.take_in()
    assert world.uris == [uri]


async def test_more_than_can_be_held_comes_in_too(
    autojump_clock: Clock,
) -> None:
    """In several rounds, over all listings."""
    world = World()
    hits = [world.hit(-HOUR_S + 20 * one, QUERY) for one in range(1, 170)]
    mentions = [world.network.notify(-HOUR_S + 20 * one + 5) for one in range(1, 170)]
    tally = await world.take_in(queries=[QUERY], capacity=120)
    assert tally.new == {"mention": 169, "search": 169}
    assert sorted(world.uris) == sorted([*mentions, *(str(one["uri"]) for one in hits)])


async def test_hits_and_mentions_of_one_time_line_are_in_one_order(autojump_clock: Clock) -> None:
    """So that a thread of both keeps its order; what is both is a mention, whatever it says."""
    world = World()
    world.hit(-2 * HOUR_S, QUERY)
    first = str(world.hit(-300, QUERY)["uri"])
    second = world.network.notify(-200)
    third = str(world.hit(-100, QUERY)["uri"])
    both = world.hit(-50, f"{QUERY} spam")
    world.network.announce(both, "mention")
    left_out = world.hit(-40, f"{QUERY} spam")
    tally = await world.take_in(queries=[QUERY], words=["spam"])
    assert world.uris == [first, second, third, both["uri"]]
    assert tally.new == {"mention": 2, "search": 2}
    assert world.context.skips["excluded_word"] == 1
    assert left_out["uri"] not in world.uris


async def test_a_dry_run_changes_nothing(autojump_clock: Clock) -> None:
    """It counts the same."""
    world = World()
    world.network.notify(-60)
    assert (await world.take_in(dry=True)).new == {"mention": 1}
    assert world.uris == []
    assert (await world.take_in()).new == {"mention": 1}


async def test_no_place_of_the_pollers_is_moved(autojump_clock: Clock) -> None:
    """Neither theirs nor one of its own is kept."""
    world = World()
    world.network.notify(-60)
    await world.take_in(queries=[QUERY])
    assert world.memory.values == {}


async def test_a_query_that_is_not_understood_keeps_back_nothing_else(
    autojump_clock: Clock,
) -> None:
    """It is told, and the rest comes in."""
    world = World()
    uri = world.network.notify(-60)
    world.network.faults["app.bsky.feed.searchPosts"] = [Rejected("BadQueryString", "no")]
    await world.take_in(queries=[QUERY])
    assert world.uris == [uri]
    assert len(world.context.failures) == 1


async def test_what_cannot_be_read_is_the_letter_that_its_poller_would_have_kept(
    autojump_clock: Clock,
) -> None:
    """By its source a person's replay knows what it is, and by its id it is kept once."""
    world = World()
    mention = world.network.notify(-60)
    world.network.posts[mention]["record"] = "broken"
    world.network.notifications.append({"uri": "broken"})
    hit = world.hit(-50, "a phone")
    hit["record"] = "broken"
    world.network.hits[QUERY].append({"uri": "broken"})
    await world.take_in(queries=[QUERY])
    letters = world.memory.letters
    assert letters.pop(make_post_id(mention)).source == "NotificationPoller"
    assert letters.pop(make_post_id(hit["uri"])).source == "SearchPoller"
    assert sorted(one.rpartition(":")[0] for one in letters) == [
        "letter:NotificationPoller",
        "letter:SearchPoller",
    ]

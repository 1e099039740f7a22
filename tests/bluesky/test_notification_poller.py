"""NotificationPoller misses nothing that is listed, and hands over nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.client import Parameters
from actors.bluesky.listing import choose_cursor
from actors.bluesky.notification_poller import NotificationPoller
from actors.items import make_before_id, make_post_id
from actors.messages import InboundPost
from actors.store import SEEN_KEEP_S, StoreUnavailable
from runtime.errors import Retryable
from runtime.rate import Rate
from tests.bluesky.network import Network, time_at
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0
DAY_S = 86_400.0
LIST = "app.bsky.notification.listNotifications"
POSTS = "app.bsky.feed.getPosts"
PROFILES = "app.bsky.actor.getProfiles"


class World:
    """A network, a memory, and a poller that can be run for a while, again and again."""

    def __init__(self) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.context = FakeContext("NotificationPoller", concurrency=4)

    async def poll_for(self, seconds: float, **settings: float) -> None:
        """Run a new incarnation of the poller for so long."""
        poller = NotificationPoller(
            self.context,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=settings.get("interval_s", 60.0),
            lookback_s=settings.get("lookback_s", HOUR_S),
            deep_sweep_s=settings.get("deep_sweep_s", HOUR_S),
            at_once=500,
        )
        with trio.move_on_after(seconds):
            await poller.run()

    @property
    def posts(self) -> list[InboundPost]:
        return [one for one in self.memory.payloads if isinstance(one, InboundPost)]

    @property
    def uris(self) -> list[str]:
        return [one.post.uri for one in self.posts]


async def test_a_mention_is_recorded_at_once_and_its_reference_with_it(
    autojump_clock: Clock,
) -> None:
    """The first poll does not wait for the interval."""
    world = World()
    uri = world.network.notify(-5, reason="quote")
    await world.poll_for(1)
    (post,) = world.posts
    assert (post.post.uri, post.reason, post.author.handle) == (uri, "quote", "alice.test")
    assert world.memory.references[uri].root.uri == uri
    assert world.context.handled == 1


async def test_posts_are_handed_over_oldest_first(autojump_clock: Clock) -> None:
    """The listing is newest first, and getPosts in any order."""
    world = World()
    uris = [world.network.notify(-100 + number) for number in range(60)]
    await world.poll_for(1)
    assert world.uris == uris
    assert sorted(world.network.batches) == [10, 25, 25]


async def test_posts_of_one_time_are_handed_over_in_the_order_of_writing(
    autojump_clock: Clock,
) -> None:
    """A chain posted at once may have one time throughout; its record keys tell its order."""
    world = World()
    uris = [world.network.notify(-5) for _ in range(4)]
    world.network.notifications.reverse()
    await world.poll_for(1)
    assert world.uris == uris


async def test_other_reasons_and_own_posts_are_left_out(autojump_clock: Clock) -> None:
    """Only mention, reply and quote; the brand does not talk to itself."""
    world = World()
    world.network.notify(-3, reason="like")
    world.network.notify(-2, author="brand")
    reply = world.network.notify(-1, reason="reply")
    await world.poll_for(1)
    assert world.uris == [reply]
    assert world.context.skips == {"own_post": 1}


async def test_the_first_start_looks_back_and_marks_what_was_there_before(
    autojump_clock: Clock,
) -> None:
    """Older items are no news, however often they are listed."""
    world = World()
    old = world.network.notify(-2 * HOUR_S)
    new = world.network.notify(-HOUR_S / 2)
    await world.poll_for(200)
    assert world.uris == [new]
    assert world.memory.is_seen(make_before_id(old))
    assert not world.memory.is_seen(make_post_id(old))
    assert world.context.skips == {"before_start": 1}


async def test_a_backdated_post_that_turns_up_later_is_new(autojump_clock: Clock) -> None:
    """Its time lies before all that was there at the first start; its uri was not marked."""
    world = World()
    world.network.notify(-3 * DAY_S)
    await world.poll_for(70)
    backdated = world.network.notify(-2000 * DAY_S)
    await world.poll_for(70)
    assert world.uris == [backdated]


async def test_a_backdated_post_below_the_first_page_is_found_by_a_deep_sweep(
    autojump_clock: Clock,
) -> None:
    """The watermark alone would never lead so far down."""
    world = World()
    for number in range(150):
        world.network.notify(-10 * HOUR_S - number)
    await world.poll_for(70)
    late = world.network.notify(-11 * HOUR_S)
    await world.poll_for(HOUR_S / 2, deep_sweep_s=HOUR_S)
    assert world.uris == [late]


async def test_a_running_poller_looks_deep_now_and_then(autojump_clock: Clock) -> None:
    """Not only after a restart."""
    world = World()
    for number in range(150):
        world.network.notify(-10 * HOUR_S - number)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 2 * HOUR_S)
        await trio.sleep(100)
        late = world.network.notify(-11 * HOUR_S)
        await trio.sleep(HOUR_S - 200)
        assert world.uris == []
        await trio.sleep(200)
        assert world.uris == [late]


async def test_equal_times_at_a_page_border_are_all_seen(autojump_clock: Clock) -> None:
    """The server's own cursor leaves out what is as old as the last item of the page."""
    world = World()
    uris = {world.network.notify(-10) for _ in range(5)}
    uris |= {world.network.notify(-9) for _ in range(98)}
    await world.poll_for(1)
    assert set(world.uris) == uris


async def test_a_page_full_of_one_time_does_not_hold_up_the_rest(autojump_clock: Clock) -> None:
    """A cursor of our own would lead to the same page for ever."""
    world = World()
    for _ in range(130):
        world.network.notify(-10)
    older = world.network.notify(-20)
    with trio.fail_after(30):
        await world.poll_for(20)
    assert older in world.uris
    assert len(world.uris) == 101


async def test_short_and_empty_pages_with_a_cursor_do_not_end_the_listing(
    autojump_clock: Clock,
) -> None:
    """Reasons are filtered after the page is read; only a missing cursor ends a listing."""
    world = World()
    world.network.notify(-HOUR_S / 2)
    for number in range(350):
        world.network.notify(-number, reason="like")
    world.network.notify(0)
    await world.poll_for(1)
    assert len(world.uris) == 2


async def test_a_watermark_does_not_hide_what_was_missed_while_away(autojump_clock: Clock) -> None:
    """After a pause more than a page is waiting: all of it is taken, once."""
    world = World()
    before = [world.network.notify(-number) for number in range(5, 0, -1)]
    await world.poll_for(1)
    await trio.sleep(5 * HOUR_S)
    missed = [world.network.notify(10 + number) for number in range(450)]
    await world.poll_for(200)
    assert world.uris == [*before, *missed]


async def test_a_restart_repeats_nothing(autojump_clock: Clock) -> None:
    """A new incarnation knows nothing but what the store remembers."""
    world = World()
    for number in range(30):
        world.network.notify(-number)
    await world.poll_for(100)
    await world.poll_for(100)
    assert len(world.uris) == len(set(world.uris)) == 30


async def test_an_idle_poll_asks_the_store_nothing(autojump_clock: Clock) -> None:
    """Hosted Redis bills by the command."""
    world = World()
    for number in range(120):
        world.network.notify(-60 * number)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 1000)
        await trio.sleep(30)
        before = len(world.memory.requests)
        polls = world.network.count(LIST)
        await trio.sleep(500)
        assert world.network.count(LIST) >= polls + 8
        assert len(world.memory.requests) == before
        world.network.notify(500)
        await trio.sleep(400)
        # One question whether it is new, one recording.
        assert len(world.memory.requests) == before + 2
    assert 0 in world.context.successes


async def test_an_interrupted_sweep_is_done_again_whole(autojump_clock: Clock) -> None:
    """It fails on its second page, for longer than there is patience; no gap stays."""
    world = World()
    await world.poll_for(1)
    uris = [world.network.notify(1 + number) for number in range(250)]

    def fail_below(nsid: str, parameters: Parameters) -> None:
        if "cursor" in parameters:
            raise Retryable("502")

    world.network.before = fail_below
    with pytest.raises(Retryable):
        await world.poll_for(10)
    assert world.uris == []
    world.network.before = lambda nsid, parameters: None
    newer = world.network.notify(300)
    await trio.sleep(300)
    await world.poll_for(10)
    assert world.uris == [*uris, newer]


async def test_a_store_that_was_away_costs_nothing(autojump_clock: Clock) -> None:
    """What could not be recorded is found again, and a lost answer doubles nothing."""
    world = World()
    world.network.notify(-1)
    world.memory.away = True
    with pytest.raises(StoreUnavailable):
        await world.poll_for(1)
    world.memory.away = False
    world.network.before = lambda nsid, parameters: setattr(
        world.memory, "lost_answers", int(nsid == PROFILES)
    )
    with pytest.raises(StoreUnavailable):
        await world.poll_for(1)
    world.network.before = lambda nsid, parameters: None
    await world.poll_for(1)
    assert len(world.uris) == 1


async def test_the_look_back_counts_from_the_first_start_however_long_bluesky_is_away(
    autojump_clock: Clock,
) -> None:
    """Otherwise an outage at the very beginning would eat it up."""
    world = World()
    waiting = world.network.notify(-HOUR_S + 10)
    world.network.faults[LIST] = [Retryable("502")]
    with pytest.raises(Retryable):
        await world.poll_for(1)
    await trio.sleep(5 * HOUR_S)
    await world.poll_for(1)
    assert world.uris == [waiting]


async def test_a_vanished_post_does_not_shift_the_others(autojump_clock: Clock) -> None:
    """getPosts leaves out what is gone: posts are matched by uri, never by position."""
    world = World()
    first, gone, last = (world.network.notify(-number) for number in (3, 2, 1))
    del world.network.posts[gone]
    await world.poll_for(30)
    assert world.uris == [first, last]
    assert [one.text for one in world.posts] == ["post 1", "post 3"]


async def test_a_listed_post_that_is_late_is_taken_when_it_is_there(autojump_clock: Clock) -> None:
    """The listing and getPosts need not agree at every moment."""
    world = World()
    uri = world.network.notify(-1)
    view = world.network.posts.pop(uri)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.poll_for, 200)
        await trio.sleep(70)
        world.network.posts[uri] = view
    assert world.uris == [uri]
    assert not world.context.skips


async def test_a_post_that_stays_away_is_counted_once_and_forgotten(autojump_clock: Clock) -> None:
    """It does not cost a request at every poll for ever."""
    world = World()
    uri = world.network.notify(-1)
    del world.network.posts[uri]
    await world.poll_for(1000)
    assert world.context.skips == {"vanished": 1}
    assert world.network.count(POSTS) == 3
    assert world.memory.is_seen(make_post_id(uri))


async def test_a_malformed_notification_is_kept_and_stops_nothing(autojump_clock: Clock) -> None:
    """One without uri, one that is no object, one with a senseless time."""
    world = World()
    broken: list[Any] = [
        {"reason": "mention", "indexedAt": time_at(-5), "isRead": False},
        {"uri": "at://did:plc:a/app.bsky.feed.post/1", "author": {"did": "did:plc:a"}},
    ]
    world.network.notifications += broken
    good = world.network.notify(-1)
    await world.poll_for(100)
    world.network.notifications[0]["isRead"] = True
    await world.poll_for(100)
    assert world.uris == [good]
    letters = list(world.memory.letters.values())
    assert [one.source for one in letters] == ["NotificationPoller"] * 2
    assert any("uri: Field required" in one.why for one in letters)


async def test_a_malformed_post_is_kept_and_stops_nothing(autojump_clock: Clock) -> None:
    """It is not fetched again either."""
    world = World()
    bad, good = world.network.notify(-2), world.network.notify(-1)
    world.network.posts[bad]["author"] = {"handle": "no did"}
    await world.poll_for(100)
    await world.poll_for(100)
    assert world.uris == [good]
    (letter,) = world.memory.letters.values()
    assert (letter.letter_id, letter.code) == (make_post_id(bad), "Malformed")
    assert "author.did" in letter.why
    assert world.network.count(POSTS) == 1
    assert world.context.failures


async def test_one_uri_that_is_refused_does_not_spoil_its_batch(autojump_clock: Clock) -> None:
    """getPosts refuses a request whole."""
    world = World()
    uris = [world.network.notify(-number) for number in range(40, 0, -1)]
    world.network.refused_uris = {uris[7]}
    await world.poll_for(30)
    assert world.uris == [*uris[:7], *uris[8:]]
    (letter,) = world.memory.letters.values()
    assert (letter.letter_id, letter.code) == (make_post_id(uris[7]), "InvalidRequest")


async def test_thousands_waiting_are_taken_in_order_with_bounded_requests(
    autojump_clock: Clock,
) -> None:
    """2,400 mentions: pages of 100, 25 posts a request, as many at once as is allowed."""
    world = World()
    uris = [world.network.notify(-2500 + number) for number in range(2400)]
    await world.poll_for(50)
    assert world.uris == uris
    assert world.network.count(POSTS) == 96
    assert world.network.most_busy == 4


async def test_a_crash_between_chunks_neither_loses_nor_repeats(autojump_clock: Clock) -> None:
    """What was recorded of an unfinished sweep is seen; the watermark did not move with it."""
    world = World()
    uris = [world.network.notify(-2000 + number) for number in range(1200)]

    def fail_late(nsid: str, parameters: Parameters) -> None:
        if world.network.count(POSTS) >= 30:
            raise Retryable("502")

    world.network.before = fail_late
    with pytest.raises(Retryable):
        await world.poll_for(50)
    assert 0 < len(world.uris) < 1200
    world.network.before = lambda nsid, parameters: None
    await world.poll_for(50)
    assert world.uris == uris


async def test_marks_of_what_is_still_listed_are_renewed(autojump_clock: Clock) -> None:
    """An old post that a small brand's list shows for months is never taken for new."""
    world = World()
    world.network.notify(-2 * HOUR_S)
    recorded = world.network.notify(-10)
    await world.poll_for(2 * SEEN_KEEP_S, interval_s=HOUR_S, deep_sweep_s=6 * HOUR_S)
    await world.poll_for(100)
    assert world.uris == [recorded]


async def test_after_a_month_away_forgotten_marks_repeat_nothing(autojump_clock: Clock) -> None:
    """What was recorded before is older than the watermark; what was missed is newer."""
    world = World()
    world.network.notify(-2 * HOUR_S)
    recorded = world.network.notify(-10)
    await world.poll_for(100)
    await trio.sleep(2 * SEEN_KEEP_S)
    missed = world.network.notify(SEEN_KEEP_S)
    await world.poll_for(100)
    assert world.uris == [recorded, missed]


async def test_what_deletions_bring_up_from_below_the_floor_is_not_new(
    autojump_clock: Clock,
) -> None:
    """It was there before the first start, too deep to be marked."""
    world = World()
    uris = [world.network.notify(-10 * DAY_S - number) for number in range(1500)]
    await world.poll_for(100)
    for uri in uris[:800]:
        world.network.delete(uri)
    await world.poll_for(100)
    assert world.uris == []


async def test_the_actors_rate_is_kept(autojump_clock: Clock) -> None:
    """Each request takes one from the actor's own bucket."""
    world = World()
    world.context = FakeContext("NotificationPoller", rate=Rate(5, 60.0))
    for number in range(300):
        world.network.notify(-number)
    await world.poll_for(100, interval_s=1000)
    assert len(world.network.calls) == 10


async def test_the_lag_is_told(autojump_clock: Clock) -> None:
    """While catching up it is the age of the oldest waiting post; then none."""
    world = World()
    world.network.notify(-120)
    await world.poll_for(1)
    assert world.context.lags == [pytest.approx(120, abs=1), 0.0]


@pytest.mark.parametrize(
    ("asked", "given", "chosen"),
    [
        (None, None, None),
        (None, time_at(5), time_at(5.001)),
        (time_at(5.001), time_at(5), time_at(5)),
        (time_at(5), time_at(5), None),
        (time_at(9), time_at(5), time_at(5.001)),
        (None, "opaque", "opaque"),
        ("opaque", "opaque", None),
    ],
)
def test_the_cursor_leads_on(asked: str | None, given: str | None, chosen: str | None) -> None:
    """A little newer than the server's, unless that led nowhere; never the same page twice."""
    assert choose_cursor(asked, given) == chosen


async def test_a_time_ahead_of_our_clock_does_not_stop_the_sweeps_short(
    autojump_clock: Clock,
) -> None:
    """The watermark would lie above all that is missed for a day."""
    world = World()
    ahead = world.network.notify(DAY_S)
    await world.poll_for(1)
    await trio.sleep(HOUR_S)
    missed = [world.network.notify(10 + number) for number in range(350)]
    await world.poll_for(200)
    assert world.uris == [ahead, *missed]


async def test_what_the_predecessor_took_in_is_not_taken_in_again(autojump_clock: Clock) -> None:
    """Neither by the first sweep, whose look-back it is in, nor by one after a restart."""
    world = World()
    theirs, ours = world.network.notify(-20), world.network.notify(-10)
    world.memory.inherited = {theirs}
    await world.poll_for(1)
    world.memory.inherited = set()
    await world.poll_for(1)
    assert world.uris == [ours]
    assert world.context.skips["taken_in_by_predecessor"] == 1

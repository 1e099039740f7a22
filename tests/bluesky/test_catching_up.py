"""After days offline NotificationPoller works through all that waits, and it can be watched."""

from __future__ import annotations

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.listing import Candidate
from actors.bluesky.notification_listing import PAGE
from actors.bluesky.notification_poller import CAPACITY
from actors.items import make_before_id
from actors.store import Record
from runtime.errors import RateLimited
from runtime.rate import Rate
from tests.bluesky.backlog import AT_ONCE, DAY_S, HOUR_S, MINUTE_S, World, count_alive, falls

WAITING = 25_000


async def test_after_three_days_all_is_taken_oldest_first(autojump_clock: Clock) -> None:
    """25,000 mentions, more than are held: each once, at the actor's rate, the lag falling."""
    world = World()
    uris = [world.network.notify(-1)]
    await world.take_notifications(1)
    await trio.sleep(3 * DAY_S)
    uris += [world.network.notify(10 + 10 * number) for number in range(WAITING)]
    told = len(world.notification_context.lags)
    held: list[int] = []

    def look(number: int) -> None:
        if number % 50 == 0:
            held.append(count_alive(Candidate))
        if number == 700:
            uris.append(world.network.notify(trio.current_time()))

    world.watched.before = look
    await world.take_notifications(30 * MINUTE_S)
    assert world.uris == uris
    assert world.watched.keeps_to(Rate(180, 60.0))
    assert CAPACITY <= max(held) <= CAPACITY + 2 * PAGE
    lags = world.notification_context.lags[told:]
    assert lags[0] == pytest.approx(3 * DAY_S, abs=5 * MINUTE_S)
    assert falls(lags)
    assert len(set(lags)) >= WAITING / AT_ONCE


async def test_a_long_way_down_survives_the_servers_limit(autojump_clock: Clock) -> None:
    """It takes more requests than the server allows at a time: what is read stays read."""
    world = World()
    await world.take_notifications(1)
    await trio.sleep(DAY_S)
    uris = [world.network.notify(10 + number) for number in range(6000)]

    def limit(number: int) -> None:
        if number % 50 == 0 and len(world.uris) < len(uris):
            raise RateLimited("429", after_s=120.0)

    world.watched.before = limit
    await world.take_notifications(HOUR_S)
    assert world.uris == uris


async def test_a_late_post_in_a_backlog_is_taken_when_it_is_there(autojump_clock: Clock) -> None:
    """It is days old by then, and no usual sweep would look so far down for it."""
    world = World()
    await world.take_notifications(1)
    await trio.sleep(2 * DAY_S)
    uris = [world.network.notify(10 + 100 * number) for number in range(1500)]
    late = world.network.posts.pop(uris[7])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.take_notifications, 5 * MINUTE_S)
        await trio.sleep(MINUTE_S)
        world.network.posts[uris[7]] = late
    assert world.uris == [*uris[:7], *uris[8:], uris[7]]


async def test_what_was_there_before_stays_old_however_much_is_taken_in_with_it(
    autojump_clock: Clock,
) -> None:
    """Its marks do not depend on a memory that the rest pushes them out of."""
    world = World()
    before = [world.network.notify(-HOUR_S - 1 - number / 2) for number in range(800)]
    uris = [world.network.notify(-HOUR_S + 1 + number / 4) for number in range(CAPACITY - 100)]
    await world.take_notifications(20 * MINUTE_S)
    assert all(world.memory.is_seen(make_before_id(uri)) for uri in before)
    world.network.notifications = world.network.notifications[: len(before)]
    await world.take_notifications(MINUTE_S)
    assert world.uris == uris


async def test_thousands_that_cannot_be_read_are_not_held_together(autojump_clock: Clock) -> None:
    """Dead letters carry what came whole."""
    world = World()
    await world.take_notifications(1)
    await trio.sleep(HOUR_S)
    for number in range(3000):
        world.network.notify(10 + number)
        del world.network.notifications[-1]["author"]
    await world.take_notifications(MINUTE_S)
    assert len(world.memory.letters) == 3000
    letters = [len(one.dead_letters) for one in world.memory.requests if isinstance(one, Record)]
    assert max(letters) < AT_ONCE + PAGE

"""SearchPoller catches up on each of its queries, and a query that changed repeats nothing."""

from __future__ import annotations

import pytest
import trio
from trio.abc import Clock

from runtime.rate import Rate
from tests.bluesky.backlog import DAY_S, HOUR_S, MINUTE_S, World, falls


async def test_after_three_days_all_hits_are_taken_oldest_first(autojump_clock: Clock) -> None:
    """More than are held: each once, at the actor's rate, the lag falling."""
    world = World()
    await world.search(1, "acme")
    await trio.sleep(3 * DAY_S)
    uris = [world.hit(10 + 60 * number, "acme") for number in range(4000)]
    told = len(world.search_context.lags)
    await world.search(30 * MINUTE_S, "acme")
    assert world.uris == uris
    assert world.watched.keeps_to(Rate(60, 60.0))
    assert falls(world.search_context.lags[told:])


async def test_a_query_that_is_far_behind_does_not_hold_up_another(autojump_clock: Clock) -> None:
    """What the other finds is of now."""
    world = World()
    await world.search(1, "acme", "anvil")
    await trio.sleep(3 * DAY_S)
    behind = [world.hit(10 + number, "acme") for number in range(8000)]
    fresh = world.hit(3 * DAY_S, "anvil")
    await world.search(2 * MINUTE_S, "acme", "anvil")
    assert fresh in world.uris
    assert 0 < len(world.uris) < len(behind)
    await world.search(30 * MINUTE_S, "acme", "anvil")
    assert [uri for uri in world.uris if uri != fresh] == behind


async def test_the_lag_is_that_of_the_query_that_is_furthest_behind(autojump_clock: Clock) -> None:
    """Another one that has nothing to do does not make it look as if all were well."""
    world = World()
    await world.search(1, "acme", "anvil")
    await trio.sleep(DAY_S)
    for number in range(3000):
        world.hit(10 + number, "acme")
    told = len(world.search_context.lags)
    await world.search(20 * MINUTE_S, "acme", "anvil")
    lags = [lag for lag in world.search_context.lags[told:] if lag is not None]
    until = max(number for number, lag in enumerate(lags) if lag > 0)
    assert until >= 5
    assert all(lag > 0.9 * DAY_S for lag in lags[: until + 1])


async def test_a_new_query_hides_nothing_from_an_older_one(autojump_clock: Clock) -> None:
    """It begins with the look-back; what is too old for it is still new to the other."""
    world = World()
    await world.search(1, "acme")
    await trio.sleep(3 * DAY_S)
    both = world.hit(DAY_S, "acme", "acme phone")
    await world.search(MINUTE_S, "acme phone", "acme")
    assert world.uris == [both]


async def test_a_changed_query_repeats_nothing(autojump_clock: Clock) -> None:
    """It has a place of its own and looks back, and what another took in is known."""
    world = World()
    old = [world.hit(-10 * number, "acme", "acme phone") for number in range(300, 0, -1)]
    await world.search(MINUTE_S, "acme", lookback_s=DAY_S)
    only_new = world.hit(30, "acme phone")
    both = world.hit(31, "acme", "acme phone")
    await world.search(MINUTE_S, "acme phone", lookback_s=DAY_S)
    await world.search(MINUTE_S, "acme", "acme phone", lookback_s=DAY_S)
    assert world.uris == [*old, only_new, both]
    assert len(world.memory.entries) == len(set(world.memory.items)) == 302


async def test_a_query_that_is_taken_up_again_repeats_nothing(autojump_clock: Clock) -> None:
    """The one in between found the same posts, so long ago that the store has forgotten them."""
    world = World()
    await world.search(1, "acme")
    uri = world.hit(2, "acme", "acme phone")
    await world.search(MINUTE_S, "acme phone")
    await trio.sleep(45 * DAY_S)
    await world.search(HOUR_S, "acme")
    assert world.uris == [uri]
    recent = world.hit(45 * DAY_S, "acme")
    await world.search(HOUR_S, "acme")
    assert world.uris == [uri, recent]


async def test_found_by_the_search_and_listed_it_is_one_item(autojump_clock: Clock) -> None:
    """Both pollers catch up at once on posts that mention the brand and match the query."""
    world = World()
    await world.take_notifications(1)
    await world.search(1, "acme")
    await trio.sleep(DAY_S)
    uris = [world.network.notify(10 + number) for number in range(2500)]
    world.network.hits["acme"] = [world.network.posts[uri] for uri in uris]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.take_notifications, 20 * MINUTE_S)
        nursery.start_soon(world.search, 20 * MINUTE_S, "acme")
    assert sorted(world.uris) == uris
    assert world.search_context.handled + world.notification_context.handled == len(uris)


@pytest.mark.parametrize("later_s", [30 * DAY_S, 0.0], ids=["raised", "lowered"])
async def test_another_look_back_neither_repeats_nor_leaves_out(
    later_s: float, autojump_clock: Clock
) -> None:
    """The kept place decides, at every poller."""
    world = World()
    alice = world.chat.convo("alice")
    for at_s in (-5 * DAY_S, -2 * HOUR_S, -60):
        world.network.hits.setdefault("acme", []).append(world.network.post(at_s, author="bob"))
        world.network.notify(at_s)
        world.chat.write(alice, at_s)

    async def take_all(lookback_s: float) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: world.take_notifications(MINUTE_S, lookback_s=lookback_s))
            nursery.start_soon(lambda: world.search(MINUTE_S, "acme", lookback_s=lookback_s))
            nursery.start_soon(lambda: world.take_messages(MINUTE_S, lookback_s=lookback_s))

    await take_all(HOUR_S)
    taken = sorted(world.memory.items)
    assert len(taken) == 3
    await trio.sleep(DAY_S)
    await take_all(later_s)
    assert sorted(world.memory.items) == taken
    await trio.sleep(DAY_S)
    world.hit(DAY_S + HOUR_S, "acme")
    world.network.notify(DAY_S + HOUR_S)
    world.chat.write(alice, DAY_S + HOUR_S)
    await take_all(later_s)
    assert len(world.memory.items) == len(set(world.memory.items)) == 6

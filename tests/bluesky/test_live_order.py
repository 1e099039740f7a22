"""A thread keeps its order while some of its posts are heard of and others are only listed.

Something happens in the very moment in which the poller reads the listing: the network indexes
accounts side by side, and may list an answer before what that answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.lag import Lag
from actors.bluesky.noise import NO_NOISE
from actors.bluesky.notification_listing import NotificationListing
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.place import Place
from actors.bluesky.post_reader import PostReader
from actors.bluesky.sweep import Reach, Sweeper
from actors.messages import InboundPost
from actors.recent import Recent
from actors.translation.times import find_time
from tests.bluesky.live import HOUR_S, LiveWorld, mention
from tests.bluesky.network import BRAND
from tests.support.memory_store import virtual_wall_clock

LIST = "app.bsky.notification.listNotifications"


def once_listed(world: LiveWorld, happen: Callable[[], None]) -> None:
    """Let this happen while the listing is read for the next time."""
    happened = trio.Event()

    def before(nsid: str, parameters: object) -> None:
        if nsid == LIST and not happened.is_set():
            happened.set()
            happen()

    world.network.before = before


def write(
    world: LiveWorld,
    above: str,
    *,
    author: str = "alice",
    is_listed: bool = False,
    at_s: float | None = None,
) -> dict[str, Any]:
    """An answer that mentions the brand, by default a moment after what was written last."""
    written_s = at_s or trio.current_time() + 0.001 * len(world.network.posts)
    parent = world.network.posts[above]
    view: dict[str, Any] = world.network.reply(written_s, parent, author=author, facets=mention())
    if is_listed:
        world.network.announce(view, "mention")
    return view


def hear(world: LiveWorld, above: str) -> None:
    """Such an answer is written and told of."""
    world.publish(write(world, above))


@pytest.mark.parametrize("is_certain", [True, False])
async def test_what_is_listed_after_what_is_heard_is_left(
    is_certain: bool, autojump_clock: Clock
) -> None:
    """The first is heard. The third is listed when the second is neither listed nor heard of."""
    world = LiveWorld()
    async with world.running():
        root = world.mention()
        ours = world.network.post(trio.current_time(), author="brand")
        await trio.sleep(1)
        late: list[dict[str, Any]] = []

        def happen() -> None:
            late.extend((write(world, first), write(world, first, is_listed=True)))
            del world.network.posts[late[0]["uri"]]

        once_listed(world, happen)
        if is_certain:
            first = world.mention()
        else:
            deep = write(world, ours["uri"], is_listed=True, author="bob")
            view = world.network.reply(trio.current_time() + 0.1, deep)
            world.network.announce(view, "reply")
            first = world.publish(view)
        await trio.sleep(0.5)
        second, third = late
        for view in late:
            world.publish(view)
        world.network.posts[second["uri"]] = second
        await trio.sleep(1)
        mine = [uri for uri in world.uris if "alice" in uri]
        assert mine == [root, first, second["uri"], third["uri"]]


async def test_what_nobody_heard_of_is_left_to_the_poll(autojump_clock: Clock) -> None:
    """It is listed after what is heard; until it is recorded the place stays below it."""
    world = LiveWorld()
    async with world.running():
        first = world.mention()
        await trio.sleep(1)
        second = world.mention(author="bob")
        written_s = trio.current_time() + 0.001
        listed: list[dict[str, Any]] = []
        once_listed(
            world, lambda: listed.append(write(world, first, is_listed=True, at_s=written_s))
        )
        await trio.sleep(1)
        assert world.uris == [first, second]
        place = Place.parse(await world.memory.store.read("cursor", "notifications"))
        listed_s = find_time(listed[0]["indexedAt"])
        assert place is not None
        assert listed_s is not None
        assert place.reached_s < listed_s
        await trio.sleep(200)
        assert world.uris == [first, second, listed[0]["uri"]]


@pytest.mark.parametrize("ancestors", [None, 3])
async def test_what_is_listed_before_what_is_heard_goes_before_it(
    ancestors: int | None, autojump_clock: Clock
) -> None:
    """As a mention of its own and not as context, although a third is heard at the same time."""
    world = LiveWorld(attention=Attention(ancestors=ancestors))
    async with world.running():
        first = world.network.post(trio.current_time(), facets=mention())
        world.network.announce(first, "mention")
        second = write(world, first["uri"])
        once_listed(world, lambda: hear(world, first["uri"]))
        world.publish(second)
        await trio.sleep(30)
        posts = [one for one in world.memory.payloads if isinstance(one, InboundPost)]
        assert [one.post.uri for one in posts][:2] == [first["uri"], second["uri"]]
        assert [one.reason for one in posts] == ["mention"] * 3


async def test_what_is_only_listed_keeps_its_place_among_many(autojump_clock: Clock) -> None:
    """More is heard of one thread than is dealt with at once, and one of it was missed."""
    world = LiveWorld()
    async with world.running(polls=False), trio.open_nursery() as nursery:
        first = world.mention(is_listed=True)
        uris = [first]
        for number in range(150):
            await trio.sleep(0.05)
            view = write(world, first, is_listed=True)
            uris.append(view["uri"])
            if number != 50:
                world.publish(view)
        nursery.start_soon(world.make_poller().run)
        await trio.sleep(100)
        assert world.uris == uris
        nursery.cancel_scope.cancel()


async def test_more_than_can_be_held_is_left_at_once(autojump_clock: Clock) -> None:
    """Where all of it is left there is nothing to go on with."""
    world = LiveWorld()
    for second in range(5):
        world.mention(is_listed=True, author=f"author{second}")
        await trio.sleep(1)
    bluesky = PacedBluesky(world.network, world.poller)
    reader = PostReader(bluesky, world.poller, virtual_wall_clock, NO_NOISE)
    sweeper = Sweeper(
        world.poller,
        world.memory.store,
        NotificationListing(bluesky, world.poller, reader),
        virtual_wall_clock,
        name="notifications",
        own_did=BRAND,
        lookback_s=HOUR_S,
        reach=Reach(capacity=3, at_once=2),
        known=Recent(),
        lag=Lag(world.poller, virtual_wall_clock),
    )
    assert not await sweeper.sweep(admit=lambda _: False)
    assert world.uris == []
    assert await sweeper.sweep()
    assert not await sweeper.sweep()
    assert len(world.uris) == 5

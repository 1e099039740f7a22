"""Who looks sees changes at once; who does not look costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from connector.dashboard.feed import LASTS_S, MOST_VIEWERS, Feed, Throughput, TooManyViewers
from tests.support.silence import Silence


class Scene:
    """What is drawn, and how often."""

    def __init__(self) -> None:
        self.parts = {"state": "1", "messages": "[]"}
        self.draws = 0
        self.is_broken = False
        self.feed = Feed(self._draw, Silence())
        self.events: list[tuple[float, str]] = []

    def _draw(self) -> dict[str, str]:
        self.draws += 1
        if self.is_broken:
            raise ValueError("no picture")
        return dict(self.parts)

    async def watch(self, *, slowly_s: float = 0.0) -> None:
        """Look until the feed ends it."""
        async with aclosing(self.feed.watch(lambda: True)) as events:
            async for event in events:
                self.events.append((trio.current_time(), event))
                await trio.sleep(slowly_s)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.Nursery]:
        """Run the feed while the block runs."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.feed.run)
            yield nursery
            nursery.cancel_scope.cancel()


async def test_nothing_is_drawn_while_nobody_looks(autojump_clock: MockClock) -> None:
    """Neither before the first viewer nor after the last one."""
    scene = Scene()
    async with scene.running() as nursery:
        await trio.sleep(100)
        assert scene.draws == 0
        await scene.watch()
        seen = scene.draws
        await trio.sleep(100)
        assert seen > 0
        assert scene.draws <= seen + 1
        assert scene.feed.viewers == 0
        nursery.cancel_scope.cancel()


async def test_a_change_is_seen_within_a_second(autojump_clock: MockClock) -> None:
    """Only the part that changed is sent again."""
    scene = Scene()
    async with scene.running() as nursery:
        nursery.start_soon(scene.watch)
        await trio.sleep(3.2)
        before = len(scene.events)
        scene.parts["state"] = "2"
        await trio.sleep(1)
        assert [event for _, event in scene.events[before:]] == ["event: state\ndata: 2\n\n"]
        await trio.sleep(5)
        assert len(scene.events) == before + 1


async def test_many_viewers_share_one_drawing(autojump_clock: MockClock) -> None:
    """Each costs one more at its start, and nothing afterwards; one too many is turned away."""
    scene = Scene()
    async with scene.running() as nursery:
        for _ in range(MOST_VIEWERS):
            nursery.start_soon(scene.watch)
        await trio.sleep(0.1)
        assert scene.feed.viewers == MOST_VIEWERS
        with pytest.raises(TooManyViewers):
            await scene.watch()
        before = scene.draws
        await trio.sleep(10)
        assert scene.draws - before <= 21


async def test_a_slow_viewer_misses_pictures_and_holds_up_nobody(
    autojump_clock: MockClock,
) -> None:
    """What it gets is the newest, and there is no queue that grows."""
    scene = Scene()
    async with scene.running() as nursery:
        nursery.start_soon(lambda: scene.watch(slowly_s=3.0))
        for number in range(20):
            scene.parts["state"] = f"{number}"
            await trio.sleep(0.5)
        states = [event for _, event in scene.events if event.startswith("event: state")]
        assert len(states) <= 4


async def test_a_viewer_comes_again_before_its_connection_counts_as_silent(
    autojump_clock: MockClock,
) -> None:
    """It is sent away in an orderly way, and told to come back at once."""
    scene = Scene()
    async with scene.running():
        await scene.watch()
        assert trio.current_time() == LASTS_S
        assert scene.events[0][1] == "retry: 100\n\n"


async def test_who_may_look_no_more_is_sent_nothing_more(autojump_clock: MockClock) -> None:
    """As after logging out elsewhere."""
    scene, may_look = Scene(), True
    async with scene.running() as nursery:

        async def watch() -> None:
            async with aclosing(scene.feed.watch(lambda: may_look)) as events:
                async for event in events:
                    scene.events.append((trio.current_time(), event))

        nursery.start_soon(watch)
        await trio.sleep(1)
        before, may_look = len(scene.events), False
        scene.parts["state"] = "2"
        await trio.sleep(1)
        assert (len(scene.events), scene.feed.viewers) == (before, 0)


async def test_a_picture_that_cannot_be_drawn_ends_nothing(autojump_clock: MockClock) -> None:
    """Those who look see the one before, and later the next one."""
    scene = Scene()
    async with scene.running() as nursery:
        nursery.start_soon(scene.watch)
        await trio.sleep(1)
        scene.is_broken = True
        scene.parts["state"] = "2"
        await trio.sleep(5)
        scene.is_broken = False
        await trio.sleep(1)
        assert scene.events[-1][1] == "event: state\ndata: 2\n\n"


async def test_viewers_end_with_the_feed(autojump_clock: MockClock) -> None:
    """They do not hold up the end of the process."""
    scene = Scene()
    async with trio.open_nursery() as viewers, scene.running() as nursery:
        viewers.start_soon(scene.watch)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert trio.current_time() == 1


async def test_throughput_is_what_was_done_in_the_last_minute(autojump_clock: MockClock) -> None:
    """Looked at twice a second; what was done while nobody looked does not count."""
    throughput = Throughput()
    handled, counted = 0, []
    for _ in range(300):
        handled += 1
        counted.append(throughput.count("A", handled))
        await trio.sleep(0.5)
    assert counted[:3] == [0, 1, 2]
    assert counted[-1] == pytest.approx(120, abs=2)
    await trio.sleep(500)
    assert throughput.count("A", handled + 1000) == 0

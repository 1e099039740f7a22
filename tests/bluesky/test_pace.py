"""Polling is quick while there is something to find, and no dearer than before while not."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.abc import Clock

from actors.bluesky.client import Parameters
from actors.bluesky.dm_poller import DMPoller
from actors.bluesky.live_finds import LiveFinds
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.pace import NO_HASTE, SAFETY_NET, Haste, Pace
from actors.bluesky.search_poller import SearchPoller
from actors.messages import InboundPost, Json
from runtime.clock import parse_time
from runtime.errors import RateLimited
from runtime.rate import Budget, Rate
from tests.bluesky.network import Network
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

LIST = "app.bsky.notification.listNotifications"
SEARCH = "app.bsky.feed.searchPosts"
LOG = "chat.bsky.convo.getLog"
HASTE = Haste(5.0)
PUBLISHED = Rate(3000, 300)


class Budgeted(Network):
    """A network that takes requests within a budget, and notes when they came.

    ``looks`` are those for the first page of the notifications.
    """

    def __init__(self, rate: Rate = PUBLISHED) -> None:
        super().__init__()
        self.budget = Budget(rate)
        self.times: dict[str, list[float]] = {}
        self.looks: list[float] = []
        self.messages = 0

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Wait for the budget, then answer."""
        await self.budget.acquire()
        self.times.setdefault(nsid, []).append(trio.current_time())
        if nsid == LIST and "cursor" not in parameters:
            self.looks.append(trio.current_time())
        match nsid:
            case "chat.bsky.convo.getLog":
                return self._log(str(parameters.get("cursor", "")))
            case "chat.bsky.convo.listConvos":
                return {"convos": []}
        return await super().query(nsid, parameters, chat=chat)

    def _log(self, cursor: str) -> Json:
        if not cursor or int(cursor) >= self.messages:
            return {"logs": [], "cursor": str(self.messages)}
        logs = [{"$type": "chat.bsky.convo.defs#logMuteConvo", "rev": "a", "convoId": "c"}]
        return {"logs": logs, "cursor": str(self.messages)}


class World:
    """The three pollers on one network, at their default pace."""

    def __init__(self, haste: Haste | None = None, rate: Rate = PUBLISHED) -> None:
        self.network = Budgeted(rate)
        self.memory = MemoryStore()
        self.haste = haste or Haste(5.0, self.network.budget.spare)
        self.contexts = {
            name: FakeContext(name) for name in ("NotificationPoller", "SearchPoller", "DMPoller")
        }

    async def run(self, seconds: float) -> None:
        """Run all three for so long."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.make_notification_poller().run)
                nursery.start_soon(self.make_search_poller().run)
                nursery.start_soon(self.make_dm_poller().run)

    def make_notification_poller(self) -> NotificationPoller:
        """As it is made by default."""
        return NotificationPoller(
            self.contexts["NotificationPoller"],
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=60.0,
            lookback_s=3600.0,
            deep_sweep_s=3600.0,
            at_once=500,
            haste=self.haste,
        )

    def make_search_poller(self) -> SearchPoller:
        """As it is made by default."""
        return SearchPoller(
            self.contexts["SearchPoller"],
            self.network,
            self.memory.store,
            virtual_wall_clock,
            queries=["acme"],
            interval_s=300.0,
            lookback_s=3600.0,
            at_once=500,
            haste=self.haste,
        )

    def make_dm_poller(self) -> DMPoller:
        """As it is made by default."""
        return DMPoller(
            self.contexts["DMPoller"],
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=120.0,
            lookback_s=3600.0,
            requests="accept",
            at_once=500,
            haste=self.haste,
        )

    async def mention(self, seconds: float, every_s: float) -> None:
        """Somebody mentions the brand, and says its name, again and again."""
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            await trio.sleep(every_s)
            now = trio.current_time()
            self.network.notify(now)
            self.network.hits.setdefault("acme", []).append(self.network.post(now, author="bob"))


def gaps(times: list[float]) -> list[float]:
    """Between each and the next."""
    return [later - earlier for earlier, later in pairwise(times)]


class Rested(FakeContext):
    """All of its rate is left."""

    def spare(self) -> float:
        """All."""
        return 1.0


def make_pace(haste: Haste = HASTE, idle_s: float = 60.0) -> Pace:
    """A pace of an actor that has requested nothing lately."""
    return Pace(idle_s, Rested(), haste)


def test_something_new_makes_it_quick_and_nothing_brings_it_back() -> None:
    """At once to the shortest, and step by step to the idle pace, never beyond it."""
    pace = make_pace()
    waits = []
    for new in (1, 9, 0, 0, 0, 0, 0, 0, 0, 0):
        pace.note(new)
        waits.append(pace.wait_s)
    assert waits[:5] == [5.0, 5.0, 7.5, 11.25, 16.875]
    assert waits[-1] == 60.0


@given(
    st.floats(0.1, 600),
    st.floats(0.1, 600),
    st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1)), max_size=50),
)
def test_the_wait_is_bounded(
    idle_s: float, shortest_s: float, looks: list[tuple[int, float]]
) -> None:
    """Whatever happens, it lies between the shorter of the two and the idle pace."""
    spare = 1.0
    pace = make_pace(Haste(shortest_s, lambda: spare), idle_s)
    for new, spare in looks:
        pace.note(new)
        assert min(shortest_s, idle_s) <= pace.wait_s <= idle_s
        assert spare >= 0.5 or pace.wait_s == idle_s


def test_it_can_be_turned_off() -> None:
    """Without a shortest wait the pace is always the idle one."""
    pace = make_pace(NO_HASTE)
    pace.note(100)
    assert pace.wait_s == 60.0


def test_who_hears_of_posts_looks_more_seldom() -> None:
    """Only while somebody listens, whatever was new."""
    finds = LiveFinds()
    pace = Pace(60.0, Rested(), HASTE, finds)
    pace.note(1)
    finds.is_hearing = True
    assert pace.wait_s == 60.0 * SAFETY_NET
    finds.is_hearing = False
    assert pace.wait_s == 5.0


async def test_an_actor_without_rate_left_does_not_hurry(autojump_clock: Clock) -> None:
    """Its own limit counts as the platform's does."""
    context = FakeContext(rate=Rate(10, 60.0))
    await context.acquire(6)
    pace = Pace(60.0, context, HASTE)
    pace.note(1)
    assert pace.wait_s == 60.0


async def test_in_a_burst_mentions_wait_seconds_not_a_minute(autojump_clock: Clock) -> None:
    """As soon as each has looked once, nothing waits for much longer than POLLING_MIN."""
    world = World()
    waited: list[tuple[float, float]] = []

    async def watch() -> None:
        while True:
            await trio.sleep(0.1)
            for one in world.memory.payloads[len(waited) :]:
                assert isinstance(one, InboundPost)
                waited.append(
                    (trio.current_time(), virtual_wall_clock() - parse_time(one.created_at))
                )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run, 900)
        nursery.start_soon(world.mention, 600, 2.0)
        with trio.move_on_after(700):
            await watch()
    assert len(waited) == 600
    assert max(waited_s for at_s, waited_s in waited if at_s > 310) < 5.5
    assert min(gaps(world.network.looks)) >= 5.0 - 1e-6


@pytest.mark.parametrize("haste", [HASTE, NO_HASTE])
async def test_idle_costs_are_what_they_were(haste: Haste, autojump_clock: Clock) -> None:
    """Per hour, with and without: the same requests, and none to the store beyond the first."""
    world = World(haste)
    await world.run(100)
    asked = len(world.memory.requests)
    world.network.times.clear()
    await world.run(3599)
    counts = {nsid: len(times) for nsid, times in world.network.times.items()}
    assert (counts[LIST], counts[SEARCH]) == (60, 12)
    assert counts[LOG] in (30, 31)
    # Each new incarnation reads its three places, and no more.
    assert len(world.memory.requests) - asked <= 3


async def test_all_three_together_stay_within_the_budget(autojump_clock: Clock) -> None:
    """In a storm, with a small budget, half of it is left to those who answer."""
    world = World(rate=Rate(60, 60))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run, 1800)
        nursery.start_soon(world.mention, 1800, 0.5)
    times = sorted(one for times in world.network.times.values() for one in times)
    for start in times:
        assert sum(start <= one < start + 60 for one in times) <= 60
    busy = [sum(start <= one < start + 60 for one in times) for start in range(0, 1740, 60)]
    assert sum(busy) / len(busy) <= 40


async def test_being_throttled_is_honoured(autojump_clock: Clock) -> None:
    """In the middle of a burst, nothing is asked before the time that Bluesky named."""
    world = World()
    context = world.contexts["NotificationPoller"]

    async def restart_when_it_fails() -> None:
        while True:
            try:
                await world.make_notification_poller().run()
            except RateLimited as error:
                await context.back_off(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(restart_when_it_fails)
        await trio.sleep(1)
        for _ in range(40):
            await trio.sleep(3)
            world.network.notify(trio.current_time())
        world.network.faults[LIST] = [RateLimited("slow down", after_s=200.0)]
        await trio.sleep(250)
        times = world.network.times[LIST]
        refused = next(number for number, gap in enumerate(gaps(times)) if gap > 100)
        assert times[refused + 1] - times[refused] >= 200
        nursery.cancel_scope.cancel()

"""What the three pollers find when they come back after days, and what is asked of them then."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import trio

from actors.bluesky.client import Bluesky, Parameters
from actors.bluesky.dm_poller import DMPoller
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.search_poller import SearchPoller
from actors.messages import InboundDirectMessage, InboundPost, Json
from runtime.actor import Runs
from runtime.rate import Rate
from tests.bluesky.chat import Chat
from tests.bluesky.network import Network
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0
AT_ONCE = 500


class Watched:
    """A Bluesky that is watched.

    Attributes:
        asked_at: when each request came, in virtual seconds.
        most_busy: how many requests were under way at a time, at most.
        before: called before each request with its number, from 1; may raise.
        answers_after_s: how long each answer takes besides.
    """

    def __init__(self, inner: Bluesky) -> None:
        self._inner = inner
        self._busy = 0
        self.asked_at: list[float] = []
        self.most_busy = 0
        self.before: Callable[[int], None] = lambda number: None
        self.answers_after_s = 0.0

    async def did(self) -> str:
        """The brand."""
        return await self._inner.did()

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Let it happen."""
        return await self._watch(lambda: self._inner.query(nsid, parameters, chat=chat))

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """Let it happen."""
        return await self._watch(lambda: self._inner.procedure(nsid, body, chat=chat))

    async def _watch(self, ask: Callable[[], Awaitable[Json]]) -> Json:
        self.asked_at.append(trio.current_time())
        self.before(len(self.asked_at))
        self._busy += 1
        self.most_busy = max(self.most_busy, self._busy)
        try:
            await trio.sleep(self.answers_after_s)
            return await ask()
        finally:
            self._busy -= 1

    def keeps_to(self, rate: Rate) -> bool:
        """Whether no window of the rate saw more requests than it allows."""
        windows = zip(self.asked_at, self.asked_at[rate.count :], strict=False)
        return all(later - first > rate.per_s - 1e-6 for first, later in windows)


class World:
    """Posts, a chat and a memory, and pollers with the default rates that run for a while."""

    def __init__(self) -> None:
        gc.collect()  # what earlier tests have left is not to be counted
        self.network = Network()
        self.chat = Chat()
        self.memory = MemoryStore()
        self.watched = Watched(self.network)
        self.watched_chat = Watched(self.chat)
        self.notification_context = FakeContext(
            "NotificationPoller", concurrency=2, rate=Rate(180, 60.0)
        )
        self.search_context = FakeContext("SearchPoller", rate=Rate(60, 60.0))
        self.dm_context = FakeContext("DMPoller", concurrency=2, rate=Rate(120, 60.0))

    async def take_notifications(self, seconds: float, *, lookback_s: float = HOUR_S) -> None:
        """Run a new incarnation of NotificationPoller for so long."""
        poller = NotificationPoller(
            self.notification_context,
            self.watched,
            self.memory.store,
            virtual_wall_clock,
            interval_s=60.0,
            lookback_s=lookback_s,
            deep_sweep_s=HOUR_S,
            at_once=AT_ONCE,
        )
        await _run_for(seconds, poller)

    async def search(self, seconds: float, *queries: str, lookback_s: float = HOUR_S) -> None:
        """Run a new incarnation of SearchPoller for so long."""
        poller = SearchPoller(
            self.search_context,
            self.watched,
            self.memory.store,
            virtual_wall_clock,
            queries=queries,
            interval_s=300.0,
            lookback_s=lookback_s,
            at_once=AT_ONCE,
        )
        await _run_for(seconds, poller)

    async def take_messages(self, seconds: float, *, lookback_s: float = HOUR_S) -> None:
        """Run a new incarnation of DMPoller for so long."""
        poller = DMPoller(
            self.dm_context,
            self.watched_chat,
            self.memory.store,
            virtual_wall_clock,
            interval_s=120.0,
            lookback_s=lookback_s,
            requests="accept",
            at_once=AT_ONCE,
        )
        await _run_for(seconds, poller)

    def hit(self, at_s: float, *queries: str) -> str:
        """A post that these queries find; returns its uri."""
        view = self.network.post(at_s)
        for query in queries:
            self.network.hits.setdefault(query, []).append(view)
        return str(view["uri"])

    @property
    def uris(self) -> list[str]:
        """The posts as they were recorded."""
        return [one.post.uri for one in self.memory.payloads if isinstance(one, InboundPost)]

    @property
    def message_ids(self) -> list[str]:
        """The direct messages as they were recorded."""
        payloads = self.memory.payloads
        return [one.message_id for one in payloads if isinstance(one, InboundDirectMessage)]


async def _run_for(seconds: float, poller: Runs) -> None:
    with trio.move_on_after(seconds):
        await poller.run()


def falls(lags: Sequence[float | None]) -> bool:
    """Whether each lag that was told is lower than the one before, until none is left."""
    told = [one for one in lags if one is not None]
    end = told.index(0.0) if 0.0 in told else len(told)
    return (
        len(told) == len(lags)
        and end < len(told)
        and not any(told[end:])
        and all(later < earlier for earlier, later in pairwise(told[: end + 1]))
    )


def count_alive(kind: type) -> int:
    """How many objects of a type are held just now."""
    return sum(type(one) is kind for one in gc.get_objects())

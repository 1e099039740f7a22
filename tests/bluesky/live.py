"""A stream that a test writes, and the two actors that live on it, in a small world."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from actors.bluesky.attention import Attention
from actors.bluesky.live_finds import Listeners, LiveFinds
from actors.bluesky.live_listener import LiveListener
from actors.bluesky.live_matching import list_plain
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.search_poller import SearchPoller
from actors.messages import InboundPost
from runtime.errors import Retryable
from tests.bluesky.network import BRAND, Network
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0


def make_event(view: dict[str, Any], time_us: int) -> str:
    """What Jetstream tells of a post, as the network shows it."""
    did, collection, key = view["uri"].removeprefix("at://").split("/")
    commit = {
        "rev": "3aaaaaaaaaaa2",
        "operation": "create",
        "collection": collection,
        "rkey": key,
        "record": {"$type": collection, **view["record"]},
        "cid": view["cid"],
    }
    event = {"did": did, "time_us": time_us, "kind": "commit", "commit": commit}
    return json.dumps(event, ensure_ascii=False)


def mention(did: str = BRAND) -> list[dict[str, Any]]:
    """Facets that mention an account."""
    feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
    return [{"index": {"byteStart": 0, "byteEnd": 4}, "features": [feature]}]


class ScriptedStream:
    """One connection: events come from ``script``, until it is cut."""

    def __init__(self, lines: list[str | bytes]) -> None:
        self._waiting = lines
        self._news = trio.Event()
        self.is_deaf = False
        self.is_cut = False

    def tell(self, line: str | bytes) -> None:
        """Another event."""
        self._waiting.append(line)
        self._news.set()

    def cut(self) -> None:
        """The connection is lost."""
        self.is_cut = True
        self._news.set()

    async def read(self) -> list[str | bytes]:
        """The next event."""
        while not self._waiting:
            if self.is_cut:
                raise Retryable("cut")
            await self._news.wait()
            self._news = trio.Event()
        await trio.lowlevel.checkpoint()
        return [self._waiting.pop(0)]

    async def ping(self) -> None:
        """Answered unless the other side is deaf."""
        if self.is_deaf:
            await trio.sleep_forever()
        if self.is_cut:
            raise Retryable("cut")
        await trio.sleep(0.01)


class LiveWorld:
    """A network and its stream, a memory, and incarnations of the listener and the pollers.

    Attributes:
        history: all events, with their ``time_us``.
        cursors: where each connection began.
        is_away: whether connections are refused.
        is_silent: whether what happens is kept from those who are connected.
    """

    def __init__(
        self,
        *,
        noise: Noise = NO_NOISE,
        queries: tuple[str, ...] = ("acme",),
        attention: Attention = Attention(ancestors=3),  # noqa: B008 (frozen)
    ) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.listener = FakeContext("LiveListener")
        self.poller = FakeContext("NotificationPoller", concurrency=2)
        self.searcher = FakeContext("SearchPoller")
        self.listeners = Listeners(LiveFinds(), LiveFinds())
        self.history: list[tuple[int, str | bytes]] = []
        self.cursors: list[int | None] = []
        self.streams: list[ScriptedStream] = []
        self.is_away = False
        self._noise = noise
        self._queries = queries
        self._attention = attention

    @asynccontextmanager
    async def connect(self, cursor_us: int | None) -> AsyncIterator[ScriptedStream]:
        """As Jetstream does: what was since the cursor, and then what comes."""
        if self.is_away:
            raise Retryable("away")
        self.cursors.append(cursor_us)
        missed = [line for at, line in self.history if cursor_us is not None and at >= cursor_us]
        stream = ScriptedStream(missed)
        self.streams.append(stream)
        try:
            yield stream
        finally:
            self.streams.remove(stream)

    def tell(self, line: str | bytes) -> None:
        """Something comes on the stream."""
        self.history.append((self.now_us, line))
        for stream in self.streams:
            stream.tell(line)

    def publish(self, view: dict[str, Any]) -> str:
        """The stream tells of a post; returns its uri."""
        self.tell(make_event(view, self.now_us))
        return str(view["uri"])

    def mention(self, *, author: str = "alice", is_listed: bool = False, **record: Any) -> str:  # noqa: ANN401
        """Somebody mentions the brand; the stream tells of it, and maybe the listing, too."""
        view = self.network.post(trio.current_time(), author=author, facets=mention(), **record)
        if is_listed:
            self.network.announce(view, "mention")
        return self.publish(view)

    @property
    def now_us(self) -> int:
        """The time, in unix microseconds."""
        return int(virtual_wall_clock() * 1e6)

    @property
    def uris(self) -> list[str]:
        """The posts in the journal, in their order."""
        return [one.post.uri for one in self.memory.payloads if isinstance(one, InboundPost)]

    @asynccontextmanager
    async def running(
        self, *, listens: bool = True, polls: bool = True, searches: bool = False
    ) -> AsyncIterator[trio.CancelScope]:
        """New incarnations run while the block does; their first looks are over."""
        async with trio.open_nursery() as nursery:
            if polls:
                nursery.start_soon(self.make_poller().run)
            if searches:
                nursery.start_soon(self.make_searcher().run)
            if listens:
                nursery.start_soon(self.make_listener().run)
            await trio.sleep(5)
            yield nursery.cancel_scope
            nursery.cancel_scope.cancel()

    def make_listener(self) -> LiveListener:
        """A new incarnation."""
        return LiveListener(
            self.listener,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            connect=self.connect,
            listeners=self.listeners,
            queries=list_plain(self._queries),
        )

    def make_poller(self) -> NotificationPoller:
        """A new incarnation."""
        return NotificationPoller(
            self.poller,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=60.0,
            lookback_s=HOUR_S,
            deep_sweep_s=HOUR_S,
            at_once=500,
            noise=self._noise,
            attention=self._attention,
            finds=self.listeners.notifications,
        )

    def make_searcher(self) -> SearchPoller:
        """A new incarnation."""
        return SearchPoller(
            self.searcher,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            queries=self._queries,
            interval_s=300.0,
            lookback_s=HOUR_S,
            at_once=500,
            noise=self._noise,
            finds=self.listeners.hits,
        )

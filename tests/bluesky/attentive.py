"""A NotificationPoller that looks at more than notifications, in a small world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors.bluesky.attention import Attention
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.notification_poller import NotificationPoller
from actors.messages import InboundPost, Payload, ReactionCounts
from actors.store import FindPosts, StoreRequest
from tests.bluesky.network import Network
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

HOUR_S = 3600.0
LIST = "app.bsky.notification.listNotifications"
POSTS = "app.bsky.feed.getPosts"
THREAD = "app.bsky.feed.getPostThread"


class Attentive:
    """A network, a memory, and incarnations of the poller.

    Args:
        attention: what it looks at besides.
        at_once: the most posts that it records together.
        noise: what is left out.
    """

    def __init__(
        self, attention: Attention, *, at_once: int = 500, noise: Noise = NO_NOISE
    ) -> None:
        self.network = Network()
        self.memory = MemoryStore()
        self.context = FakeContext("NotificationPoller", concurrency=2)
        self._attention = attention
        self._at_once = at_once
        self._noise = noise

    @asynccontextmanager
    async def polling(self, *, lookback_s: float = HOUR_S) -> AsyncIterator[None]:
        """A new incarnation runs while the block does; its first looks are over."""
        poller = NotificationPoller(
            self.context,
            self.network,
            self.memory.store,
            virtual_wall_clock,
            interval_s=60.0,
            lookback_s=lookback_s,
            deep_sweep_s=HOUR_S,
            at_once=self._at_once,
            attention=self._attention,
            noise=self._noise,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            await trio.sleep(30)
            yield
            nursery.cancel_scope.cancel()

    @property
    def payloads(self) -> list[Payload]:
        """What is in the journal."""
        return self.memory.payloads

    @property
    def posts(self) -> list[InboundPost]:
        """The posts in the journal, in their order."""
        return [one for one in self.payloads if isinstance(one, InboundPost)]

    @property
    def uris(self) -> list[str]:
        """Their addresses."""
        return [one.post.uri for one in self.posts]

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        """The likes, reposts and quotes in the journal, in their order."""
        found = (one for one in self.payloads if isinstance(one, ReactionCounts))
        return [(one.likes, one.reposts, one.quotes) for one in found]

    @property
    def requests(self) -> list[StoreRequest]:
        """What the store was asked."""
        return self.memory.requests

    @property
    def readings(self) -> int:
        """How often the store was asked for the posts that it knows."""
        return sum(isinstance(one, FindPosts) for one in self.requests)

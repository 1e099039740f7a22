"""The posts that were lately recorded, kept in memory between looks at them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from actors.store import POSTS_MOST, Sighting, Store
from runtime.clock import WallClock

OVERLAP_S = 60.0
"""A recording whose answer was lost may have taken effect a little later than it seemed."""


class KnownPosts:
    """What the store knows of them. It is asked only when something was recorded since.

    As many are kept as the store keeps: 3 to 7 MB, as several or none have the same author.

    Args:
        keep_s: how old, in seconds since its recording, a post may be to be of interest.
    """

    def __init__(self, store: Store, clock: WallClock, *, keep_s: float) -> None:
        self._store = store
        self._clock = clock
        self._keep_s = keep_s
        self._sightings: dict[str, Sighting] = {}
        self._told: int | None = None
        self._read_s = 0.0

    async def find(self, within_s: float) -> list[Sighting]:
        """Those that were recorded within the last so many seconds, each once.

        Raises:
            StoreUnavailable: it is not known which.
        """
        now_s = self._clock()
        await self._refresh(now_s)
        return [one for one in self._sightings.values() if now_s - one.recorded_s <= within_s]

    async def _refresh(self, now_s: float) -> None:
        told = self._store.posts_told
        if told != self._told:
            first = self._told is None
            since_s = now_s - self._keep_s if first else self._read_s - OVERLAP_S
            self._add(reversed(await self._store.find_posts(since_s)))
            self._told, self._read_s = told, now_s
        surplus = len(self._sightings) - POSTS_MOST
        self._sightings = {
            uri: one
            for number, (uri, one) in enumerate(self._sightings.items())
            if number >= surplus and now_s - one.recorded_s <= self._keep_s
        }

    def _add(self, sightings: Iterable[Sighting]) -> None:
        """Keep these too. Of authors and addresses that several have there is one copy."""
        authors = {one.post.author: one.post.author for one in self._sightings.values()}
        for sighting in sightings:
            post = sighting.post
            if post.uri in self._sightings:
                continue
            uri, root_uri = sys.intern(post.uri), sys.intern(post.root_uri)
            author = authors.setdefault(post.author, post.author)
            small = replace(post, uri=uri, root_uri=root_uri, author=author)
            self._sightings[uri] = replace(sighting, post=small)


@dataclass(slots=True)
class LiveThread:
    """A thread in which something was said lately.

    Attributes:
        active_s: when something of it was last recorded, in unix seconds.
        since_s: the time of the oldest post that is part of the conversation; what is context
            to it is not.
        people: the DIDs of those who take part, without ourselves.
        uris: the posts that are part of it.
    """

    root_uri: str
    active_s: float = 0.0
    since_s: float = float("inf")
    people: set[str] = field(default_factory=set)
    uris: dict[str, None] = field(default_factory=dict)


def list_threads(sightings: Iterable[Sighting], own_did: str) -> list[LiveThread]:
    """The threads of these posts, that in which something was recorded last first."""
    threads: dict[str, LiveThread] = {}
    for sighting in sightings:
        post = sighting.post
        if post.context:
            continue
        thread = threads.setdefault(post.root_uri, LiveThread(post.root_uri))
        thread.active_s = max(thread.active_s, sighting.recorded_s)
        thread.since_s = min(thread.since_s, post.written_s)
        thread.uris[post.uri] = None
        if post.author.did != own_did:
            thread.people.add(post.author.did)
    return sorted(threads.values(), key=lambda one: one.active_s, reverse=True)

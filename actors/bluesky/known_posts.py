"""The posts that were lately recorded, kept in memory between looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        told, new = self._store.posts_told, list[Sighting]()
        if told != self._told:
            first = self._told is None
            since_s = now_s - self._keep_s if first else self._read_s - OVERLAP_S
            read = reversed(await self._store.find_posts(since_s))
            new = [one for one in read if one.post.uri not in self._sightings]
            self._told, self._read_s = told, now_s
        self._forget(now_s, len(self._sightings) + len(new) - POSTS_MOST)
        if new:
            self._add(new)

    def _forget(self, now_s: float, surplus: int) -> None:
        """Make room before there is more: a dictionary that was too large once stays so."""
        forgotten = [
            uri
            for number, (uri, one) in enumerate(self._sightings.items())
            if number < surplus or now_s - one.recorded_s > self._keep_s
        ]
        for uri in forgotten:
            del self._sightings[uri]

    def _add(self, sightings: Sequence[Sighting]) -> None:
        """Keep these too. Of authors and addresses that several have there is one copy."""
        known = [one.post for one in self._sightings.values()]
        authors = {post.author: post.author for post in known}
        wanted = {one.post.root_uri for one in sightings}
        roots = {post.root_uri: post.root_uri for post in known if post.root_uri in wanted}
        for sighting in sightings:
            post = sighting.post
            uri = roots.setdefault(post.uri, post.uri)
            root_uri = roots.setdefault(post.root_uri, post.root_uri)
            author = authors.setdefault(post.author, post.author)
            small = replace(post, uri=uri, root_uri=root_uri, author=author)
            self._sightings[uri] = replace(sighting, post=small)


@dataclass(slots=True)
class LiveThread:
    """A thread in which something was said lately.

    Attributes:
        since_s: the time of the oldest post that is part of the conversation; what is context
            to it is not.
        people: the DIDs of those who take part, without ourselves.
        uris: the posts that are part of it.
    """

    root_uri: str
    since_s: float = float("inf")
    people: set[str] = field(default_factory=set)
    uris: dict[str, None] = field(default_factory=dict)


def list_roots(sightings: Iterable[Sighting]) -> list[str]:
    """The threads of these posts by their roots, that in which something was recorded last first.

    Of thousands only a few are read in a round, so no more than this is made of them all.
    """
    active: dict[str, float] = {}
    for one in sightings:
        if not one.post.context:
            root_uri = one.post.root_uri
            active[root_uri] = max(active.get(root_uri, 0.0), one.recorded_s)
    return sorted(active, key=active.__getitem__, reverse=True)


def gather_threads(
    sightings: Iterable[Sighting], roots: Iterable[str], own_did: str
) -> list[LiveThread]:
    """What is known of these threads, in the order of their roots."""
    threads = {root_uri: LiveThread(root_uri) for root_uri in roots}
    for one in sightings:
        post = one.post
        thread = None if post.context else threads.get(post.root_uri)
        if thread is None:
            continue
        thread.since_s = min(thread.since_s, post.written_s)
        thread.uris[post.uri] = None
        if post.author.did != own_did:
            thread.people.add(post.author.did)
    return list(threads.values())

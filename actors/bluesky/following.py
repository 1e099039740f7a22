"""Following the threads of conversations, in which people say things that notify nobody.

Bluesky tells nobody when people continue their own post or answer deep in a thread, and of a reply
that it indexed before its parent it never tells at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actors.bluesky.client import Bluesky
from actors.bluesky.judge import list_marks
from actors.bluesky.known_posts import KnownPosts, LiveThread, gather_threads, list_roots
from actors.bluesky.listing import Candidate
from actors.bluesky.live_finds import LiveFinds
from actors.bluesky.pacing import PATIENCE, map_together
from actors.bluesky.threads import Node, find_author, walk
from actors.bluesky.turns import choose
from actors.recent import Recent
from actors.store import Sighting, Store
from actors.translation.inbound_text import find_mentions, read_features
from actors.translation.inbound_views import as_object
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Malformed, RateLimited, Rejected, Retryable

DEPTH = 100
"""How many levels below the root are read. A level is two levels of JSON, whose reader has limits
of its own."""
MOST_THREADS = 100
"""So many are read in one round, a request each: half of them the most recent ones, and half those
of the rest that were not read for longest."""


class Follower:
    """Finds what the people of a conversation add to its thread.

    These are who wrote what was taken in of it, whom we mentioned in it, and whoever answers one of
    our posts in it. What they said before the conversation began is not part of it.

    Args:
        own_did: whose own posts are left out.
        follow_s: how long a thread is followed in which nothing is said any more.
        at_once: the most posts that one round finds; the rest is left to the next.
        known: ids that are known to be recorded, shared with the actor's listings.
        finds: what was heard of: a thread in which a post is late waits for it.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        posts: KnownPosts,
        *,
        own_did: str,
        follow_s: float,
        at_once: int,
        known: Recent,
        finds: LiveFinds | None = None,
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._posts = posts
        self._own_did = own_did
        self._follow_s = follow_s
        self._at_once = at_once
        self._known = known
        self._finds = finds
        self._read_at: dict[str, int] = {}
        self._round = 0
        self._troubles = 0

    async def look(self) -> list[Candidate]:
        """Read the threads once: what is new in them, oldest first. Cancelled: nothing happened.

        A thread that cannot be read is left to the next round; when several cannot, so is the rest.

        Raises:
            AuthRejected: from Bluesky.
            StoreUnavailable: from the store.
        """
        sightings = await self._posts.find(self._follow_s)
        self._round += 1
        self._troubles = 0
        threads = gather_threads(sightings, self._choose(sightings), self._own_did)
        found = await map_together(self._look, threads, limit=self._context.concurrency)
        additions = sorted((one for part in found for one in part), key=lambda one: one.order)
        return await self._find_new(additions[: self._at_once])

    def _choose(self, sightings: Iterable[Sighting]) -> list[str]:
        held = frozenset[str]() if self._finds is None else self._finds.held
        alive = [root_uri for root_uri in list_roots(sightings) if root_uri not in held]
        self._read_at = {uri: self._read_at[uri] for uri in alive if uri in self._read_at}
        chosen = choose(alive, MOST_THREADS, self._read_at)
        self._read_at.update((uri, self._round) for uri in chosen)
        return chosen

    async def _look(self, thread: LiveThread) -> list[Candidate]:
        if self._troubles >= PATIENCE:
            return []
        try:
            nodes = await self._read(thread)
        except (Retryable, Malformed, Rejected) as error:
            self._troubles += PATIENCE if isinstance(error, RateLimited) else 1
            self._context.failed(error)
            return []
        return [
            one
            for one in self._list_additions(thread, nodes)
            if not any(mark in self._known for mark in list_marks(one))
        ]

    async def _read(self, thread: LiveThread) -> list[Node]:
        """Its posts from the root down; where the root is gone, from the first that is known."""
        anchors = dict.fromkeys((thread.root_uri, next(iter(thread.uris))))
        for uri in anchors:
            try:
                answer = await self._bluesky.query(
                    "app.bsky.feed.getPostThread", {"uri": uri, "depth": DEPTH, "parentHeight": 0}
                )
            except Rejected as error:
                if error.code != "NotFound":
                    raise
                continue
            nodes = list(walk(answer.get("thread")))
            if nodes:
                return nodes
        return []

    def _list_additions(self, thread: LiveThread, nodes: list[Node]) -> Iterator[Candidate]:
        authors = {node.uri: find_author(node.view) for node in nodes}
        own = {uri for uri, did in authors.items() if did == self._own_did}
        people = thread.people | {
            did for node in nodes if node.uri in own for did in _list_mentioned(node)
        }
        inside = set(thread.uris)
        for node in nodes:
            if node.parent_uri in inside:
                inside.add(node.uri)
            time_s = find_time(node.view.get("indexedAt"))
            author = authors[node.uri]
            takes_part = author in people or node.parent_uri in own
            if time_s is None or author is None or not takes_part or node.uri in own:
                continue
            if node.uri in inside or time_s >= thread.since_s:
                yield Candidate(node.uri, author, time_s, "reply", node.view)

    async def _find_new(self, additions: list[Candidate]) -> list[Candidate]:
        if not additions:
            return []
        marks = [mark for one in additions for mark in list_marks(one)]
        unseen = await self._store.find_unseen(marks)
        self._known.add(mark for mark in marks if mark not in unseen)
        return [one for one in additions if unseen.issuperset(list_marks(one))]


def _list_mentioned(node: Node) -> tuple[str, ...]:
    return find_mentions(read_features(as_object(node.view.get("record")).get("facets")))

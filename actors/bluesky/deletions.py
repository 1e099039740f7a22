"""Noticing that a post which was taken in is deleted."""

from __future__ import annotations

from collections.abc import Sequence

from actors.bluesky.client import Bluesky
from actors.bluesky.known_posts import KnownPosts
from actors.bluesky.pacing import map_together
from actors.bluesky.posts import get_posts, make_batches
from actors.bluesky.turns import choose
from actors.items import make_post_item
from actors.recent import Recent
from actors.store import Sighting, Store
from actors.translation.notes import make_post_note
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed, Rejected, Retryable

MOST_POSTS = 2500
"""So many are looked at in one round: half of them the newest, and half those of the rest that
were not looked at for longest."""
MOST_MISSING = 50
"""So many that are not shown are looked at singly in one round."""


class DeletionWatch:
    """Looks whether recorded posts are still there, and records a note for each that is not.

    ``app.bsky.feed.getPosts`` leaves out what is deleted, and what is hidden by a block as well;
    ``app.bsky.feed.getPostThread`` tells them apart.

    Args:
        own_did: whose own posts are not watched.
        watch_s: for how long after its recording a post is watched.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        posts: KnownPosts,
        clock: WallClock,
        *,
        own_did: str,
        watch_s: float,
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._posts = posts
        self._clock = clock
        self._own_did = own_did
        self._watch_s = watch_s
        self._concluded = Recent()
        self._looked_at: dict[str, int] = {}
        self._round = 0

    async def look(self) -> None:
        """Look once. If cancelled, the next look finds what this one would have found.

        What cannot be looked at now is left to the next round.

        Raises:
            AuthRejected: from Bluesky.
            StoreUnavailable: from the store.
        """
        watched = {
            one.post.uri: one
            for one in reversed(await self._posts.find(self._watch_s))
            if one.post.author.did != self._own_did and one.post.uri not in self._concluded
        }
        self._round += 1
        self._looked_at = {uri: at for uri, at in self._looked_at.items() if uri in watched}
        chosen = choose(list(watched), MOST_POSTS, self._looked_at)
        self._looked_at.update((uri, self._round) for uri in chosen)
        try:
            gone = [watched[uri] for uri in await self._find_gone(chosen)]
        except (Retryable, Malformed) as error:
            self._context.failed(error)
            return
        await self._record(gone)

    async def _find_gone(self, uris: Sequence[str]) -> list[str]:
        limit = self._context.concurrency
        missing = [
            uri
            for part in await map_together(self._find_missing, make_batches(uris), limit=limit)
            for uri in part
        ][:MOST_MISSING]
        gone = await map_together(self._is_gone, missing, limit=limit)
        return [uri for uri, is_gone in zip(missing, gone, strict=True) if is_gone]

    async def _find_missing(self, batch: Sequence[str]) -> list[str]:
        try:
            shown = {view.get("uri") for view in await get_posts(self._bluesky, batch)}
        except Rejected as error:
            self._context.failed(error)
            return []
        return [uri for uri in batch if uri not in shown]

    async def _is_gone(self, uri: str) -> bool:
        """Whether it was deleted; if a block hides it, that is not for us to tell."""
        try:
            answer = await self._bluesky.query(
                "app.bsky.feed.getPostThread", {"uri": uri, "depth": 0, "parentHeight": 0}
            )
        except Rejected as error:
            return error.code == "NotFound"
        thread = answer.get("thread")
        if isinstance(thread, dict) and thread.get("blocked") is True:
            self._concluded.add([uri])
        return isinstance(thread, dict) and thread.get("notFound") is True

    async def _record(self, gone: Sequence[Sighting]) -> None:
        if not gone:
            return
        now_s = self._clock()
        notes = [make_post_item(make_post_note(one.post, now_s)) for one in gone]
        recorded = await self._store.record(notes)
        self._concluded.add(one.post.uri for one in gone)
        self._context.succeeded(len(recorded.new))

"""Taking in what was heard live: from a find to the journal, in the poller's own task.

So what is heard and what is listed never race: one task records both, one after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import trio

from actors.bluesky.judge import list_marks
from actors.bluesky.listing import Admit, Candidate, admit_until
from actors.bluesky.live_finds import LiveFind, LiveFinds
from actors.bluesky.pacing import PacedBluesky, map_together, patiently
from actors.bluesky.posts import get_posts, make_batches
from actors.items import make_post_id
from actors.messages import Json
from actors.recent import Recent
from actors.store import Store
from actors.translation.inbound_views import as_object
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Rejected

LATE_S = 10.0
"""The AppView may show a post so much later than the stream; then it is left to the poller."""
UNCERTAIN_S = 1.0
"""The same for what only the listing can tell: it is mostly of no interest."""

TakeIn: TypeAlias = Callable[[Sequence[Candidate], Admit], Awaitable[None]]
"""Records these posts, each with its view; who has a listing, in one order with what is admitted
of it."""


class LiveIntake:
    """Finds the posts that were heard of, and has them recorded with what is listed.

    Args:
        finds: what was heard.
        known: ids that are recorded, shared with the actor's listings.
        take_in: records these posts, each with its view. Whoever has a listing looks through it
            first, and records both in one order: it is never worse than without anybody listening.
    """

    def __init__(
        self,
        context: Context,
        bluesky: PacedBluesky,
        store: Store,
        finds: LiveFinds,
        *,
        known: Recent,
        take_in: TakeIn,
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._finds = finds
        self._known = known
        self._take_in = take_in

    async def rest(self, seconds: float) -> None:
        """Sleep until then, or until something is heard, or is to be looked for again."""
        with self._finds.interrupts():
            await self._context.sleep(min(seconds, self._finds.wait_s))

    async def take_in(self) -> None:
        """Record some of what is due, if any. If cancelled, what is not recorded is still a find.

        Raises:
            Retryable, AuthRejected, Malformed: from Bluesky or the store.
        """
        if self._finds.wait_s > 0.0:
            return
        taken = self._finds.first()
        new = await self._find_new(taken)
        views = await self._fetch([one for one in new if one.is_certain])
        ready, late = self._part(new, views)
        posts = [_show(one, views[one.uri]) for one in ready]
        uncertain = [one.candidate for one in new if not one.is_certain]
        if posts or uncertain:
            await self._take_in(posts, admit_until([*posts, *uncertain]))
        self._finds.close(taken, late)

    async def _find_new(self, taken: Sequence[LiveFind]) -> list[LiveFind]:
        """Those that are not recorded, and not known to be noise."""
        unknown = [
            one
            for one in taken
            if not any(mark in self._known for mark in list_marks(one.candidate))
        ]
        if not unknown:
            return []
        marks = [mark for one in unknown for mark in list_marks(one.candidate)]
        unseen = await self._store.find_unseen(marks)
        self._known.add(mark for mark in marks if mark not in unseen)
        return [one for one in unknown if unseen.issuperset(list_marks(one.candidate))]

    async def _fetch(self, certain: Sequence[LiveFind]) -> Mapping[str, Json]:
        """Their views by uri, as far as the AppView has them."""

        async def fetch(batch: Sequence[str]) -> list[Json]:
            try:
                return await patiently(self._context, lambda: get_posts(self._bluesky, batch))
            except Rejected as error:
                # One uri spoils the request. The poller finds out which, if they are listed.
                self._context.failed(error)
                return []

        batches = make_batches([one.uri for one in certain])
        answers = await map_together(fetch, batches, limit=self._context.concurrency)
        shown = (view for views in answers for view in views)
        return {view["uri"]: view for view in shown if isinstance(view.get("uri"), str)}

    def _part(
        self, new: Sequence[LiveFind], views: Mapping[str, Json]
    ) -> tuple[list[LiveFind], set[str]]:
        """What is ready, and the uris of what is late. What follows a late one waits with it."""
        ready: list[LiveFind] = []
        late: set[str] = set()
        threads: set[str] = set()
        for find in new:
            waited_s = trio.current_time() - find.heard_at
            if find.is_certain and find.uri in views and find.root_uri not in threads:
                ready += [] if self._is_hidden(find, views[find.uri]) else [find]
            elif waited_s < (LATE_S if find.is_certain else UNCERTAIN_S):
                late.add(find.uri)
                threads.update([find.root_uri] if find.is_certain else [])
            elif find.is_certain:
                self._context.skipped("left_to_poller", message=make_post_id(find.uri))
        self._finds.held = frozenset(threads)
        return ready, late

    def _is_hidden(self, find: LiveFind, view: Json) -> bool:
        """Whether Bluesky would not list it: its author is muted or blocked, or blocks us."""
        viewer = as_object(as_object(view.get("author")).get("viewer"))
        hides = ("muted", "mutedByList", "blocking", "blockingByList", "blockedBy")
        if not any(viewer.get(one) for one in hides):
            return False
        self._context.skipped("hidden", message=make_post_id(find.uri))
        return True


def _show(find: LiveFind, view: Json) -> Candidate:
    """As the listing would show it."""
    time_s = find_time(view.get("indexedAt"))
    return replace(find.candidate, view=view, time_s=time_s or find.candidate.time_s)

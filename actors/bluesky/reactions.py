"""Likes, reposts and quotes of our posts, summed per post."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.client import Bluesky
from actors.bluesky.listing import choose_cursor
from actors.bluesky.pacing import map_together
from actors.bluesky.posts import get_posts, make_batches
from actors.items import make_reactions_item
from actors.messages import ReactionCounts
from actors.recent import Recent
from actors.store import SEEN_KEEP_S, Store, Value
from actors.translation.inbound_views import AtUri, Sender, View, find_view
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock, format_time
from runtime.errors import Malformed, Rejected, Retryable

NAME = "reactions"
REASONS = ("like", "repost", "quote")
PAGE = 100
MOST_PAGES = 10
"""Of a flood of likes only so many are read: their posts are mostly the same."""
OVERLAP_S = 600.0
"""A notification may be dated so much earlier than it came."""
MOST_POSTS = 500
"""So many are counted in one round; the rest waits for the next."""
LOOKS = 2
"""A post is counted so often after it was noticed: a count may come later than the notification."""
CAPACITY = 10_000


class ReactionWatch:
    """Notices reactions by their notifications, and records the counts that changed.

    What is withdrawn notifies nobody: it shows with the next reaction to the same post.

    Args:
        own_did: whose posts are counted.
        lookback_s: how far the first start looks back.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        *,
        own_did: str,
        lookback_s: float,
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._clock = clock
        self._own_did = own_did
        self._lookback_s = lookback_s
        self._heard = Recent(CAPACITY)
        self._reached_s: float | None = None
        self._looks: dict[str, int] = {}
        self._told: OrderedDict[str, str] = OrderedDict()

    async def look(self) -> None:
        """Look once. If cancelled, the next look finds what this one would have found.

        What cannot be looked at now is left to the next round.

        Raises:
            AuthRejected: from Bluesky.
            StoreUnavailable: from the store.
        """
        if self._reached_s is None:
            self._reached_s = await self._find_place()
        try:
            reached_s = await self._listen(self._reached_s)
            uris = list(self._looks)[:MOST_POSTS]
            limit = self._context.concurrency
            counted = await map_together(self._count, make_batches(uris), limit=limit)
        except (Retryable, Malformed, Rejected) as error:
            self._context.failed(error)
            return
        await self._record([one for part in counted for one in part], reached_s)
        self._reached_s = reached_s
        for uri in uris:
            self._looks[uri] -= 1
            if self._looks[uri] == 0:
                del self._looks[uri]

    async def _find_place(self) -> float:
        place_s = _read_place(await self._store.read("cursor", NAME))
        if place_s is not None:
            return place_s
        since_s = self._clock() - self._lookback_s
        await self._store.save(Value("cursor", NAME, repr(since_s)))
        return since_s

    async def _listen(self, reached_s: float) -> float:
        """Note whose posts were reacted to since then; returns up to when that is known now."""
        newest_s = reached_s
        heard: list[str] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            parameters: dict[str, str | int | Sequence[str]] = {"limit": PAGE, "reasons": REASONS}
            if cursor is not None:
                parameters["cursor"] = cursor
            answer = await self._bluesky.query(
                "app.bsky.notification.listNotifications", parameters
            )
            notifications = [
                one
                for raw in read_list(answer, "notifications")
                if (one := find_view(_Reaction, raw)) is not None
            ]
            times = [find_time(one.indexed_at) or 0.0 for one in notifications]
            for one, time_s in zip(notifications, times, strict=True):
                if time_s > reached_s - OVERLAP_S and one.uri not in self._heard:
                    self._looks[one.reason_subject] = LOOKS
                    heard.append(one.uri)
            newest_s = max([newest_s, *times])
            given = read_cursor(answer)
            cursor = choose_cursor(cursor, given)
            listed_s = find_time(given)
            if cursor is None or (listed_s is not None and listed_s <= reached_s - OVERLAP_S):
                break
        self._heard.add(heard)
        return min(newest_s, self._clock())

    async def _count(self, uris: Sequence[str]) -> list[ReactionCounts]:
        try:
            found = await get_posts(self._bluesky, uris)
        except Rejected as error:
            self._context.failed(error)
            return []
        views = (find_view(_CountedPost, view) for view in found)
        now = format_time(self._clock())
        return [
            ReactionCounts(view.uri, view.like_count, view.repost_count, view.quote_count, now)
            for view in views
            if view is not None and view.author.did == self._own_did
        ]

    async def _record(self, counted: Sequence[ReactionCounts], reached_s: float) -> None:
        changed = [one for one in counted if await self._find_told(one) != one.summary]
        if not changed:
            return
        values = [Value("reactions", one.post_uri, one.summary, SEEN_KEEP_S) for one in changed]
        await self._store.record(
            [make_reactions_item(one) for one in changed],
            values=[*values, Value("cursor", NAME, repr(reached_s))],
        )
        for one in changed:
            self._remember(one.post_uri, one.summary)
        self._context.succeeded(len(changed))

    async def _find_told(self, counts: ReactionCounts) -> str:
        """The counts that were recorded last for the same post."""
        uri = counts.post_uri
        if uri not in self._told:
            nothing = replace(counts, likes=0, reposts=0, quotes=0).summary
            self._remember(uri, await self._store.read("reactions", uri) or nothing)
        return self._told[uri]

    def _remember(self, uri: str, told: str) -> None:
        self._told[uri] = told
        self._told.move_to_end(uri)
        if len(self._told) > CAPACITY:
            self._told.popitem(last=False)


class _Reaction(View):
    """``app.bsky.notification.listNotifications#notification`` of a like, repost or quote."""

    uri: AtUri
    reason_subject: AtUri
    indexed_at: str


class _CountedPost(View):
    """The counts of an ``app.bsky.feed.defs#postView``."""

    uri: AtUri
    author: Sender
    like_count: int = 0
    repost_count: int = 0
    quote_count: int = 0


def _read_place(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None

"""Taking in once what the pollers left out, because it was there before the first start."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from actors.bluesky.client import Bluesky
from actors.bluesky.dm_intake import RequestPolicy
from actors.bluesky.dm_poller import DMPoller
from actors.bluesky.lag import Lag
from actors.bluesky.listing import Candidate, Found, Listing, Page
from actors.bluesky.noise import Noise
from actors.bluesky.notification_listing import NotificationListing
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.post_reader import PostReader
from actors.bluesky.search_poller import SearchListing
from actors.bluesky.sweep import OVERLAP_S, Reach, Sweeper
from actors.bluesky.thread_context import ThreadContext
from actors.recent import Recent
from actors.store import Store
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Rejected

CAPACITY = 5_000
"""Waiting posts that are held at a time; hits of a search are held whole."""
AT_ONCE = 100
"""So many are fetched and recorded together, so that an interruption costs little."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is taken in.

    Args:
        since_s: unix time.
        queries: searches to take hits of.
        noise: what is left out.
        ancestors: how many posts above a reply are taken in before it; ``None`` for none at all.
        requests: whether conversations that customers start are taken in.
    """

    since_s: float
    queries: Sequence[str]
    noise: Noise
    ancestors: int | None
    requests: RequestPolicy


class Backfill:
    """Takes in mentions, replies, quotes, search hits and direct messages since a time, once.

    It records what the pollers would have recorded, under the same ids, so that nothing doubles
    however often it runs and whatever they do meanwhile. It moves none of their places.

    Args:
        act_for: gives the context in which to do what the poller of this name would have done.
        store: one that keeps no places, as :class:`actors.bluesky.backfill_store.BackfillStore`.
        tell_reached: told the unix time down to which a listing is read.
        capacity: the most unseen posts to hold at a time.
    """

    def __init__(
        self,
        act_for: Callable[[str], Context],
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        scope: Scope,
        tell_reached: Callable[[float], None],
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._act_for = act_for
        self._bluesky = bluesky
        self._store = store
        self._clock = clock
        self._scope = scope
        self._tell_reached = tell_reached
        self._capacity = capacity

    async def take_in_posts(self) -> None:
        """Posts, the oldest first, so that those of a thread keep their order.

        If cancelled or failed, what was not recorded is found by the next backfill.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        sweeper = await self._make_sweeper()
        while await sweeper.sweep():
            pass

    async def take_in_direct_messages(self) -> None:
        """Direct messages; those of a conversation oldest first. Cancelled or failed: as above.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        poller = DMPoller(
            self._act_for("DMPoller"),
            self._bluesky,
            self._store,
            self._clock,
            interval_s=math.inf,
            lookback_s=self._clock() - self._scope.since_s,
            requests=self._scope.requests,
            at_once=AT_ONCE,
        )
        await poller.take_in()

    async def _make_sweeper(self) -> Sweeper:
        context, searching = self._act_for("NotificationPoller"), self._act_for("SearchPoller")
        bluesky = PacedBluesky(self._bluesky, context)
        own_did, known = await bluesky.did(), Recent()
        reader = PostReader(bluesky, context, self._clock, self._scope.noise)
        hit_reader = PostReader(bluesky, searching, self._clock, self._scope.noise)
        listing = _Listings(
            [
                SearchListing(bluesky, query, searching.name, hit_reader)
                for query in self._scope.queries
            ],
            NotificationListing(bluesky, context, reader),
            context,
            since_s=self._scope.since_s,
            tell_reached=self._tell_reached,
        )
        ancestors = self._scope.ancestors
        return Sweeper(
            context,
            self._store,
            listing,
            self._clock,
            name="backfill",
            own_did=own_did,
            lookback_s=self._clock() - self._scope.since_s,
            reach=Reach(capacity=self._capacity, at_once=AT_ONCE),
            known=known,
            lag=Lag(context, self._clock),
            thread_context=None
            if ancestors is None
            else ThreadContext(
                context,
                bluesky,
                self._store,
                reader,
                own_did=own_did,
                ancestors=ancestors,
                known=known,
            ),
            from_before=True,
        )


class _Listings:
    """Searches and notifications as one listing: first each search down to a time, then these.

    What is in both is taken as a notification, which comes last: whoever speaks to the brand is
    heard, whatever was set about the hits of searches.
    """

    def __init__(
        self,
        searches: Sequence[Listing],
        notifications: Listing,
        context: Context,
        *,
        since_s: float,
        tell_reached: Callable[[float], None],
    ) -> None:
        self._searches = searches
        self._notifications = notifications
        self._context = context
        self._down_to_s = since_s - OVERLAP_S
        self._tell_reached = tell_reached

    async def read_page(self, cursor: str | None) -> Page:
        """Read a page. It is never below the line: where each listing ends is decided here."""
        number, inner = _read_cursor(cursor)
        page = await self._read(number, inner)
        reached_s = page.reached_s
        if reached_s is not None:
            self._tell_reached(reached_s)
        ends = page.cursor is None or (reached_s is not None and reached_s < self._down_to_s)
        following = None if number == len(self._searches) else f"{number + 1} "
        return replace(
            page,
            reached_s=None if reached_s is None else math.inf,
            cursor=following if ends else f"{number} {page.cursor}",
        )

    async def fetch(self, candidates: Sequence[Candidate]) -> Mapping[str, Found]:
        """The posts, each as its listing gives it."""
        hits = [one for one in candidates if one.reason == "search"]
        rest = [one for one in candidates if one.reason != "search"]
        found: dict[str, Found] = {}
        if hits:
            found.update(await self._searches[0].fetch(hits))
        if rest:
            found.update(await self._notifications.fetch(rest))
        return found

    async def _read(self, number: int, cursor: str | None) -> Page:
        if number == len(self._searches):
            return await self._notifications.read_page(cursor)
        try:
            return await self._searches[number].read_page(cursor)
        except Rejected as error:
            # One query that Bluesky does not understand must not keep back all else.
            self._context.failed(error)
            return Page((), (), None, None)


def _read_cursor(cursor: str | None) -> tuple[int, str | None]:
    number, _, inner = (cursor or "0 ").partition(" ")
    return int(number), inner or None

"""Sweeping a listing that runs from new to old, so that nothing is missed and nothing doubled.

Each sweep starts at the top and judges every post of the first page by its id, then goes on down
to a little below the watermark. What is unseen is recorded oldest first, and the place moves with
the last of it in one atomic step. So a sweep that is interrupted is done again whole.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from actors.bluesky.judge import Judge
from actors.bluesky.lag import Lag
from actors.bluesky.listing import Admit, Candidate, Found, Listing, Page, Walk, admit_all
from actors.bluesky.live_finds import LiveFinds
from actors.bluesky.noise import Skip
from actors.bluesky.pacing import look_ahead, patiently
from actors.bluesky.place import Place, move_place
from actors.bluesky.recording import Recorder
from actors.bluesky.thread_context import ThreadContext
from actors.items import make_post_id
from actors.messages import DeadLetter, InboundPost
from actors.recent import Recent
from actors.store import Store, Value
from runtime.actor import Context
from runtime.clock import WallClock

OVERLAP_S = 600.0
"""An item may show up so much later than its time says, and still be found by a usual sweep."""
BLANK_PAGES = 20
"""So many pages in a row without a single post or time, and the listing leads nowhere."""
GONE_AFTER_S = 100.0
"""A post that is listed but cannot be fetched may be late; if it still is after so long, it is
gone."""
MARKS_RENEWED_AFTER_S = 86_400.0

_Chunk: TypeAlias = Sequence[tuple[str, Candidate]]
"""Posts with their item ids."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a listing is swept.

    Args:
        capacity: the most unseen posts to know of at once.
        at_once: the most posts to fetch and record together; these are held whole, and with them
            the next, which are fetched while these are recorded.
        deep_every_s: how often to look ``deep_pages`` down whatever the watermark says, and keep
            the marks of what is listed there from being forgotten; ``None`` for a listing of
            strangers' posts, where what is a week late is not wanted any more.
        not_older_s: what is older than this is left out, even if it is not known.
    """

    capacity: int
    at_once: int
    deep_every_s: float | None = None
    deep_pages: int = 10
    not_older_s: float = math.inf


@dataclass(slots=True)
class _Batch:
    posts: Sequence[InboundPost] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


class Sweeper:
    """Sweeps one listing. It keeps in memory what it knows to be recorded.

    Attributes:
        recorded: how many new posts it has recorded.

    Args:
        name: of the place in the store.
        own_did: whose own posts are left out.
        lookback_s: how far the first sweep looks back.
        known: may be shared by the sweepers of one actor.
        lag: shared by them.
        thread_context: completes what is found; ``None`` to take it as it is.
        from_before: also take what was left out because it was there before the first start.
        finds: what was heard of, for which what is listed of the same threads may have to wait.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        listing: Listing,
        clock: WallClock,
        *,
        name: str,
        own_did: str,
        lookback_s: float,
        reach: Reach,
        known: Recent,
        lag: Lag,
        thread_context: ThreadContext | None = None,
        from_before: bool = False,
        finds: LiveFinds | None = None,
    ) -> None:
        self.recorded = 0
        self._context = context
        self._store = store
        self._recorder = Recorder(context, store, known)
        self._thread_context = thread_context
        self._finds = finds
        self._listing = listing
        self._clock = clock
        self._name = name
        self._lookback_s = lookback_s
        self._reach = reach
        self._known = known
        self._lag = lag
        self._judge = Judge(
            context,
            store,
            own_did=own_did,
            not_older_s=reach.not_older_s,
            known=known,
            from_before=from_before,
        )
        self._place: Place | None = None
        self._deep_at = float("-inf")
        self._missed_since: dict[str, float] = {}
        self._goes_on = False

    async def sweep(self, heard: Sequence[Candidate] = (), admit: Admit = admit_all) -> bool:
        """Sweep once, and say whether to do it again at once: there is more than could be held.

        What was ``heard`` of otherwise is recorded in one order with what is listed and admitted;
        these have their views. If cancelled or failed, all that was not recorded is found again by
        the next sweep.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from the network or the store.
        """
        place = self._place or await self._find_place()
        now_s = self._clock()
        deep_every_s = self._reach.deep_every_s
        deep = deep_every_s is not None and (place.watermark is None or now_s >= self._deep_at)
        walk = await self._walk(place, now_s, deep=deep)
        walk.leave(admit)
        await self._take_over(place, walk, now_s, heard)
        if deep_every_s is not None and deep:
            self._deep_at = now_s + deep_every_s
        self._goes_on = walk.oldest_dropped_s is not None and not walk.left_s
        return self._goes_on

    async def take_in(self, heard: Sequence[Candidate]) -> None:
        """Record what was heard of, without a look at the listing. As :meth:`sweep` otherwise."""
        found = {make_post_id(one.uri): one for one in heard}
        if found:
            chunk = [*found.items()]
            batch = await self._gather(chunk, await self._fetch(chunk), {}, found)
            self._context.succeeded(await self._record(batch))

    async def _find_place(self) -> Place:
        place = Place.parse(await self._store.read("cursor", self._name))
        if place is None:
            # Kept at once: however long the first sweep has to wait for Bluesky, the look-back
            # counts from now.
            place = Place(since=self._clock() - self._lookback_s)
            await self._store.save(Value("cursor", self._name, place.dump()))
        self._place = place
        return place

    async def _walk(self, place: Place, now_s: float, *, deep: bool) -> Walk:
        due = place.watermark is None or now_s - place.marked_at >= MARKS_RENEWED_AFTER_S
        walk = Walk(self._reach.capacity, marking=deep and due)
        line_s = place.reached_s - OVERLAP_S
        cursor: str | None = None
        pages = blank = 0
        while True:
            page = await self._read_page(cursor)
            pages += 1
            new = await self._judge.find_new(page.candidates, place, now_s)
            walk.note(page.candidates, new, self._judge.choose_mark)
            await self._put_aside(page, walk)
            blank = 0 if page.candidates or page.reached_s is not None else blank + 1
            cursor = page.cursor
            if cursor is None:
                walk.ended = True
                return walk
            if blank >= BLANK_PAGES:
                self._context.skipped("blank_pages")
                return walk
            below = page.reached_s is not None and page.reached_s < line_s
            if below and not (deep and pages < self._reach.deep_pages):
                return walk

    async def _read_page(self, cursor: str | None) -> Page:
        if cursor is None:
            return await self._listing.read_page(None)
        return await patiently(self._context, lambda: self._listing.read_page(cursor))

    async def _put_aside(self, page: Page, walk: Walk) -> None:
        """Take the dead letters of a page, and record before there are too many to be held.

        What is dead, or known, need not wait for its turn among the posts.
        """
        unread = (one for one in page.letters if one.letter_id not in self._known)
        walk.letters.update((one.letter_id, one) for one in unread)
        if len(walk.letters) + len(walk.marks) >= self._reach.at_once:
            await self._record(_Batch(letters=list(walk.letters.values()), seen=walk.marks))
            walk.letters, walk.marks = {}, []

    async def _take_over(
        self, place: Place, walk: Walk, now_s: float, heard: Sequence[Candidate]
    ) -> None:
        told = self._list_heard(walk, heard)
        unrecorded = {**walk.unseen, **told}
        waiting = sorted(unrecorded.items(), key=lambda one: one[1].order)
        if waiting and not self._goes_on:
            self._lag.tell(self._name, waiting[0][1].time_s)
        since, self._missed_since = self._missed_since, {}
        size = self._reach.at_once
        chunks = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        last = _Batch()
        for chunk in chunks[:1]:
            last = await self._gather(chunk, await self._fetch(chunk), since, told)
        for chunk in chunks[1:]:
            found = await look_ahead(
                partial(self._hand_over, last, chunk), partial(self._fetch, chunk)
            )
            last = await self._gather(chunk, found, since, told)
        last.letters.extend(walk.letters.values())
        last.seen.extend(walk.marks)
        # What was missed and is not listed moves no place: it is found the way it was found.
        missed = [one.time_s for at, one in walk.unseen.items() if at in self._missed_since]
        missed += walk.left_s
        lasting = self._reach.deep_every_s is not None
        moved = move_place(place, walk, now_s, missed=missed, lasting=lasting)
        count = await self._record(last, place=moved if moved != place else None)
        self._place = moved
        self._lag.tell(self._name, walk.oldest_dropped_s)
        self._context.succeeded(count)

    async def _hand_over(self, batch: _Batch, waiting: _Chunk) -> None:
        """Record a batch behind which these wait."""
        self._context.succeeded(await self._record(batch))
        self._lag.tell(self._name, waiting[0][1].time_s)

    def _list_heard(self, walk: Walk, heard: Sequence[Candidate]) -> dict[str, Candidate]:
        """What is still to be recorded of it, and does not come after what could not be held."""
        until_s = math.inf if walk.oldest_dropped_s is None else walk.oldest_dropped_s
        listed = {make_post_id(one.uri): one for one in heard if one.time_s < until_s}
        return {item_id: one for item_id, one in listed.items() if item_id not in self._known}

    async def _fetch(self, chunk: _Chunk) -> Mapping[str, Found]:
        wanted = [candidate for _, candidate in chunk]
        return await patiently(self._context, lambda: self._listing.fetch(wanted))

    async def _gather(
        self,
        chunk: _Chunk,
        found: Mapping[str, Found],
        since: Mapping[str, float],
        heard: Collection[str],
    ) -> _Batch:
        """What is to be recorded of these, when all before is recorded.

        What is only listed waits for a late post of its thread that was heard of.

        Args:
            found: what was fetched of them.
            since: when those that were missed before were first missed, by item id.
            heard: the item ids of what was heard of, which is in its order already.
        """
        held = frozenset[str]() if self._finds is None else self._finds.held
        batch = _Batch()
        posts: list[InboundPost] = []
        for item_id, candidate in chunk:
            match found.get(candidate.uri):
                case InboundPost(root=root) if root.uri in held and item_id not in heard:
                    self._missed_since[item_id] = since.get(item_id, self._clock())
                case InboundPost() as post:
                    posts.append(post)
                case DeadLetter() as letter:
                    # It has the item's id, which is marked with it.
                    batch.letters.append(letter)
                case Skip() as skip:
                    # Marked as seen, so that it is not judged again, but not as recorded. A search
                    # hit that is noise may be a mention to another poller, which then takes it in;
                    # and what is noise to all may be the context of what is none.
                    batch.seen.append(skip.mark(candidate.uri))
                    self._context.skipped(skip.reason, message=item_id, detail=skip.detail)
                case None if self._clock() - since.get(item_id, math.inf) >= GONE_AFTER_S:
                    batch.seen.append(item_id)
                    self._context.skipped("vanished", message=item_id)
                case None:
                    self._missed_since[item_id] = since.get(item_id, self._clock())
        batch.posts = posts
        if self._thread_context is not None and posts:
            completed = await self._thread_context.complete(posts)
            batch.posts = completed.posts
            batch.seen += completed.thread_ids
        return batch

    async def _record(self, batch: _Batch, *, place: Place | None = None) -> int:
        count = await self._recorder.record(
            batch.posts,
            letters=batch.letters,
            seen=batch.seen,
            values=[Value("cursor", self._name, place.dump())] if place else [],
        )
        self.recorded += count
        return count

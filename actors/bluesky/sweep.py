"""Sweeping a listing that runs from new to old, so that nothing is missed and nothing doubled.

Each sweep starts at the top and judges every post of the first page by its id, then goes on down
to a little below the watermark. What is unseen is recorded oldest first, and the place moves with
the last of it in one atomic step. So a sweep that is interrupted is done again whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from actors.bluesky.listing import Candidate, Listing, Page, Walk
from actors.bluesky.place import Place
from actors.items import make_post_id, make_post_item
from actors.messages import DeadLetter, InboundPost
from actors.recent import Recent
from actors.store import Store, Value
from actors.translation.inbound import make_reference
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed

OVERLAP_S = 600.0
"""An item may show up so much later than its time says, and still be found by a usual sweep."""
BLANK_PAGES = 20
"""So many pages in a row without a single post or time, and the listing leads nowhere."""
LOOKS_BEFORE_GONE = 3
"""A post that is listed but cannot be fetched may be late; after so many sweeps it is gone."""
MARKS_RENEWED_AFTER_S = 86_400.0
RECENT_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Reach:
    """How a listing is swept.

    Args:
        capacity: the most unseen posts to know of at once.
        at_once: the most posts to fetch and record together; these are held whole.
        deep_every_s: how often to look ``deep_pages`` down whatever the watermark says, and keep
            the marks of what is listed there from being forgotten; ``None`` for a listing of
            strangers' posts, where what is a week late is not wanted any more.
    """

    capacity: int
    at_once: int
    deep_every_s: float | None = None
    deep_pages: int = 10


@dataclass(slots=True)
class _Batch:
    posts: list[InboundPost] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


class Sweeper:
    """Sweeps one listing. It keeps in memory what it knows to be recorded.

    Args:
        name: of the place in the store.
        own_did: whose own posts are left out.
        lookback_s: how far the first sweep looks back.
        known: may be shared by the sweepers of one actor.
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
    ) -> None:
        self._context = context
        self._store = store
        self._listing = listing
        self._clock = clock
        self._name = name
        self._own_did = own_did
        self._lookback_s = lookback_s
        self._reach = reach
        self._known = known
        self._place: Place | None = None
        self._deep_at = float("-inf")
        self._misses: dict[str, int] = {}

    async def sweep(self) -> bool:
        """Sweep once, and say whether there is more than could be held.

        If cancelled or failed, all that was not recorded is found again by the next sweep.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from the network or the store.
        """
        place = self._place or await self._find_place()
        now_s = self._clock()
        deep = self._is_deep(place, now_s)
        walk = await self._walk(place, now_s, deep=deep)
        await self._take_over(place, walk, now_s, deep=deep)
        if deep and self._reach.deep_every_s is not None:
            self._deep_at = now_s + self._reach.deep_every_s
        return walk.oldest_dropped_s is not None

    def _is_deep(self, place: Place, now_s: float) -> bool:
        if self._reach.deep_every_s is None:
            return False
        return place.watermark is None or now_s >= self._deep_at

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
        walk = Walk(self._reach.capacity)
        line_s = (place.since if place.watermark is None else place.watermark) - OVERLAP_S
        cursor: str | None = None
        pages = blank = 0
        while True:
            page = await self._listing.read_page(cursor)
            pages += 1
            await self._judge(page, walk, place, now_s, keep_ids=deep)
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

    async def _judge(
        self, page: Page, walk: Walk, place: Place, now_s: float, *, keep_ids: bool
    ) -> None:
        walk.note(page.candidates)
        unread = (one for one in page.letters if one.letter_id not in self._known)
        walk.letters.update((one.letter_id, one) for one in unread)
        unknown: dict[str, Candidate] = {}
        for candidate in page.candidates:
            item_id = make_post_id(candidate.uri)
            if keep_ids:
                walk.listed.append(item_id)
            if item_id in self._known or item_id in walk.unseen:
                continue
            if candidate.author_did == self._own_did:
                self._leave_out(item_id, "own_post")
            elif not place.is_new(candidate.time_s, now_s):
                self._leave_out(item_id, "before_start")
            else:
                unknown[item_id] = candidate
        await self._hold_unseen(unknown, walk)

    async def _hold_unseen(self, unknown: dict[str, Candidate], walk: Walk) -> None:
        if not unknown:
            return
        unseen = await self._store.find_unseen(unknown)
        for item_id, candidate in unknown.items():
            if item_id in unseen:
                walk.hold(item_id, candidate)
            else:
                self._known.add([item_id])

    def _leave_out(self, item_id: str, reason: str) -> None:
        self._known.add([item_id])
        self._context.skipped(reason)

    async def _take_over(self, place: Place, walk: Walk, now_s: float, *, deep: bool) -> None:
        waiting = sorted(walk.unseen.items(), key=lambda one: one[1].order)
        if waiting:
            self._context.lag(max(0.0, now_s - waiting[0][1].time_s))
        misses, self._misses = self._misses, {}
        size = self._reach.at_once
        chunks = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        count = 0
        for chunk in chunks[:-1]:
            count += await self._record(await self._fetch(chunk, misses))
        last = await self._fetch(chunks[-1], misses) if chunks else _Batch()
        last.letters.extend(walk.letters.values())
        moved = self._move(place, walk, now_s, last, deep=deep)
        count += await self._record(last, place=moved if moved != place else None)
        self._place = moved
        behind = walk.oldest_dropped_s
        self._context.lag(0.0 if behind is None else max(0.0, now_s - behind))
        self._context.succeeded(count)

    async def _fetch(
        self, chunk: Sequence[tuple[str, Candidate]], misses: dict[str, int]
    ) -> _Batch:
        found = await self._listing.fetch([candidate for _, candidate in chunk])
        batch = _Batch()
        for item_id, candidate in chunk:
            match found.get(candidate.uri):
                case InboundPost() as post:
                    batch.posts.append(post)
                case DeadLetter() as letter:
                    # It has the item's id, which is marked with it.
                    batch.letters.append(letter)
                case None if misses.get(item_id, 0) + 1 >= LOOKS_BEFORE_GONE:
                    batch.seen.append(item_id)
                    self._context.skipped("vanished")
                case None:
                    self._misses[item_id] = misses.get(item_id, 0) + 1
        return batch

    def _move(self, place: Place, walk: Walk, now_s: float, last: _Batch, *, deep: bool) -> Place:
        """The place after this sweep; ``last`` gets the ids that are to be marked with it."""
        watermark = _find_watermark(place, walk, now_s)
        if self._reach.deep_every_s is None:
            if watermark == place.watermark:
                return place
            floor = max(place.since, watermark - RECENT_S)
            return replace(place, watermark=watermark, floor=floor, marked_at=now_s)
        moved = replace(place, watermark=watermark)
        first = place.watermark is None
        if not first and not (deep and now_s - place.marked_at >= MARKS_RENEWED_AFTER_S):
            return moved
        last.seen.extend(one for one in walk.listed if self._may_be_marked(one, walk))
        depths = [one for one in (place.floor, walk.oldest_s) if one is not None]
        floor_s = None if walk.ended else max(depths, default=None)
        return replace(moved, floor=floor_s, marked_at=now_s)

    def _may_be_marked(self, item_id: str, walk: Walk) -> bool:
        return item_id in self._known or (item_id in walk.unseen and item_id not in self._misses)

    async def _record(self, batch: _Batch, *, place: Place | None = None) -> int:
        if not (batch.posts or batch.letters or batch.seen or place):
            return 0
        items = [make_post_item(post) for post in batch.posts]
        recorded = await self._store.record(
            items,
            values=[Value("cursor", self._name, place.dump())] if place else [],
            seen=dict.fromkeys(batch.seen),
            references=[make_reference(post) for post in batch.posts],
            dead_letters=batch.letters,
        )
        self._known.add(item.item_id for item in items)
        self._known.add(batch.seen)
        self._known.add(letter.letter_id for letter in batch.letters)
        for letter in batch.letters:
            self._context.failed(Malformed(letter.why))
        return len(recorded.new)


def _find_watermark(place: Place, walk: Walk, now_s: float) -> float:
    reached = (place.since, place.watermark, walk.newest_s)
    # A listed time may lie ahead of our clock, but a watermark there would stop the sweeps short.
    watermark = min(max(one for one in reached if one is not None), now_s)
    if walk.oldest_dropped_s is not None:
        watermark = min(watermark, walk.oldest_dropped_s - 0.001)
    return watermark

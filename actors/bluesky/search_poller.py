"""SearchPoller: what strangers say about the company, from Bluesky's search to the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.client import Bluesky
from actors.bluesky.lag import Lag
from actors.bluesky.letters import make_post_letter
from actors.bluesky.listing import Admit, Candidate, Found, Page
from actors.bluesky.live_finds import LiveFinds
from actors.bluesky.live_intake import LiveIntake
from actors.bluesky.live_matching import list_plain
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.pace import NO_HASTE, Haste, Pace
from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.post_reader import PostReader
from actors.bluesky.sweep import Reach, Sweeper
from actors.bluesky.turns import Turn, run_in_turn
from actors.messages import DeadLetter
from actors.recent import Recent
from actors.store import SEEN_KEEP_S, Store
from actors.translation.inbound_views import AtUri, Sender, View, parse_view
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Malformed, Rejected, Retryable

PAGE = 100
_MEND_QUERY = "Correct BLUESKY_SEARCH_QUERY: Bluesky does not understand one of its queries."
CAPACITY = 1000
"""Unseen hits that one sweep holds, whole: some kilobytes each."""


class SearchPoller:
    """Polls ``app.bsky.feed.searchPosts`` with each query in turn.

    What is found is filtered again here, by author and time, and by what was set as noise. Whether
    a post matches is the server's to say: it knows stems, languages and operators of its own, and
    another matcher here would throw away what it found.

    Args:
        queries: as a person would type them into the search box.
        interval_s: seconds from one poll to the next.
        lookback_s: how far the first start of each query looks back.
        at_once: the most posts to record together.
        noise: what is left out.
        haste: how much quicker than that it polls while something is new.
        finds: what LiveListener has heard; ``None`` if nobody listens.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        *,
        queries: Sequence[str],
        interval_s: float,
        lookback_s: float,
        at_once: int,
        noise: Noise = NO_NOISE,
        haste: Haste = NO_HASTE,
        finds: LiveFinds | None = None,
    ) -> None:
        self._context = context
        self._bluesky = PacedBluesky(bluesky, context)
        self._store = store
        self._clock = clock
        self._queries = queries
        self._finds = finds
        self._interval_s = interval_s
        # Only of words LiveListener knows what they mean.
        heard = finds if len(list_plain(queries)) == len(queries) else None
        self._pace = Pace(interval_s, context, haste, heard)
        self._lookback_s = lookback_s
        # A query that was left out for long may find what others took in before the store forgot.
        self._reach = Reach(capacity=CAPACITY, at_once=at_once, not_older_s=SEEN_KEEP_S)
        self._reader = PostReader(self._bluesky, context, clock, noise)

    async def run(self) -> None:
        """Poll for ever. If cancelled or failed, the next incarnation sweeps anew: nothing is lost.

        Raises:
            Retryable, AuthRejected, Malformed: from Bluesky or the store.
        """
        own_did = await self._bluesky.did()
        known = Recent()
        lag = Lag(self._context, self._clock)
        sweepers = [self._make_sweeper(query, own_did, known, lag) for query in self._queries]

        async def poll() -> None:
            before = sum(one.recorded for one in sweepers)
            await self._poll(sweepers)
            self._pace.note(sum(one.recorded for one in sweepers) - before)

        async def take_in(heard: Sequence[Candidate], _: Admit) -> None:
            await sweepers[0].take_in(heard)

        live = None
        if self._finds is not None:
            live = LiveIntake(
                self._context,
                self._bluesky,
                self._store,
                self._finds,
                known=known,
                take_in=take_in,
            )
        await run_in_turn(self._context, [Turn(self._interval_s, poll, self._pace)], live)

    def _make_sweeper(self, query: str, own_did: str, known: Recent, lag: Lag) -> Sweeper:
        return Sweeper(
            self._context,
            self._store,
            SearchListing(self._bluesky, query, self._context.name, self._reader),
            self._clock,
            name=name_of(query),
            own_did=own_did,
            lookback_s=self._lookback_s,
            reach=self._reach,
            known=known,
            lag=lag,
        )

    async def _poll(self, sweepers: Sequence[Sweeper]) -> None:
        """Sweep all queries, also when one of them fails.

        One that is far behind has its turns between the others. One that the server does not
        understand keeps the actor in trouble until it is mended; the others go on.
        """
        last: Retryable | None = None
        refused: AuthRejected | None = None
        waiting = list(sweepers)
        while waiting:
            behind: list[Sweeper] = []
            for sweeper in waiting:
                try:
                    behind += [sweeper] if await sweeper.sweep() else []
                except Rejected as error:
                    refused = AuthRejected(str(error), action=_MEND_QUERY)
                    self._context.failed(error)
                except Retryable as error:
                    last = error
            waiting = behind
        if last is not None:
            raise last
        if refused is not None:
            await self._context.back_off(refused)


class SearchListing:
    """``app.bsky.feed.searchPosts``, newest first, for one query."""

    def __init__(self, bluesky: PacedBluesky, query: str, source: str, reader: PostReader) -> None:
        self._bluesky = bluesky
        self._query = query
        self._source = source
        self._reader = reader

    async def read_page(self, cursor: str | None) -> Page:
        """Read one page of whole posts."""
        parameters: dict[str, str | int | Sequence[str]] = {
            "q": self._query,
            "sort": "latest",
            "limit": PAGE,
        }
        if cursor is not None:
            parameters["cursor"] = cursor
        answer = await self._bluesky.query("app.bsky.feed.searchPosts", parameters)
        candidates: list[Candidate] = []
        letters: list[DeadLetter] = []
        for raw in read_list(answer, "posts"):
            try:
                candidates.append(_read_hit(raw))
            except Malformed as error:
                letters.append(make_post_letter(self._source, raw, "search", error))
        given = read_cursor(answer)
        return Page(
            candidates=tuple(candidates),
            letters=tuple(letters),
            reached_s=candidates[-1].time_s if candidates else None,
            cursor=None if given == cursor else given,
        )

    async def fetch(self, candidates: Sequence[Candidate]) -> Mapping[str, Found]:
        """The posts, which the pages have shown already."""
        return await self._reader.read(candidates)


class _Hit(View):
    """The part of ``app.bsky.feed.defs#postView`` that tells whether it is of interest."""

    uri: AtUri
    author: Sender
    indexed_at: str


def _read_hit(raw: object) -> Candidate:
    hit = parse_view(_Hit, raw)
    time_s = find_time(hit.indexed_at)
    if time_s is None or not isinstance(raw, dict):
        raise Malformed("not a postView: indexedAt is no time")
    return Candidate(hit.uri, hit.author.did, time_s, "search", view=raw)


def name_of(query: str) -> str:
    """The name of a query's place in the store: a query may be long, and may be confidential."""
    return f"search:{hashlib.sha256(query.encode()).hexdigest()[:16]}"

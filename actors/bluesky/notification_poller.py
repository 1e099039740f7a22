"""NotificationPoller: mentions, replies and quotes, from Bluesky's notifications to the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.attention import Attention
from actors.bluesky.client import Bluesky
from actors.bluesky.deletions import DeletionWatch
from actors.bluesky.following import Follower
from actors.bluesky.known_posts import KnownPosts
from actors.bluesky.lag import Lag
from actors.bluesky.letters import make_letter
from actors.bluesky.listing import Candidate, Found, Page, choose_cursor
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.pacing import PacedBluesky, map_together
from actors.bluesky.post_reader import PostReader
from actors.bluesky.posts import get_posts, make_batches
from actors.bluesky.reactions import ReactionWatch
from actors.bluesky.sweep import Reach, Sweeper
from actors.bluesky.thread_context import ThreadContext
from actors.bluesky.turns import Turn, run_in_turn
from actors.items import make_post_id
from actors.messages import DeadLetter, InboundReason
from actors.recent import Recent
from actors.store import Store
from actors.translation.inbound_views import AtUri, Sender, View, parse_view
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import Malformed, Rejected

PAGE = 100
REASONS: tuple[InboundReason, ...] = ("mention", "reply", "quote")
CAPACITY = 10_000
"""Waiting notifications that one sweep holds, a few hundred bytes each."""


class NotificationPoller:
    """Polls ``app.bsky.notification.listNotifications``, and looks after what came of it.

    Between its polls it follows threads, counts reactions and watches for deletions, one after the
    other in one task. So whatever else there is to do, mentions come first as soon as a round is
    over (each is bounded), and two ways to the same post never race: what is said in a thread is
    recorded in its order whichever of them finds it.

    Neither ``isRead`` nor ``seenAt`` is looked at or changed: a person may have the app open.

    Args:
        interval_s: seconds from one poll to the next.
        lookback_s: how far the first start looks back.
        deep_sweep_s: how often to look further down than the watermark asks for.
        at_once: the most posts to fetch and record together.
        noise: what is left out.
        attention: what it looks at besides.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        clock: WallClock,
        *,
        interval_s: float,
        lookback_s: float,
        deep_sweep_s: float,
        at_once: int,
        noise: Noise = NO_NOISE,
        attention: Attention | None = None,
    ) -> None:
        self._context = context
        self._bluesky = PacedBluesky(bluesky, context)
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._lookback_s = lookback_s
        self._at_once = at_once
        self._attention = attention or Attention()
        self._reach = Reach(capacity=CAPACITY, at_once=at_once, deep_every_s=deep_sweep_s)
        self._reader = PostReader(self._bluesky, context, clock, noise)

    async def run(self) -> None:
        """Poll for ever. If cancelled or failed, the next incarnation sweeps anew: nothing is lost.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        own_did = await self._bluesky.did()
        known = Recent()
        turns = [Turn(self._interval_s, self._make_sweep(own_did, known))]
        turns += self._make_looks(own_did, known)
        await run_in_turn(self._context, turns)

    def _make_sweep(self, own_did: str, known: Recent) -> Callable[[], Awaitable[None]]:
        ancestors = self._attention.ancestors
        sweeper = Sweeper(
            self._context,
            self._store,
            NotificationListing(self._bluesky, self._context, self._reader),
            self._clock,
            name="notifications",
            own_did=own_did,
            lookback_s=self._lookback_s,
            reach=self._reach,
            known=known,
            lag=Lag(self._context, self._clock),
            thread_context=None
            if ancestors is None
            else ThreadContext(
                self._context,
                self._bluesky,
                self._store,
                self._reader,
                own_did=own_did,
                ancestors=ancestors,
                known=known,
            ),
        )

        async def poll() -> None:
            more = True
            while more:
                more = await sweeper.sweep()

        return poll

    def _make_looks(self, own_did: str, known: Recent) -> list[Turn]:
        """What is done besides, as far as it is turned on."""
        context, bluesky, store, clock = self._context, self._bluesky, self._store, self._clock
        wanted = self._attention
        posts = KnownPosts(store, clock, keep_s=max(wanted.follow_s, wanted.watch_s))
        turns: list[Turn] = []
        if wanted.follow_s > 0:
            follower = Follower(
                context,
                bluesky,
                store,
                posts,
                self._reader,
                own_did=own_did,
                follow_s=wanted.follow_s,
                at_once=self._at_once,
                known=known,
            )
            turns.append(Turn(wanted.follow_every_s, follower.follow))
        if wanted.reactions_every_s > 0:
            reactions = ReactionWatch(
                context, bluesky, store, clock, own_did=own_did, lookback_s=self._lookback_s
            )
            turns.append(Turn(wanted.reactions_every_s, reactions.look))
        if wanted.watch_s > 0:
            deletions = DeletionWatch(
                context, bluesky, store, posts, clock, own_did=own_did, watch_s=wanted.watch_s
            )
            turns.append(Turn(wanted.watch_every_s, deletions.look))
        return turns


class NotificationListing:
    """``app.bsky.notification.listNotifications``, and ``app.bsky.feed.getPosts`` for the posts."""

    def __init__(self, bluesky: PacedBluesky, context: Context, reader: PostReader) -> None:
        self._bluesky = bluesky
        self._context = context
        self._reader = reader

    async def read_page(self, cursor: str | None) -> Page:
        """Read one page; one without a single notification of interest may have a cursor."""
        parameters: dict[str, str | int | Sequence[str]] = {"limit": PAGE, "reasons": REASONS}
        if cursor is not None:
            parameters["cursor"] = cursor
        answer = await self._bluesky.query("app.bsky.notification.listNotifications", parameters)
        candidates: list[Candidate] = []
        letters: list[DeadLetter] = []
        for raw in read_list(answer, "notifications"):
            try:
                candidate = _read_notification(raw)
            except Malformed as error:
                # Whether somebody has read it in the app does not make it another one.
                letters.append(make_letter(self._context.name, _without(raw, "isRead"), error))
            else:
                candidates += [candidate] if candidate else []
        given = read_cursor(answer)
        reached_s = find_time(given)
        if reached_s is None and candidates:
            reached_s = candidates[-1].time_s
        return Page(
            candidates=tuple(candidates),
            letters=tuple(letters),
            reached_s=reached_s,
            cursor=choose_cursor(cursor, given),
        )

    async def fetch(self, candidates: Sequence[Candidate]) -> Mapping[str, Found]:
        """Fetch the posts, several requests at once."""
        limit = self._context.concurrency
        found: dict[str, Found] = {}
        batches = make_batches(candidates)
        for posts in await map_together(self._fetch_batch, batches, limit=limit):
            found.update(posts)
        return found

    async def _fetch_batch(self, batch: Sequence[Candidate]) -> Mapping[str, Found]:
        wanted = {one.uri: one for one in batch}
        try:
            views = await get_posts(self._bluesky, list(wanted))
        except Rejected as error:
            return await self._find_culprit(batch, error)
        posts: list[Candidate] = []
        for view in views:
            # By uri, never by position: posts that are gone are left out.
            uri = view.get("uri")
            if isinstance(uri, str) and uri in wanted:
                posts.append(replace(wanted[uri], view=view))
        return await self._reader.read(posts)

    async def _find_culprit(
        self, batch: Sequence[Candidate], error: Rejected
    ) -> Mapping[str, Found]:
        """One uri that the server refuses spoils the request: halve it until that is alone."""
        if len(batch) == 1:
            uri = batch[0].uri
            letter_id = make_post_id(uri)
            return {uri: make_letter(self._context.name, {"uri": uri}, error, letter_id=letter_id)}
        middle = len(batch) // 2
        return {
            **await self._fetch_batch(batch[:middle]),
            **await self._fetch_batch(batch[middle:]),
        }


class _Notification(View):
    """``app.bsky.notification.listNotifications#notification``."""

    uri: AtUri
    author: Sender
    reason: str
    indexed_at: str


def _read_notification(raw: object) -> Candidate | None:
    notification = parse_view(_Notification, raw)
    if notification.reason not in REASONS:
        return None
    time_s = find_time(notification.indexed_at)
    if time_s is None:
        raise Malformed("not a notification: indexedAt is no time")
    reason: InboundReason = next(one for one in REASONS if one == notification.reason)
    return Candidate(notification.uri, notification.author.did, time_s, reason)


def _without(raw: object, key: str) -> object:
    return {k: v for k, v in raw.items() if k != key} if isinstance(raw, dict) else raw

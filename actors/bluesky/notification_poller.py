"""NotificationPoller: mentions, replies and quotes, from Bluesky's notifications to the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.client import Bluesky
from actors.bluesky.lag import Lag
from actors.bluesky.letters import make_letter
from actors.bluesky.listing import Candidate, Found, Page
from actors.bluesky.noise import NO_NOISE, Noise
from actors.bluesky.pacing import PacedBluesky, map_together, run_every
from actors.bluesky.post_reader import PostReader
from actors.bluesky.sweep import Reach, Sweeper
from actors.items import make_post_id
from actors.messages import DeadLetter, InboundReason
from actors.recent import Recent
from actors.store import Store
from actors.translation.inbound_views import AtUri, Sender, View, parse_view
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock, format_time
from runtime.errors import Malformed, Rejected

PAGE = 100
POSTS_PER_REQUEST = 25
"""``app.bsky.feed.getPosts`` takes no more uris."""
REASONS: tuple[InboundReason, ...] = ("mention", "reply", "quote")
CAPACITY = 10_000
"""Waiting notifications that one sweep holds, a few hundred bytes each."""
CURSOR_STEP_S = 0.001


class NotificationPoller:
    """Polls ``app.bsky.notification.listNotifications``.

    Neither ``isRead`` nor ``seenAt`` is looked at or changed: a person may have the app open.

    Args:
        interval_s: seconds from one poll to the next.
        lookback_s: how far the first start looks back.
        deep_sweep_s: how often to look further down than the watermark asks for.
        at_once: the most posts to fetch and record together.
        noise: what is left out.
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
    ) -> None:
        self._context = context
        self._bluesky = PacedBluesky(bluesky, context)
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._lookback_s = lookback_s
        self._reach = Reach(capacity=CAPACITY, at_once=at_once, deep_every_s=deep_sweep_s)
        self._reader = PostReader(self._bluesky, context, clock, noise)

    async def run(self) -> None:
        """Poll for ever. If cancelled or failed, the next incarnation sweeps anew: nothing is lost.

        Raises:
            Retryable, AuthRejected, Rejected, Malformed: from Bluesky or the store.
        """
        sweeper = Sweeper(
            self._context,
            self._store,
            NotificationListing(self._bluesky, self._context, self._reader),
            self._clock,
            name="notifications",
            own_did=await self._bluesky.did(),
            lookback_s=self._lookback_s,
            reach=self._reach,
            known=Recent(),
            lag=Lag(self._context, self._clock),
        )

        async def poll() -> None:
            more = True
            while more:
                more = await sweeper.sweep()

        await run_every(self._interval_s, self._context, poll)


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
        batches = [
            candidates[start : start + POSTS_PER_REQUEST]
            for start in range(0, len(candidates), POSTS_PER_REQUEST)
        ]
        limit = self._context.concurrency
        found: dict[str, Found] = {}
        for posts in await map_together(self._fetch_batch, batches, limit=limit):
            found.update(posts)
        return found

    async def _fetch_batch(self, batch: Sequence[Candidate]) -> Mapping[str, Found]:
        wanted = {one.uri: one for one in batch}
        try:
            answer = await self._bluesky.query("app.bsky.feed.getPosts", {"uris": list(wanted)})
        except Rejected as error:
            return await self._find_culprit(batch, error)
        posts: list[Candidate] = []
        for view in read_list(answer, "posts"):
            # By uri, never by position: posts that are gone are left out.
            uri = view.get("uri") if isinstance(view, dict) else None
            if isinstance(view, dict) and isinstance(uri, str) and uri in wanted:
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


def choose_cursor(asked: str | None, given: str | None) -> str | None:
    """The cursor for the next page.

    The server's is the time of the last item, and the next page holds what is strictly older. Of
    several items with that time some may not have been on this page, so ours is a little newer;
    the items that come again are known. Where a whole page has one time that leads to the same
    page again, and only the server's own cursor leads on.
    """
    time_s = find_time(given)
    if given is None or given == asked:
        return None
    if time_s is None:
        return given
    own = format_time(time_s + CURSOR_STEP_S)
    return given if own == asked else own


def _without(raw: object, key: str) -> object:
    return {k: v for k, v in raw.items() if k != key} if isinstance(raw, dict) else raw

"""Bluesky's notifications as a listing of posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.letters import make_letter
from actors.bluesky.listing import Candidate, Found, Page, choose_cursor
from actors.bluesky.pacing import PacedBluesky, map_together
from actors.bluesky.post_reader import PostReader
from actors.bluesky.posts import get_posts, make_batches
from actors.items import make_post_id
from actors.messages import DeadLetter, InboundReason
from actors.translation.inbound_views import AtUri, Sender, View, parse_view
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Malformed, Rejected

PAGE = 100
REASONS: tuple[InboundReason, ...] = ("mention", "reply", "quote")


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
        """Fetch the posts that have no view yet, several requests at once, and read all."""
        limit = self._context.concurrency
        found = dict(await self._reader.read([one for one in candidates if one.view is not None]))
        batches = make_batches([one for one in candidates if one.view is None])
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

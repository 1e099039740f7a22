"""What a reply answers: the ancestors of posts from threads that Genesys has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from actors.bluesky.client import Bluesky
from actors.bluesky.listing import Candidate
from actors.bluesky.pacing import map_together, patiently
from actors.bluesky.post_reader import PostReader
from actors.bluesky.posts import get_posts
from actors.bluesky.threads import find_author, list_ancestors
from actors.items import make_post_id, make_thread_id
from actors.messages import InboundPost, Json
from actors.recent import Recent
from actors.store import Store
from actors.translation.inbound_views import as_object
from actors.translation.record_key import is_made_key
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Malformed, Rejected, Retryable


@dataclass(frozen=True, slots=True)
class Completed:
    """Posts with their ancestors before them, and the ids of their threads, which are seen now."""

    posts: tuple[InboundPost, ...]
    thread_ids: tuple[str, ...]


class ThreadContext:
    """Finds the ancestors that belong before posts.

    A post without its context is worth more than none: where Bluesky does not tell what it
    answers, it goes alone.

    Args:
        reader: reads the ancestors.
        own_did: whose posts are marked as ours.
        ancestors: how many of the nearest ones are taken; the root is taken in any case.
        known: ids that are known to be seen.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        reader: PostReader,
        *,
        own_did: str,
        ancestors: int,
        known: Recent,
    ) -> None:
        self._context = context
        self._bluesky = bluesky
        self._store = store
        self._reader = reader
        self._own_did = own_did
        self._ancestors = ancestors
        self._known = known
        self._given_up = False

    async def complete(self, posts: Sequence[InboundPost]) -> Completed:
        """Put the ancestors before the first post of each thread that was never seen.

        A post that is its own root makes its thread known. What a search has found is shown as it
        is. If cancelled, nothing has happened.

        Raises:
            AuthRejected: from Bluesky.
            StoreUnavailable: it is not known which threads were seen.
        """
        first: dict[str, InboundPost] = {}
        for post in posts:
            if post.reason != "search":
                first.setdefault(make_thread_id(post.root.uri), post)
        unknown = {one: post for one, post in first.items() if one not in self._known}
        asked = [one for one, post in unknown.items() if post.parent_uri is not None]
        unseen = await self._store.find_unseen(asked) if asked else frozenset[str]()
        incomplete = [unknown[one] for one in asked if one in unseen]
        self._given_up = False
        shown = await map_together(
            self._find_ancestors, incomplete, limit=self._context.concurrency
        )
        read = await self._read_all(one for above in shown for one in above)
        ancestors = {
            post.post.uri: [read[one.uri] for one in above if one.uri in read]
            for post, above in zip(incomplete, shown, strict=True)
        }
        return Completed(_merge(posts, ancestors), tuple(unknown))

    async def _find_ancestors(self, post: InboundPost) -> list[Candidate]:
        if self._given_up:
            return []
        try:
            views = await patiently(self._context, lambda: self._read(post))
        except (Retryable, Malformed) as error:
            # One failure is enough for all: the posts themselves are not to wait for long.
            self._given_up = True
            self._context.failed(error)
            return []
        candidates = [one for view in views for one in self._make_candidate(view)]
        return _leave_out_answers(candidates, self._own_did)

    async def _read(self, post: InboundPost) -> list[Json]:
        """The views of the ancestors, oldest first."""
        views: list[Json] = []
        uris: set[str] = set()
        if self._ancestors > 0:
            try:
                answer = await self._bluesky.query(
                    "app.bsky.feed.getPostThread",
                    {"uri": post.post.uri, "depth": 0, "parentHeight": self._ancestors},
                )
            except Rejected:
                # It was deleted just now, or its author blocks us.
                return []
            nodes = list_ancestors(answer.get("thread"))[: self._ancestors]
            views = [node.view for node in reversed(nodes)]
            uris = {node.uri for node in nodes}
        return views if post.root.uri in uris else [*await self._read_root(post), *views]

    async def _read_root(self, post: InboundPost) -> list[Json]:
        try:
            return await get_posts(self._bluesky, [post.root.uri])
        except Rejected:
            return []

    def _make_candidate(self, view: Json) -> list[Candidate]:
        uri, author = view.get("uri"), find_author(view)
        if not isinstance(uri, str) or author is None:
            self._context.skipped("context_unreadable")
            return []
        return [Candidate(uri, author, find_time(view.get("indexedAt")) or 0.0, "context", view)]

    async def _read_all(self, ancestors: Iterable[Candidate]) -> Mapping[str, InboundPost]:
        """Those that can be read, by uri."""
        wanted = {one.uri: one for one in ancestors}
        read: dict[str, InboundPost] = {}
        for uri, found in (await self._reader.read(list(wanted.values()))).items():
            if isinstance(found, InboundPost):
                read[uri] = replace(found, own=found.author.did == self._own_did)
            else:
                self._context.skipped("context_unreadable", message=make_post_id(uri))
        return read


def _leave_out_answers(ancestors: Sequence[Candidate], own_did: str) -> list[Candidate]:
    """Without what agents answered: it came from Genesys, even if nobody noted yet that it is out.

    Of what the connector wrote, only posts that begin a thread are context, and their continuation.

    Args:
        ancestors: the oldest first.
    """
    kept: list[Candidate] = []
    goes_on = False
    for candidate in ancestors:
        record = as_object(as_object(candidate.view).get("record"))
        is_ours = candidate.author_did == own_did and _is_made_here(candidate.uri, record)
        goes_on = is_ours and (goes_on or "reply" not in record)
        if goes_on or not is_ours:
            kept.append(candidate)
    return kept


def _is_made_here(uri: str, record: Json) -> bool:
    created_s = find_time(record.get("createdAt"))
    return created_s is not None and is_made_key(uri.rpartition("/")[2], created_s)


def _merge(
    posts: Sequence[InboundPost], ancestors: Mapping[str, Sequence[InboundPost]]
) -> tuple[InboundPost, ...]:
    """The posts in their order, each once. One that is an ancestor of another comes before it."""
    own = {post.post.uri: post for post in posts}
    merged: dict[str, InboundPost] = {}
    for post in posts:
        for ancestor in ancestors.get(post.post.uri, ()):
            merged.setdefault(ancestor.post.uri, own.get(ancestor.post.uri, ancestor))
        merged.setdefault(post.post.uri, post)
    return tuple(merged.values())

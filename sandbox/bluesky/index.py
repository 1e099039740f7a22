"""The AppView's index: what all repositories together look like."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.bluesky import contents, records
from sandbox.bluesky.gates import is_gate_of_own_post
from sandbox.bluesky.identifiers import Clock, authority, format_time, normalize_time
from sandbox.bluesky.notifications import Notification, Notifications, Reason
from sandbox.bluesky.relations import Edge, Relation
from sandbox.bluesky.repository import Record, RecordReference

REPLY_NOTIFICATION_DEPTH = 4
"""How many levels above a reply are told of it."""


@dataclass(frozen=True, slots=True)
class Post:
    """An indexed post. ``sort_at`` is the earlier of its ``createdAt`` and the time of indexing."""

    record: Record
    sort_at: str

    @property
    def uri(self) -> str:
        """Its at-uri."""
        return str(self.record.uri)

    @property
    def author(self) -> str:
        """The DID of its author."""
        return self.record.uri.did

    @property
    def parent(self) -> str | None:
        """The uri of the post it answers."""
        reply = self.record.value.get("reply")
        return reply["parent"]["uri"] if reply else None

    @property
    def root(self) -> RecordReference:
        """The first post of its thread; itself if it answers none."""
        reply = self.record.value.get("reply")
        return RecordReference(**reply["root"]) if reply else self.record.reference


class _Place(NamedTuple):
    """A post's place on the timeline; equal times are told apart by CID."""

    sort_at: str
    cid: str
    uri: str


class Index:
    """Posts, threads and relations, kept up to date by :meth:`apply`.

    Attributes:
        threadgates: by the uri of the root.
        mutes: whom each account mutes, by DID; these are private, and in no repository.
    """

    def __init__(self, clock: Clock, notifications: Notifications) -> None:
        self.likes = Relation()
        self.reposts = Relation()
        self.follows = Relation()
        self.blocks = Relation()
        self.profiles: dict[str, Record] = {}
        self.chat_declarations: dict[str, Record] = {}
        self.threadgates: dict[str, Record] = {}
        self.mutes: dict[str, set[str]] = {}
        self._clock = clock
        self._notifications = notifications
        self._posts: dict[str, Post] = {}
        self._replies: dict[str, dict[str, None]] = {}
        self._quotes: dict[str, dict[str, None]] = {}
        self._timeline: list[_Place] = []
        self._relations: Mapping[str, tuple[Relation, Reason | None]] = {
            records.LIKE: (self.likes, "like"),
            records.REPOST: (self.reposts, "repost"),
            records.FOLLOW: (self.follows, "follow"),
            records.BLOCK: (self.blocks, None),
        }
        self._singletons = {
            records.PROFILE: self.profiles,
            records.CHAT_DECLARATION: self.chat_declarations,
        }

    def apply(self, before: Record | None, after: Record | None) -> None:
        """Take in a commit: what a record was, and what it is now."""
        if before is not None:
            self._remove(before)
        if after is not None:
            self._add(after)

    def post(self, uri: str) -> Post | None:
        """The post with this uri, if it is there."""
        return self._posts.get(uri)

    def replies(self, uri: str) -> list[Post]:
        """The posts that answer this uri directly, the newest first."""
        found = [self._posts[reply] for reply in self._replies.get(uri, ())]
        return sorted(found, key=lambda post: post.sort_at, reverse=True)

    def reply_count(self, uri: str) -> int:
        """How many posts answer this uri directly."""
        return len(self._replies.get(uri, ()))

    def quote_count(self, uri: str) -> int:
        """How many posts embed this uri."""
        return len(self._quotes.get(uri, ()))

    def timeline(self, before: tuple[str, str] | None = None) -> Iterator[Post]:
        """All posts, the newest first, from before a sort time and CID on."""
        end = len(self._timeline) if before is None else bisect_left(self._timeline, before)
        for position in range(end - 1, -1, -1):
            yield self._posts[self._timeline[position].uri]

    def block_between(self, one: str, other: str) -> bool:
        """Whether either blocks the other."""
        return bool(self.blocks.uri(one, other) or self.blocks.uri(other, one))

    def ancestors(self, post: Post) -> Iterator[Post]:
        """The post's parent, its parent and so on, as far as they are there."""
        while post.parent is not None and (parent := self._posts.get(post.parent)) is not None:
            yield parent
            post = parent

    def _sort_at(self, record: Record) -> str:
        indexed_at = format_time(self._clock())
        return min(normalize_time(record.value.get("createdAt", indexed_at)), indexed_at)

    def _add(self, record: Record) -> None:
        collection = record.uri.collection
        if not records.is_indexable(record.uri.collection, record.value):
            return
        if collection == records.POST:
            self._add_post(Post(record, self._sort_at(record)))
        elif collection in self._singletons:
            self._singletons[collection][record.uri.did] = record
        elif collection in self._relations:
            self._add_edge(record)
        elif collection == records.THREADGATE and is_gate_of_own_post(record):
            self.threadgates[record.value["post"]] = record

    def _remove(self, record: Record) -> None:
        collection = record.uri.collection
        if collection == records.POST and (post := self._posts.pop(str(record.uri), None)):
            self._remove_post(post)
        elif collection in self._singletons:
            self._singletons[collection].pop(record.uri.did, None)
        elif collection in self._relations:
            self._relations[collection][0].remove(record, contents.subject_of(record.value))
            self._notifications.remove(str(record.uri))
        elif collection == records.THREADGATE:
            self.threadgates.pop(str(record.value.get("post")), None)

    def _add_edge(self, record: Record) -> None:
        subject = contents.subject_of(record.value)
        relation, reason = self._relations[record.uri.collection]
        edge = Edge(record, subject, self._sort_at(record))
        if not relation.add(edge) or reason is None:
            return
        is_account = reason == "follow"
        recipient = subject if is_account else authority(subject)
        if recipient != edge.did:
            line = Notification(
                sort_at=edge.sort_at,
                uri=str(record.uri),
                author=edge.did,
                reason=reason,
                reason_subject=None if is_account else subject,
            )
            self._notifications.add(recipient, line)

    def _add_post(self, post: Post) -> None:
        self._posts[post.uri] = post
        insort(self._timeline, _Place(post.sort_at, post.record.cid, post.uri))
        if post.parent is not None:
            self._replies.setdefault(post.parent, {})[post.uri] = None
        quoted = contents.quoted_uri(post.record.value)
        if quoted is not None:
            self._quotes.setdefault(quoted, {})[post.uri] = None
        for recipient, (reason, subject) in self._told(post, quoted).items():
            line = Notification(post.sort_at, post.uri, post.author, reason, subject)
            self._notifications.add(recipient, line)

    def _told(self, post: Post, quoted: str | None) -> dict[str, tuple[Reason, str | None]]:
        """Whom a post is told to, and why: mention before quote before reply, never oneself."""
        told: dict[str, tuple[Reason, str | None]] = {}
        for did in contents.mentioned_dids(post.record.value):
            told.setdefault(did, ("mention", None))
        if quoted is not None and f"/{records.POST}/" in quoted:
            told.setdefault(authority(quoted), ("quote", quoted))
        for _, ancestor in zip(range(REPLY_NOTIFICATION_DEPTH), self.ancestors(post), strict=False):
            told.setdefault(ancestor.author, ("reply", ancestor.uri))
        told.pop(post.author, None)
        return told

    def _remove_post(self, post: Post) -> None:
        place = _Place(post.sort_at, post.record.cid, post.uri)
        del self._timeline[bisect_left(self._timeline, place)]
        self._notifications.remove(post.uri)
        if post.parent is not None:
            self._replies[post.parent].pop(post.uri)
        quoted = contents.quoted_uri(post.record.value)
        if quoted is not None:
            self._quotes[quoted].pop(post.uri)

"""Posts and threads as a page or a test looks at them: plain values, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.bluesky import contents
from sandbox.bluesky.accounts import Account, Accounts
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.index import Index, Post
from sandbox.bluesky.repository import RecordReference


@dataclass(frozen=True, slots=True)
class PostSnapshot:
    """A post as it stands now. ``liked_by`` and ``reposted_by`` are accounts, the newest first."""

    uri: str
    cid: str
    author: Account
    text: str
    created_at: str
    parent: str | None
    root: str
    quoted: str | None
    liked_by: tuple[Account, ...]
    reposted_by: tuple[Account, ...]
    record: Json

    @property
    def reference(self) -> RecordReference:
        """For other records to point at."""
        return RecordReference(self.uri, self.cid)


@dataclass(frozen=True, slots=True)
class ThreadSnapshot:
    """A post and what answers it, the oldest answer first."""

    post: PostSnapshot
    replies: tuple[ThreadSnapshot, ...]


def take_post(index: Index, accounts: Accounts, post: Post) -> PostSnapshot:
    """A post as it stands now."""
    value = post.record.value

    def known(dids: list[str]) -> tuple[Account, ...]:
        return tuple(account for did in dids if (account := accounts.find(did)) is not None)

    (author,) = known([post.author])
    return PostSnapshot(
        uri=post.uri,
        cid=post.record.cid,
        author=author,
        text=value["text"],
        created_at=value["createdAt"],
        parent=post.parent,
        root=post.root.uri,
        quoted=contents.quoted_uri(value),
        liked_by=known([edge.did for edge in index.likes.of(post.uri)]),
        reposted_by=known([edge.did for edge in index.reposts.of(post.uri)]),
        record=value,
    )


def take_thread(index: Index, accounts: Accounts, post: Post) -> ThreadSnapshot:
    """A post and all that answers it."""
    replies = [take_thread(index, accounts, reply) for reply in index.replies(post.uri)]
    return ThreadSnapshot(take_post(index, accounts, post), tuple(reversed(replies)))

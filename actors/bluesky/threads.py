"""Threads, as ``app.bsky.feed.getPostThread`` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actors.messages import Json
from actors.translation.inbound_views import Raw, Sender, View, find_view


@dataclass(frozen=True, slots=True)
class Node:
    """One post of a thread (``app.bsky.feed.defs#postView``), and the address of its parent."""

    uri: str
    view: Raw
    parent_uri: str | None


class _ThreadPost(View):
    """``app.bsky.feed.defs#threadViewPost``.

    What stands for posts that were deleted or are hidden by a block (``#notFoundPost``,
    ``#blockedPost``) has no post.
    """

    post: Raw
    parent: object = None
    replies: object = None


def find_author(view: Json) -> str | None:
    """The DID of who wrote an ``app.bsky.feed.defs#postView``, if it says so."""
    author = find_view(Sender, view.get("author"))
    return None if author is None else author.did


def list_ancestors(thread: object) -> list[Node]:
    """The ancestors that are shown above the post of a thread, the nearest first."""
    ancestors: list[Node] = []
    shown = find_view(_ThreadPost, thread)
    while shown is not None:
        shown = find_view(_ThreadPost, shown.parent)
        if shown is not None:
            ancestors += _make_node(shown, None)
    return ancestors


def walk(thread: object) -> Iterator[Node]:
    """The post of a thread and all that is shown below it; each comes after its parent."""
    waiting: list[tuple[object, str | None]] = [(thread, None)]
    while waiting:
        value, parent_uri = waiting.pop()
        shown = find_view(_ThreadPost, value)
        if shown is None:
            continue
        own_uri = parent_uri
        for node in _make_node(shown, parent_uri):
            own_uri = node.uri
            yield node
        replies = shown.replies if isinstance(shown.replies, list) else []
        waiting += [(reply, own_uri) for reply in replies]


def _make_node(shown: _ThreadPost, parent_uri: str | None) -> list[Node]:
    uri = shown.post.get("uri")
    return [Node(uri, shown.post, parent_uri)] if isinstance(uri, str) else []

"""Threads, as ``app.bsky.feed.getPostThread`` shows them."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import authority
from sandbox.bluesky.index import Post
from sandbox.bluesky.views import Views

_KIND = "app.bsky.feed.defs#threadViewPost"


def thread(views: Views, uri: str, *, depth: int, parent_height: int) -> dict[str, Any]:
    """The post with its ancestors and replies; blocked and missing ones as place-holders.

    Raises:
        XrpcError: 400 ``NotFound``, the post itself is not there.
    """
    post = views.index.post(uri)
    if post is None:
        raise invalid_request(f"Post not found: {uri}", "NotFound")
    if views.blocked(post.author):
        return views.blocked_post(uri, post.author)
    view = _thread_view(views, post)
    if (parent := _parent(views, post, parent_height)) is not None:
        view["parent"] = parent
    if depth > 0:
        view["replies"] = _replies(views, post, depth)
    return view


def _thread_view(views: Views, post: Post) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if like := views.index.likes.uri(authority(post.root.uri), post.uri):
        context["rootAuthorLike"] = like
    return {"$type": _KIND, "post": views.post(post), "threadContext": context}


def _parent(views: Views, post: Post, height: int) -> dict[str, Any] | None:
    if height < 1 or post.parent is None:
        return None
    uri = post.parent
    parent = views.index.post(uri)
    if views.index.block_between(post.author, authority(uri)):
        return views.blocked_post(uri, authority(uri))
    if parent is None:
        return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
    if parent.root.uri != post.root.uri:
        return None  # it claims to be of another thread
    if views.blocked(parent.author):
        return views.blocked_post(uri, parent.author)
    view = _thread_view(views, parent)
    if (above := _parent(views, parent, height - 1)) is not None:
        view["parent"] = above
    return view


def _replies(views: Views, post: Post, depth: int) -> list[dict[str, Any]]:
    shown = []
    for reply in views.index.replies(post.uri):
        if reply.root.uri != post.root.uri or views.index.block_between(reply.author, post.author):
            continue
        if views.blocked(reply.author):
            shown.append(views.blocked_post(reply.uri, reply.author))
            continue
        view = _thread_view(views, reply)
        if depth > 1:
            view["replies"] = _replies(views, reply, depth - 1)
        shown.append(view)
    return shown

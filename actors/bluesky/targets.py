"""The post that an agent answers, likes or reposts: what a record about it must name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from actors import reasons
from actors.bluesky.calls import Calls, read_reference, until_answered
from actors.bluesky.people import find_block, read_viewer
from actors.bluesky.records_writer import find_record
from actors.bluesky.refusals import Refusal, explain_record
from actors.messages import AgentMessage, Json, PostReference, ThreadReference
from actors.store import Store
from actors.translation.notes import DELETED
from runtime.errors import Rejected

_POST_URI = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/(app\.bsky\.feed\.post)/([^/?#\s]+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A post, and what the account has to do with it.

    ``viewer`` is ``app.bsky.feed.defs#viewerState``: our like and repost of it, and what its
    author does not allow.
    """

    reference: ThreadReference
    viewer: Json = field(default_factory=dict)


async def find_target(calls: Calls, store: Store, message: AgentMessage) -> Target:
    """Look at the post (``app.bsky.feed.getPosts``) as it is now.

    It is looked at even when it is remembered: the server takes a reply to a post that was
    deleted, or whose author blocks the account, and nobody ever sees it. A post of our own may
    be too young to be shown; then what is remembered of it is used, if our repository has it.

    Raises:
        Refusal: there is no such post, or nothing that the account writes about it is shown.
        Retryable, AuthRejected, Malformed: as the client says. Nothing was written.
    """
    uri, author_did, key = _read_uri(message)
    try:
        answer = await calls.query("app.bsky.feed.getPosts", {"uris": [uri]})
    except Rejected as error:
        raise explain_record(error) from error
    posts = answer.get("posts")
    if isinstance(posts, list) and posts:
        return _read_view(posts[0], author_did)
    deleted = reasons.ROOT_DELETED if uri == message.root_uri else reasons.POST_DELETED
    if author_did == await calls.did():
        remembered = await until_answered(calls.context, lambda: store.find_reference(uri))
        if remembered is None or await find_record(calls, *key) is None:
            raise Refusal(deleted)
        return Target(remembered)
    viewer = await read_viewer(calls, author_did)
    if viewer is None:
        raise Refusal(reasons.ACCOUNT_GONE)
    raise Refusal(find_block(viewer) or deleted)


def _read_uri(message: AgentMessage) -> tuple[str, str, tuple[str, str]]:
    """The post's uri, its author, and its collection and record key."""
    uri = (message.reply_to_uri or message.root_uri or "").removesuffix(DELETED)
    if not uri:
        raise Refusal(reasons.NO_TARGET)
    match = _POST_URI.fullmatch(uri)
    if match is None:
        raise Refusal(reasons.NO_POST)
    return uri, match[1], (match[2], match[3])


def _read_view(view: object, author_did: str) -> Target:
    if not isinstance(view, dict):
        raise Refusal(reasons.POST_DAMAGED)
    block = find_block(_mapping(_mapping(view, "author"), "viewer"))
    if block is not None:
        raise Refusal(block)
    post = read_reference(view)
    reference = ThreadReference(post, _read_root(view, post), author_did)
    return Target(reference, _mapping(view, "viewer"))


def _read_root(view: Json, post: PostReference) -> PostReference:
    """The root that a post's record names (``app.bsky.feed.post#replyRef``), or the post itself."""
    reply = _mapping(_mapping(view, "record"), "reply")
    if not reply:
        return post
    root = _mapping(reply, "root")
    uri, cid = root.get("uri"), root.get("cid")
    if not isinstance(uri, str) or not isinstance(cid, str):
        raise Refusal(reasons.POST_DAMAGED)
    return PostReference(uri, cid)


def _mapping(value: object, name: str) -> Json:
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, dict) else {}

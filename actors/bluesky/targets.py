"""The post that an agent answers, likes or reposts: what a record about it must name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actors.bluesky.calls import Calls, read_reference, until_answered
from actors.bluesky.refusals import Refusal, explain_record
from actors.messages import AgentMessage, Json, PostReference, ThreadReference
from actors.store import Store
from actors.translation.notes import DELETED
from runtime.errors import Rejected

_POST_URI = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/app\.bsky\.feed\.post/[^/?#\s]+")


@dataclass(frozen=True, slots=True)
class Target:
    """A post, and what the account has to do with it.

    ``done`` names the collections (like, repost) in which it has a record about the post already.
    """

    reference: ThreadReference
    replies_locked: bool = False
    done: frozenset[str] = frozenset()


async def find_target(calls: Calls, store: Store, message: AgentMessage) -> Target:
    """Look at the post (``app.bsky.feed.getPosts``) as it is now.

    It is looked at even when it is remembered: the server takes a reply to a post that was
    deleted, or whose author blocks the account, and nobody ever sees it. A post of our own may
    be too young to be shown; then what is remembered of it is used.

    Raises:
        Refusal: there is no such post, or nothing that the account writes about it is shown.
        Retryable, AuthRejected, Malformed: as the client says. Nothing was written.
    """
    uri, author_did = _read_uri(message)
    try:
        answer = await calls.query("app.bsky.feed.getPosts", {"uris": [uri]})
    except Rejected as error:
        raise explain_record(error) from error
    posts = answer.get("posts")
    if isinstance(posts, list) and posts:
        return _read_view(posts[0], author_did)
    own_did = await calls.did()
    if author_did == own_did:
        remembered = await until_answered(calls.context, lambda: store.find_reference(uri))
        if remembered is not None:
            return Target(remembered)
        raise Refusal("InvalidDestination", "The post was deleted.")
    raise await _why_not_shown(calls, author_did)


def _read_uri(message: AgentMessage) -> tuple[str, str]:
    uri = (message.reply_to_uri or message.root_uri or "").removesuffix(DELETED)
    if not uri:
        raise Refusal(
            "InvalidDestination", "Genesys did not say which post this belongs to. Send it again."
        )
    match = _POST_URI.fullmatch(uri)
    if match is None:
        raise Refusal("InvalidDestination", "What this answers is no post on Bluesky.")
    return uri, match[1]


def _read_view(view: object, author_did: str) -> Target:
    if not isinstance(view, dict):
        raise Refusal("InvalidDestination", "The post cannot be read.")
    _refuse_blocked(_mapping(_mapping(view, "author"), "viewer"))
    viewer = _mapping(view, "viewer")
    post = read_reference(view)
    return Target(
        reference=ThreadReference(post, _read_root(view, post), author_did),
        replies_locked=viewer.get("replyDisabled") is True,
        done=frozenset(f"app.bsky.feed.{one}" for one in ("like", "repost") if viewer.get(one)),
    )


def _read_root(view: Json, post: PostReference) -> PostReference:
    """The root that a post's record names (``app.bsky.feed.post#replyRef``), or the post itself."""
    reply = _mapping(_mapping(view, "record"), "reply")
    if not reply:
        return post
    root = _mapping(reply, "root")
    uri, cid = root.get("uri"), root.get("cid")
    if not isinstance(uri, str) or not isinstance(cid, str):
        raise Refusal("InvalidDestination", "The post is damaged: its thread cannot be found.")
    return PostReference(uri, cid)


async def _why_not_shown(calls: Calls, author_did: str) -> Refusal:
    """Why ``getPosts`` leaves a post out: deleted, its author gone, or a block either way.

    ``getProfiles`` leaves out an account that is gone. (``getProfile`` would answer with
    ``AccountTakedown``, as a server does that speaks of our own account.)
    """
    answer = await calls.query("app.bsky.actor.getProfiles", {"actors": [author_did]})
    profiles = answer.get("profiles")
    if not isinstance(profiles, list) or not profiles:
        return Refusal(
            "InvalidDestination", "The account that wrote the post is deleted or suspended."
        )
    try:
        _refuse_blocked(_mapping(profiles[0], "viewer"))
    except Refusal as refusal:
        return refusal
    return Refusal("InvalidDestination", "The post was deleted.")


def _refuse_blocked(viewer: Json) -> None:
    """``app.bsky.actor.defs#viewerState``."""
    if viewer.get("blockedBy"):
        raise Refusal(
            "MessageNotAllowed", "This person has blocked the company's account on Bluesky."
        )
    if viewer.get("blocking") or viewer.get("blockingByList"):
        raise Refusal(
            "MessageNotAllowed", "The company's account has blocked this person on Bluesky."
        )


def _mapping(value: object, name: str) -> Json:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}

"""Who may reply in a thread (``app.bsky.feed.threadgate``)."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.bluesky import contents
from sandbox.bluesky.identifiers import Json, parse_at_uri
from sandbox.bluesky.repository import Record

Follows = Callable[[str, str], bool]
"""Whether one account follows another."""


def is_gate_of_own_post(record: Record) -> bool:
    """A gate counts only if its post is of the same repository and has the same key."""
    try:
        post = parse_at_uri(record.value["post"])
    except ValueError:
        return False
    return (post.did, post.record_key) == (record.uri.did, record.uri.record_key)


def may_reply(gate: Json, root: Json | None, replier: str, owner: str, follows: Follows) -> bool:
    """Whether an account may reply. Lists, which this network does not have, let nobody in."""
    allow = gate.get("allow")
    if replier == owner or allow is None:
        return True
    rules = {rule["$type"].partition("#")[2] for rule in allow}
    mentioned = contents.mentioned_dids(root) if root is not None else []
    return (
        ("mentionRule" in rules and replier in mentioned)
        or ("followerRule" in rules and follows(replier, owner))
        or ("followingRule" in rules and follows(owner, replier))
    )

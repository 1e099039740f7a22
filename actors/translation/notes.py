"""Short notes in a conversation about what happened to its messages."""

from __future__ import annotations

from actors.messages import (
    Author,
    InboundDirectMessage,
    InboundPost,
    KnownPost,
    PostReference,
)
from actors.translation.links import make_link, make_profile_link
from runtime.clock import format_time

DELETED = "#deleted"
"""What the id of a note has after the id of what was deleted."""


def make_post_note(post: KnownPost, now_s: float) -> InboundPost:
    """The note that a post was deleted, as an answer to it by its author.

    Its address is no post's: whoever answers it answers the deleted one.

    Args:
        now_s: unix time in seconds.
    """
    return InboundPost(
        post=PostReference(f"{post.uri}{DELETED}", ""),
        root=PostReference(post.root_uri, ""),
        parent_uri=post.uri,
        author=post.author,
        text="(This post was deleted on Bluesky.)",
        created_at=format_time(now_s),
        url=make_link(post.uri, post.author.handle),
        reason="deletion",
        metadata={
            "deleted": post.uri,
            "profileUrl": make_profile_link(post.author.did, post.author.handle),
        },
    )


def make_message_note(
    message_id: str, convo_id: str, author: Author, now_s: float
) -> InboundDirectMessage:
    """The note that a direct message was deleted, as one by its author.

    Args:
        now_s: unix time in seconds.
    """
    return InboundDirectMessage(
        message_id=f"{message_id}{DELETED}",
        convo_id=convo_id,
        author=author,
        text="(A message was deleted on Bluesky.)",
        sent_at=format_time(now_s),
        metadata={
            "deleted": message_id,
            "profileUrl": make_profile_link(author.did, author.handle),
        },
    )

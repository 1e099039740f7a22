"""What goes to Genesys Cloud as messages and receipts: the bodies of the requests.

Only fields that the Swagger lets be written are here, and an empty text is left absent: Genesys
refuses empty ones in places.
"""

from __future__ import annotations

from typing import Any

from actors.messages import (
    Attachment,
    Author,
    InboundDirectMessage,
    InboundPost,
    ReactionCounts,
    Receipt,
)
from runtime.clock import format_time, parse_time
from runtime.errors import Malformed

NO_TEXT = "(a message without text)"
"""Stands in a direct message that has neither text nor attachment, so that it is not empty."""

_UNKNOWN_MIME = "application/octet-stream"


def make_public_message(post: InboundPost) -> dict[str, Any]:
    """A post as ``OpenSocialMediaNormalizedMessage``.

    Its ``messageId`` is the post's URI, the same at every attempt. A post with nothing in it but
    what only Bluesky can show is given its address as text.

    Raises:
        Malformed: the post's time is no time.
    """
    metadata = _drop_empty(
        rootId=post.root.uri,
        replyToId=post.parent_uri,
        url=post.url,
        mentionIds=_choose_mention(post),
    )
    channel = {
        "messageId": post.post.uri,
        "from": _make_sender(post.author) | _drop_empty(image=post.author.avatar),
        "time": _normalise_time(post.created_at),
        "publicMetadata": metadata,
    }
    content = [
        {"contentType": "Attachment", "attachment": _make_attachment(attachment)}
        for attachment in post.attachments
    ]
    text = post.text if post.text.strip() or content else post.url
    marks = {
        "context": "true" if post.reason == "context" else "",
        "author_is_us": "true" if post.own else "",
    }
    named = {"reason": post.reason, **post.metadata, **marks}
    return _drop_empty(
        channel=channel,
        text=text if text.strip() else None,
        content=content,
        metadata=_drop_empty(**named),
    )


def make_reactions(counts: ReactionCounts) -> dict[str, Any]:
    """Counts as ``OpenSocialMediaReactionsNormalizedEvent``.

    The enum of ``ContentReaction`` has no repost and no quote; both share a post, and are summed.

    Raises:
        Malformed: the time is no time.
    """
    reactions = [
        {"reactionType": "Like", "count": counts.likes},
        {"reactionType": "Share", "count": counts.reposts + counts.quotes},
    ]
    return {
        "channel": {
            "messageId": counts.post_uri,
            "time": _normalise_time(counts.counted_at),
        },
        "events": [{"reactions": reactions}],
    }


def make_private_message(message: InboundDirectMessage) -> dict[str, Any]:
    """A direct message as ``OpenInboundNormalizedMessage``.

    Here an attachment must have a ``mime``, and a sender may have no image.

    Raises:
        Malformed: the message's time is no time.
    """
    channel = {
        "from": _make_sender(message.author),
        "time": _normalise_time(message.sent_at),
        "messageId": message.message_id,
    }
    content = [
        {"attachment": {"mime": _UNKNOWN_MIME} | _make_attachment(attachment)}
        for attachment in message.attachments
    ]
    text = message.text if message.text.strip() or content else NO_TEXT
    return _drop_empty(
        channel=channel,
        text=text if text.strip() else None,
        content=content,
        metadata=_drop_empty(**message.metadata),
    )


def make_receipt(receipt: Receipt, now: float) -> dict[str, Any]:
    """A receipt as ``OpenInboundNormalizedReceipt``, the last one for its message.

    Args:
        now: unix time in seconds.
    """
    body: dict[str, Any] = {
        "id": receipt.message_id,
        "channel": {"to": {"id": receipt.recipient_did}, "time": format_time(now)},
        "status": receipt.status,
        "isFinalReceipt": True,
    }
    if receipt.status == "Failed":
        sentence = receipt.sentence or "The message could not be sent to Bluesky."
        body["reasons"] = [{"code": receipt.code or "GeneralError", "message": sentence}]
    return body


def _make_sender(author: Author) -> dict[str, Any]:
    return _drop_empty(
        id=author.did,
        idType="Opaque",
        nickname=author.handle,
        firstName=(author.display_name or "").strip(),
    )


def _make_attachment(attachment: Attachment) -> dict[str, Any]:
    return _drop_empty(
        mediaType=attachment.media_type,
        url=attachment.url,
        mime=attachment.mime,
        text=(attachment.text or "").strip(),
        filename=attachment.filename,
    )


def _choose_mention(post: InboundPost) -> list[str]:
    """``mentionIds`` takes one: the first that is not the author, who may mention themselves."""
    others = [did for did in post.mentioned_dids if did != post.author.did]
    return (others or list(post.mentioned_dids))[:1]


def _normalise_time(text: str) -> str:
    """``yyyy-MM-ddTHH:mm:ss.mmmZ``, the one form that the Swagger knows."""
    try:
        return format_time(parse_time(text))
    except (ValueError, OverflowError, OSError) as error:
        raise Malformed(f"{text!r} is no time: {error}") from error


def _drop_empty(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}

"""Dead letters for what a poller cannot read."""

from __future__ import annotations

import hashlib
import json
from typing import get_args

from actors.items import make_post_id
from actors.messages import DeadLetter, InboundPost, InboundReason
from actors.translation.inbound import translate_post
from runtime.errors import Fault, Malformed, Rejected


def make_letter(
    source: str, value: object, error: Fault, *, letter_id: str | None = None
) -> DeadLetter:
    """Keep ``value`` for a person to look at.

    Args:
        source: the poller's name.
        value: JSON, as it came.
        error: why it cannot be carried.
        letter_id: what the same thing has at every sight of it; by default made of all its JSON.
    """
    # ASCII only: what is broken may hold text that no store can encode.
    payload = json.dumps(value, sort_keys=True)
    return DeadLetter(
        letter_id=letter_id
        or f"letter:{source}:{hashlib.sha256(payload.encode()).hexdigest()[:32]}",
        source=source,
        code=error.code if isinstance(error, Rejected) else type(error).__name__,
        why=str(error),
        payload=payload,
    )


def make_post_letter(
    source: str, view: object, reason: InboundReason, error: Fault, *, uri: str | None = None
) -> DeadLetter:
    """Keep an ``app.bsky.feed.defs#postView``, and why it is of interest.

    Args:
        uri: of a post that is listed properly. Then the letter has the id of its item: who keeps
            it has taken the post, and no other poller carries it or keeps it once more.
    """
    value = {"reason": reason, "post": view}
    return make_letter(source, value, error, letter_id=make_post_id(uri) if uri else None)


def read_post_letter(payload: str) -> InboundPost:
    """Read what :func:`make_post_letter` kept, as this release translates it.

    Raises:
        Malformed: it still cannot be read, or is not the post itself.
    """
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise Malformed("it is no JSON") from error
    if not isinstance(value, dict) or "post" not in value:
        raise Malformed("it is not the post itself, which only Bluesky has")
    reasons: tuple[InboundReason, ...] = get_args(InboundReason)
    reason = next((one for one in reasons if one == value.get("reason")), None)
    if reason is None:
        raise Malformed("it does not say why the post is of interest")
    return translate_post(value["post"], reason)

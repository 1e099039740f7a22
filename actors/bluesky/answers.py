"""Reading what the pollers' queries answer."""

from __future__ import annotations

from actors.bluesky.letters import make_post_letter
from actors.messages import DeadLetter, InboundPost, InboundReason, Json
from actors.translation.inbound import translate_post
from actors.translation.inbound_views import ProfileView
from runtime.errors import Malformed


def read_list(answer: Json, key: str) -> list[object]:
    """The list that an answer promises under ``key``.

    Raises:
        Malformed: there is none.
    """
    values = answer.get(key)
    if not isinstance(values, list):
        raise Malformed(f"the answer has no list of {key}")
    return values


def read_cursor(answer: Json) -> str | None:
    """The cursor of an answer; an empty one is none."""
    cursor = answer.get("cursor")
    return cursor if isinstance(cursor, str) and cursor else None


def read_post(
    view: object,
    uri: str,
    reason: InboundReason,
    source: str,
    account: ProfileView | None = None,
) -> InboundPost | DeadLetter:
    """The post of an ``app.bsky.feed.defs#postView``, or the dead letter that it is.

    ``account`` is the author's ``app.bsky.actor.defs#profileViewDetailed``, if it is known.
    """
    try:
        return translate_post(view, reason, account)
    except Malformed as error:
        return make_post_letter(source, view, reason, error, uri=uri)

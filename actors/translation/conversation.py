"""What Genesys Cloud tells of a conversation to those who ask, read for what may not have come in.

The shapes are ``MessageConversation``, which lists messages without their text, and
``MessageData``, which is one message. Their fields are nearly all optional: what is not there is
unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actors.messages import Json
from actors.translation.times import find_time
from runtime.errors import Malformed

_CONCLUDED = frozenset(
    {"received", "delivery-success", "delivery-failed", "read", "published", "removed"}
)
"""The statuses of messages that are not to be carried any more. ``received`` is a customer's. What
no webhook was taken for is ``queued``, ``sent`` or ``failed``."""

_ON_ITS_WAY = "Sent"
"""The one status of a receipt that does not say how the message ended."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message of a conversation that has no outcome yet (``MessageDetails``).

    ``sent_at`` is in unix seconds, ``visibility`` is ``public`` or ``private``; both only if said.
    """

    message_id: str
    sent_at: float | None
    visibility: str | None


def list_pending(conversation: Json) -> list[PendingMessage]:
    """The messages of a ``MessageConversation`` that may be an agent's and have no outcome.

    The direction of a participant does not tell who wrote: an agent in a conversation that a
    customer began is ``inbound``, too. So only the message itself can.

    Raises:
        Malformed: it lists no participants.
    """
    if not isinstance(conversation.get("participants"), list):
        raise Malformed("the conversation lists no participants")
    pending: dict[str, PendingMessage] = {}
    for message in _list_messages(conversation):
        message_id = _find_text(message, "messageId")
        if message_id is not None and _find_text(message, "messageStatus") not in _CONCLUDED:
            sent_at = find_time(message.get("messageTime"))
            visibility = _find_text(message, "socialVisibility")
            pending[message_id] = PendingMessage(message_id, sent_at, visibility)
    return list(pending.values())


def is_concluded(message: Json) -> bool:
    """Whether a ``MessageData`` is a customer's, or has an outcome: a status or a final receipt."""
    if _find_text(message, "direction") == "inbound":
        return True
    receipts = message.get("normalizedReceipts")
    return _find_text(message, "status") in _CONCLUDED or any(
        isinstance(receipt, Mapping)
        and receipt.get("isFinalReceipt") is not False
        and receipt.get("status") != _ON_ITS_WAY
        for receipt in (receipts if isinstance(receipts, list) else ())
    )


def make_webhook_body(message: Json, conversation_id: str, visibility: str | None) -> bytes:
    """The body of the webhook that was to bring this ``MessageData``, to be read as any other.

    What is not there is left out, and found wanting by who reads it.

    Args:
        conversation_id: of the conversation that lists it. In a webhook it is named in the message,
            and here beside it.
        visibility: as the conversation says, for a message that does not say it itself.
    """
    normalized = message.get("normalizedMessage")
    body: dict[str, Any] = dict(normalized) if isinstance(normalized, Mapping) else {}
    body["id"] = _find_text(body, "id") or message.get("id")
    body["conversationId"] = conversation_id
    channel = body.get("channel")
    if isinstance(channel, Mapping) and visibility is not None:
        body["channel"] = {**channel, "type": channel.get("type") or visibility.capitalize()}
    return json.dumps(body).encode()


def _list_messages(conversation: Json) -> Iterator[Json]:
    for participant in conversation["participants"]:
        messages = participant.get("messages") if isinstance(participant, Mapping) else None
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, Mapping):
                yield message


def _find_text(message: Json, name: str) -> str | None:
    text = message.get(name)
    return text if isinstance(text, str) and text else None

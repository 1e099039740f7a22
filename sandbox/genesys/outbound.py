"""What the platform sends to an integration's webhook, in the shape in which it sends it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sandbox.genesys.conversations import (
    Attachment,
    Conversation,
    InboundMessage,
    OutboundMessage,
    Visibility,
)
from sandbox.genesys.resources import Integration
from sandbox.genesys.wire import Json, timestamp

SIGNATURE_HEADER = "X-Hub-Signature-256"
TYPING_MS = 5_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An agent's answer to a customer's message, with one attachment at most."""

    conversation: Conversation
    answered: InboundMessage
    visibility: Visibility
    text: str
    attachment: Attachment | None

    @property
    def reply_to_id(self) -> str | None:
        """The post that a public answer is under."""
        return self.answered.provider_message_id if self.visibility == "public" else None


def sign(secret: str, body: bytes) -> str:
    """The signature of a webhook: base64, not hexadecimal, of HMAC-SHA256 over the raw body."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return f"sha256={base64.b64encode(digest).decode()}"


def compose_reply(
    reply: Reply, integration: Integration, message_id: str, now: datetime
) -> OutboundMessage:
    """An agent's answer, ready to be sent."""
    recipient_id = reply.answered.sender_id
    return OutboundMessage(
        message_id=message_id,
        conversation_id=reply.conversation.conversation_id,
        integration_id=integration.integration_id,
        visibility=reply.visibility,
        recipient_id=recipient_id,
        text=reply.text,
        sent_at=now,
        body=_reply_body(reply, _channel(integration, recipient_id, message_id, now)),
        attachments=() if reply.attachment is None else (reply.attachment,),
        reply_to_id=reply.reply_to_id,
    )


def compose_typing(
    conversation: Conversation,
    recipient_id: str,
    integration: Integration,
    message_id: str,
    now: datetime,
) -> OutboundMessage:
    """An agent began to type. On the wire such an event names no conversation."""
    typing = {"eventType": "Typing", "typing": {"type": "On", "duration": TYPING_MS}}
    body: Json = {
        "id": message_id,
        "channel": _channel(integration, recipient_id, message_id, now),
        "type": "Event",
        "events": [typing],
        "direction": "Outbound",
    }
    return OutboundMessage(
        message_id=message_id,
        conversation_id=conversation.conversation_id,
        integration_id=integration.integration_id,
        visibility="private",
        recipient_id=recipient_id,
        text="",
        sent_at=now,
        body=body,
    )


def compose_raw(
    body: Json, integration: Integration, message_id: str, now: datetime
) -> OutboundMessage:
    """Any body at all. What it says of itself is taken over as far as it can be understood."""
    channel = body.get("channel", {})
    return OutboundMessage(
        message_id=str(body.get("id", message_id)),
        conversation_id=body.get("conversationId"),
        integration_id=integration.integration_id,
        visibility="public" if channel.get("type") == "Public" else "private",
        recipient_id=channel.get("to", {}).get("id", ""),
        text=body.get("text", ""),
        sent_at=now,
        body=body,
    )


def _reply_body(reply: Reply, channel: Json) -> Json:
    channel["to"]["idType"] = "Opaque"
    if reply.visibility == "public":
        root_id = reply.conversation.key
        channel["publicMetadata"] = {"rootId": root_id, "replyToId": reply.reply_to_id}
    body: Json = {
        "id": channel["messageId"],
        "channel": {**channel, "type": reply.visibility.capitalize()},
        "type": "Text",
        "text": reply.text,
    }
    if reply.attachment is not None:
        attachment = reply.attachment.as_json()
        body["content"] = [{"contentType": "Attachment", "attachment": attachment}]
    return body | {
        "originatingEntity": "Human",
        "direction": "Outbound",
        "conversationId": reply.conversation.conversation_id,
    }


def _channel(integration: Integration, recipient_id: str, message_id: str, now: datetime) -> Json:
    integration_id = integration.integration_id
    return {
        "id": integration_id,
        "platform": "Open",
        "type": "Private",
        "to": {"id": recipient_id},
        "from": {"nickname": integration.name, "id": integration_id, "idType": "Opaque"},
        "time": timestamp(now),
        "messageId": message_id,
    }

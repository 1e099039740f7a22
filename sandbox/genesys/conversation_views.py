"""Conversations and messages as the platform shows them to those who ask."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sandbox.genesys.conversations import (
    Conversation,
    InboundMessage,
    Message,
    OutboundMessage,
    Receipt,
)
from sandbox.genesys.wire import Json, timestamp


def conversation_json(conversation: Conversation, division_id: str) -> Json:
    """``MessageConversation``: each customer is a participant, and all agents are one."""
    by_customer: dict[str, list[InboundMessage]] = {}
    for message in conversation.inbound:
        by_customer.setdefault(message.sender_id, []).append(message)
    participants = [
        _participant("customer", "inbound", messages) | _customer(messages[-1])
        for messages in by_customer.values()
    ]
    if conversation.outbound:
        participants.append(_participant("agent", "outbound", conversation.outbound))
    return {
        "id": conversation.conversation_id,
        "participants": participants,
        "divisions": [{"division": {"id": division_id}, "entities": []}],
        "selfUri": f"/api/v2/conversations/messages/{conversation.conversation_id}",
    }


def details_json(message: Message) -> Json:
    """``MessageData``, with the message and its receipts in normalized form."""
    common: Json = {
        "id": message.message_id,
        "messengerType": "open",
        "textBody": message.text,
        "status": message_status(message),
        "selfUri": _uri(message),
        "timestamp": timestamp(_received_or_sent_at(message)),
    }
    if message.conversation_id is not None:
        common["conversationId"] = message.conversation_id
    match message:
        case InboundMessage():
            return common | {
                "direction": "inbound",
                "providerMessageId": message.provider_message_id,
                "fromAddress": message.sender_id,
                "normalizedMessage": _normalized_inbound(message),
            }
        case OutboundMessage():
            return common | {
                "direction": "outbound",
                "providerMessageId": message.message_id,
                "fromAddress": message.integration_id,
                "toAddress": message.recipient_id,
                "normalizedMessage": _normalized_outbound(message),
                "normalizedReceipts": [_receipt_json(receipt) for receipt in message.receipts],
            }


def message_status(message: Message) -> str:
    """``MessageData.status``: of an agent's message, as far as the platform knows."""
    if isinstance(message, InboundMessage):
        return "received"
    if message.receipt is not None:
        return "delivery-success" if message.receipt.status == "Delivered" else "delivery-failed"
    return {"waiting": "queued", "delivered": "sent", "failed": "failed"}[message.status]


def _participant(purpose: str, direction: str, messages: Iterable[Message]) -> Json:
    return {
        "purpose": purpose,
        "direction": direction,
        "state": "connected",
        "type": "open",
        "messages": [_message_json(message) for message in messages],
    }


def _customer(message: InboundMessage) -> Json:
    sender = message.sender
    name = sender.get("firstName") or sender.get("nickname") or message.sender_id
    return {"name": name, "address": message.sender_id}


def _message_json(message: Message) -> Json:
    body: Json = {
        "messageId": message.message_id,
        "messageURI": _uri(message),
        "messageStatus": message_status(message),
        "messageTime": timestamp(_received_or_sent_at(message)),
        "socialVisibility": message.visibility,
    }
    receipt = message.receipt if isinstance(message, OutboundMessage) else None
    if receipt is not None and receipt.status == "Failed":
        code, sentence = receipt.reasons[0] if receipt.reasons else (None, "")
        body["errorInfo"] = {"code": code or "GeneralError", "message": sentence}
    return body


def _normalized_inbound(message: InboundMessage) -> Json:
    public = message.visibility == "public"
    channel: Json = {
        "platform": "Open",
        "type": "Public" if public else "Private",
        "messageId": message.provider_message_id,
        "from": dict(message.sender),
        "time": message.time,
    }
    if public:
        metadata = message.body["channel"]["publicMetadata"]
        shown = ("rootId", "replyToId", "url")
        channel["publicMetadata"] = {name: metadata[name] for name in shown if name in metadata}
    return {
        "id": message.message_id,
        "channel": channel,
        "type": "Text",
        "text": message.text,
        "content": [
            {"contentType": "Attachment", "attachment": attachment}
            for attachment in message.attachments
        ],
        "metadata": message.body.get("metadata", {}),
        "direction": "Inbound",
    }


def _normalized_outbound(message: OutboundMessage) -> Json:
    # The conversation is named beside the normalized message and not in it.
    return {name: value for name, value in message.body.items() if name != "conversationId"}


def _receipt_json(receipt: Receipt) -> Json:
    reasons = [
        {"message": sentence} if code is None else {"code": code, "message": sentence}
        for code, sentence in receipt.reasons
    ]
    return {
        "id": receipt.message_id,
        "type": "Receipt",
        "status": receipt.status,
        "isFinalReceipt": receipt.final,
        "reasons": reasons,
        "direction": "Outbound",
    }


def _uri(message: Message) -> str:
    return f"/api/v2/conversations/messages/{message.message_id}/details"


def _received_or_sent_at(message: Message) -> datetime:
    return message.received_at if isinstance(message, InboundMessage) else message.sent_at

"""The conversations of a Genesys Cloud for unit tests, as it tells of them to those who ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from runtime.clock import format_time

CUSTOMER = "did:plc:alice"
POST = f"at://{CUSTOMER}/app.bsky.feed.post/1"

_PATH = re.compile(r"/api/v2/conversations/messages/([^/]+)(/details|/messages/bulk)?")


@dataclass
class Written:
    """A message of a conversation, as the platform knows it. Change it at will.

    ``sent_at`` is in unix seconds; ``normalized`` replaces parts of the normalized message.
    """

    message_id: str
    conversation_id: str | None
    sent_at: float
    text: str = "Hi, how can I help?"
    public: bool = False
    status: str = "failed"
    direction: str = "outbound"
    receipts: list[dict[str, Any]] = field(default_factory=list)
    normalized: dict[str, Any] = field(default_factory=dict)

    def as_details(self) -> dict[str, Any]:
        """``MessageDetails``."""
        return {
            "messageId": self.message_id,
            "messageStatus": self.status,
            "messageTime": format_time(self.sent_at),
            "socialVisibility": "public" if self.public else "private",
        }

    def as_data(self) -> dict[str, Any]:
        """``MessageData``."""
        body: dict[str, Any] = {
            "id": self.message_id,
            "direction": self.direction,
            "messengerType": "open",
            "status": self.status,
            "textBody": self.text,
            "timestamp": format_time(self.sent_at),
            "normalizedMessage": self._normalize(),
            "normalizedReceipts": self.receipts,
        }
        if self.conversation_id is not None:
            body["conversationId"] = self.conversation_id
        return body

    def _normalize(self) -> dict[str, Any]:
        channel: dict[str, Any] = {
            "id": "integration-1",
            "platform": "Open",
            "type": "Public" if self.public else "Private",
            "to": {"id": CUSTOMER, "idType": "Opaque"},
            "from": {"id": "integration-1", "idType": "Opaque"},
            "time": format_time(self.sent_at),
            "messageId": self.message_id,
        }
        if self.public:
            channel["publicMetadata"] = {"rootId": POST, "replyToId": POST}
        return {
            "id": self.message_id,
            "channel": channel,
            "type": "Text",
            "text": self.text,
            "originatingEntity": "Human",
            "direction": self.direction.capitalize(),
        } | self.normalized


@dataclass
class FakeConversations:
    """All messages, and answers about them.

    Attributes:
        broken: conversation ids that are answered with these bodies instead.
        refused: conversation ids that are answered so instead.
    """

    messages: dict[str, Written] = field(default_factory=dict)
    broken: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, httpx.Response | Exception] = field(default_factory=dict)

    def add(self, message: Written) -> Written:
        """Have a message."""
        self.messages[message.message_id] = message
        return message

    def answer(self, path: str, body: list[str] | None) -> httpx.Response | None:
        """What is told; ``None`` if there is nothing of that name."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        name, place = match[1], match[2]
        if place == "/details":
            found = self.messages.get(name)
            return None if found is None else httpx.Response(200, json=found.as_data())
        if name in self.refused:
            refusal = self.refused[name]
            if isinstance(refusal, Exception):
                raise refusal
            return refusal
        if name in self.broken:
            return httpx.Response(200, json=self.broken[name])
        known = {one.message_id: one for one in self._of(name)}
        if not known:
            return None
        if place is None:
            return httpx.Response(200, json=_describe(name, list(known.values())))
        listed = [known[one].as_data() for one in reversed(body or []) if one in known]
        return httpx.Response(200, json={"entities": listed})

    def _of(self, conversation_id: str) -> list[Written]:
        return [one for one in self.messages.values() if one.conversation_id == conversation_id]


def _describe(conversation_id: str, messages: list[Written]) -> dict[str, Any]:
    """``MessageConversation``. All are ``inbound`` in one that a customer began."""
    participants = [
        {
            "purpose": purpose,
            "direction": "inbound",
            "state": "connected",
            "type": "open",
            "messages": [one.as_details() for one in messages if one.direction == direction],
        }
        for purpose, direction in (("agent", "outbound"), ("customer", "inbound"))
    ]
    return {"id": conversation_id, "participants": participants}

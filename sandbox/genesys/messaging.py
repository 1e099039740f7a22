"""What comes in from customers, and the receipts for what went out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sandbox.genesys.conversations import (
    Conversation,
    InboundMessage,
    Message,
    OutboundMessage,
    Receipt,
    Visibility,
)
from sandbox.genesys.errors import invalid, not_found
from sandbox.genesys.ids import Ids
from sandbox.genesys.message_models import InboundReceipt, PrivateMessage
from sandbox.genesys.social_models import SocialMessage
from sandbox.genesys.wire import Json


class Messaging:
    """All conversations of the organization.

    Public messages are kept by the root of their thread, private ones by the customer's id, so the
    same customer continues the same conversation. ``typing`` and ``reactions`` are the events that
    came, as they were sent.
    """

    def __init__(self, ids: Ids, now: Callable[[], datetime]) -> None:
        self.conversations: dict[str, Conversation] = {}
        self.ingested: list[InboundMessage] = []
        self.private_messages: list[InboundMessage] = []
        self.receipts: list[Receipt] = []
        self.typing: list[Json] = []
        self.reactions: list[Json] = []
        self._ids = ids
        self._now = now
        self._by_key: dict[tuple[Visibility, str], Conversation] = {}
        self._by_provider_id: dict[tuple[Visibility, str], InboundMessage] = {}
        self._by_id: dict[str, Message] = {}

    def find(self, visibility: Visibility, key: str) -> Conversation | None:
        """The conversation about a root message, or with a customer."""
        return self._by_key.get((visibility, key))

    def message(self, message_id: str) -> Message:
        """A message by its id.

        Raises:
            ApiError: 404.
        """
        found = self._by_id.get(message_id)
        if found is None:
            raise not_found()
        return found

    def ingest(
        self, messages: Sequence[SocialMessage], bodies: Sequence[Json]
    ) -> list[InboundMessage]:
        """Take in public messages; ``bodies`` are the same as they were sent."""
        accepted = [
            self._accept(
                "public",
                message.channel.public_metadata.root_id,
                message.channel.message_id,
                body,
            )
            for message, body in zip(messages, bodies, strict=True)
        ]
        self.ingested.extend(accepted)
        return accepted

    def receive(self, integration_id: str, message: PrivateMessage, body: Json) -> InboundMessage:
        """Take in a private message; ``body`` is the same as it was sent."""
        provider_id = message.channel.message_id or self._ids.message_id()
        accepted = self._accept("private", message.channel.sender.id, provider_id, body)
        self.conversations[accepted.conversation_id].integration_id = integration_id
        self.private_messages.append(accepted)
        return accepted

    def record_receipt(self, receipt: InboundReceipt) -> Receipt:
        """Keep a receipt. The first final one decides; later ones are kept and counted.

        Raises:
            ApiError: 404 for an unknown message, 400 for another recipient than the message's.
        """
        message = self._by_id.get(receipt.id)
        if not isinstance(message, OutboundMessage):
            raise not_found()
        if receipt.channel.recipient.id != message.recipient_id:
            raise invalid("channel.to.id is not the recipient of the message")
        recorded = Receipt(
            message_id=receipt.id,
            status=receipt.status,
            final=receipt.is_final_receipt,
            reasons=tuple((reason.code, reason.message) for reason in receipt.reasons or ()),
            received_at=self._now(),
            repeat=message.receipt is not None,
        )
        message.receipts.append(recorded)
        self.receipts.append(recorded)
        if recorded.final and message.receipt is None:
            message.receipt = recorded
        return recorded

    def add_outbound(self, message: OutboundMessage, conversation: Conversation | None) -> None:
        """Keep an agent's message, in its conversation if there is one."""
        self._by_id[message.message_id] = message
        if conversation is not None:
            conversation.messages.append(message)

    def _accept(
        self, visibility: Visibility, key: str, provider_id: str, body: Json
    ) -> InboundMessage:
        first = self._by_provider_id.get((visibility, provider_id))
        if first is not None:
            return replace(first, body=body, received_at=self._now(), repeat=True)
        conversation = self._conversation(visibility, key)
        channel = body["channel"]
        metadata = channel.get("publicMetadata", {})
        message = InboundMessage(
            message_id=self._ids.message_id(),
            conversation_id=conversation.conversation_id,
            visibility=visibility,
            provider_message_id=provider_id,
            sender=channel["from"],
            text=body.get("text", ""),
            time=channel["time"],
            received_at=self._now(),
            body=body,
            repeat=False,
            root_id=metadata.get("rootId"),
            reply_to_id=metadata.get("replyToId"),
        )
        self._by_provider_id[visibility, provider_id] = message
        self._by_id[message.message_id] = message
        conversation.messages.append(message)
        return message

    def _conversation(self, visibility: Visibility, key: str) -> Conversation:
        found = self._by_key.get((visibility, key))
        if found is None:
            found = Conversation(self._ids.uuid(), visibility, key, self._now())
            self._by_key[visibility, key] = found
            self.conversations[found.conversation_id] = found
        return found

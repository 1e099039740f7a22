"""Conversations, and the messages and receipts in them, as the organization keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from sandbox.genesys.wire import Json

Visibility: TypeAlias = Literal["public", "private"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an agent's message (``ConversationContentAttachment``)."""

    attachment_id: str
    media_type: Literal["Image", "Video", "Audio", "File", "Link"]
    url: str
    mime: str
    filename: str
    size: int
    text: str = ""

    def as_json(self) -> Json:
        """As it stands in a message."""
        described: Json = {"text": self.text} if self.text else {}
        return {
            "id": self.attachment_id,
            "mediaType": self.media_type,
            "url": self.url,
            "mime": self.mime,
            "filename": self.filename,
            "contentSizeBytes": self.size,
            **described,
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an agent's message, as it was told (``OpenInboundNormalizedReceipt``).

    ``repeat`` is true when the message had a final receipt before this one: it changed nothing.
    ``reasons`` are pairs of code (may be ``None``) and sentence.
    """

    message_id: str
    status: Literal["Delivered", "Failed"]
    final: bool
    reasons: tuple[tuple[str | None, str], ...]
    received_at: datetime
    repeat: bool


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A customer's message that was accepted.

    ``provider_message_id`` is its ``channel.messageId``. ``repeat`` is true when that was accepted
    before: the message was answered like the first time and is not in the conversation again.
    ``body`` is the message as it was sent.
    """

    message_id: str
    conversation_id: str
    visibility: Visibility
    provider_message_id: str
    sender: Mapping[str, str]
    text: str
    time: str
    received_at: datetime
    body: Json
    repeat: bool
    root_id: str | None = None
    reply_to_id: str | None = None

    @property
    def sender_id(self) -> str:
        """``channel.from.id``."""
        return self.sender["id"]

    @property
    def attachments(self) -> tuple[Json, ...]:
        """The attachments, as they were sent."""
        content = self.body.get("content", ())
        return tuple(element["attachment"] for element in content if "attachment" in element)


@dataclass(slots=True)
class OutboundMessage:
    """Something on its way to the webhook: an agent's message, or an event.

    ``status`` tells of the webhook: ``waiting``, ``delivered`` (answered 2xx) or ``failed`` (given
    up). ``attempts`` are the answers so far: a status, or the kind of error in words.
    ``receipt`` is the first final receipt; ``receipts`` are all of them.
    """

    message_id: str
    conversation_id: str | None
    integration_id: str
    visibility: Visibility
    recipient_id: str
    text: str
    sent_at: datetime
    body: Json
    attachments: tuple[Attachment, ...] = ()
    reply_to_id: str | None = None
    status: Literal["waiting", "delivered", "failed"] = "waiting"
    attempts: list[int | str] = field(default_factory=list)
    receipt: Receipt | None = None
    receipts: list[Receipt] = field(default_factory=list)


Message: TypeAlias = InboundMessage | OutboundMessage


@dataclass(slots=True)
class Conversation:
    """One interaction: a public thread by its root, or the private messages of one customer.

    ``key`` is the root's id or the customer's ``from.id``. The messages stand in the order in
    which they came; repeats are not among them. ``integration_id`` is the integration that a
    private conversation last came through, ``external_contact_id`` the contact that was tied to it.
    """

    conversation_id: str
    visibility: Visibility
    key: str
    started_at: datetime
    integration_id: str | None = None
    external_contact_id: str | None = None
    messages: list[Message] = field(default_factory=list)

    @property
    def inbound(self) -> tuple[InboundMessage, ...]:
        """The customers' messages."""
        return tuple(message for message in self.messages if isinstance(message, InboundMessage))

    @property
    def outbound(self) -> tuple[OutboundMessage, ...]:
        """The agents' messages."""
        return tuple(message for message in self.messages if isinstance(message, OutboundMessage))

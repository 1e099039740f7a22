"""What may be sent to the operations of open messaging.

Each class says which definition of the Swagger it stands for. Read-only properties are not
declared and so are refused like unknown ones.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from sandbox.genesys.checks import Body, MediaType, Text, Time

ReasonCode: TypeAlias = Literal[
    "MessageExpired",
    "RateLimited",
    "MessageNotAllowed",
    "GeneralError",
    "UnsupportedMessage",
    "UnknownMessage",
    "InvalidMessageStructure",
    "InvalidDestination",
    "ServerError",
    "MediaTypeNotAllowed",
    "InvalidMediaContentLength",
    "RecipientOptedOut",
    "DataFiltered",
]


class Sender(Body):
    """``OpenMessagingFromRecipient``."""

    id: Text
    id_type: Literal["Email", "Phone", "Opaque"]
    nickname: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None


class MessageChannel(Body):
    """``OpenInboundMessageMessagingChannel``."""

    sender: Annotated[Sender, Field(alias="from")]
    time: Time
    message_id: Text | None = None


class FullAttachment(Body):
    """``OpenContentAttachment``."""

    media_type: MediaType
    url: Text
    mime: Text
    id: Text | None = None
    text: Text | None = None
    sha256: Text | None = None
    filename: Text | None = None


class MessageContent(Body):
    """``OpenInboundMessageContent``."""

    attachment: FullAttachment


class PrivateMessage(Body):
    """``OpenInboundNormalizedMessage``."""

    channel: MessageChannel
    text: Text | None = None
    content: list[MessageContent] | None = None
    metadata: dict[str, Text] | None = None


class EventChannel(Body):
    """``OpenInboundMessagingChannel``."""

    sender: Annotated[Sender, Field(alias="from")]
    time: Time


class EventElement(Body):
    """``OpenEvent``."""

    event_type: Literal["Typing"]


class InboundEvent(Body):
    """``OpenInboundNormalizedEvent``."""

    channel: EventChannel
    events: list[EventElement]


class ReceiptRecipient(Body):
    """``OpenMessagingToRecipient``."""

    id: Text
    email: Text | None = None


class ReceiptChannel(Body):
    """``OpenInboundMessagingReceiptChannel``."""

    recipient: Annotated[ReceiptRecipient, Field(alias="to")]
    time: Time


class Reason(Body):
    """``ConversationReason``."""

    message: Text
    code: ReasonCode | None = None


class InboundReceipt(Body):
    """``OpenInboundNormalizedReceipt``, with the two statuses that the operation supports."""

    id: Text
    channel: ReceiptChannel
    status: Literal["Delivered", "Failed"]
    reasons: list[Reason] | None = None
    is_final_receipt: bool = False

    @model_validator(mode="after")
    def _has_reasons_only_when_failed(self) -> InboundReceipt:
        if self.reasons and self.status != "Failed":
            raise PydanticCustomError("reasons", "reasons are only for the status Failed")
        return self


MESSAGE_IDS: TypeAdapter[list[str]] = TypeAdapter(
    Annotated[list[Text], Field(min_length=1, max_length=1000)]
)
PRIVATE_MESSAGE = TypeAdapter(PrivateMessage)
EVENT = TypeAdapter(InboundEvent)
RECEIPT = TypeAdapter(InboundReceipt)

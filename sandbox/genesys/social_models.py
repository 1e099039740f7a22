"""What may be sent to the ingestion operations of social media.

Each class says which definition of the Swagger it stands for. Read-only properties are not
declared and so are refused like unknown ones, except where the platform is known to answer
otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from sandbox.genesys.checks import Body, Int32, Int64, MediaType, Text, Time

Reaction: TypeAlias = Literal[
    "Like",
    "Love",
    "Wow",
    "Haha",
    "Sad",
    "Angry",
    "Thankful",
    "Pride",
    "Care",
    "Share",
    "Comment",
    "View",
    "Rating",
]


def _refuse_channel_type(value: object) -> object:
    # Read-only, yet a wrong value is what the platform complains of first.
    if value != "Public":
        raise PydanticKnownError("literal_error", {"expected": "Public"})
    raise PydanticKnownError("extra_forbidden")


class SocialRecipient(Body):
    """``OpenSocialMediaRecipient``."""

    id: Text
    id_type: Literal["Email", "Phone", "Opaque", "Topic"] | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    nickname: Text | None = None
    image: Text | None = None


class PublicMetadata(Body):
    """``OpenSocialMediaPublicMetadata``."""

    root_id: Text
    reply_to_id: Text | None = None
    source: Text | None = None
    url: Text | None = None
    mention_ids: Annotated[list[Text], Field(max_length=1)] | None = None
    tag_ids: Annotated[list[Text], Field(max_length=1)] | None = None


class SocialChannel(Body):
    """``OpenSocialMediaChannel``."""

    message_id: Text
    sender: Annotated[SocialRecipient, Field(alias="from")]
    recipient: Annotated[SocialRecipient | None, Field(alias="to")] = None
    time: Time
    public_metadata: PublicMetadata
    type: Annotated[None, BeforeValidator(_refuse_channel_type)] = None


class Attachment(Body):
    """``ConversationContentAttachment``."""

    media_type: MediaType
    id: Text | None = None
    url: Text | None = None
    mime: Text | None = None
    text: Text | None = None
    sha256: Text | None = None
    filename: Text | None = None
    content_size_bytes: Int64 | None = None


class ContentText(Body):
    """``ConversationContentText``."""

    body: Text
    type: Literal["Text"] | None = None


class ContentReaction(Body):
    """``ConversationContentReaction``."""

    count: Int32
    reaction_type: Reaction | Literal["None"] | None = None


class SocialContent(Body):
    """``OpenSocialMediaMessageContent``: the element that ``contentType`` names must be there."""

    content_type: Literal["Attachment", "Reactions", "Text"]
    attachment: Attachment | None = None
    text: ContentText | None = None
    reaction: ContentReaction | None = None

    @model_validator(mode="after")
    def _has_what_it_names(self) -> SocialContent:
        named = {"Attachment": self.attachment, "Reactions": self.reaction, "Text": self.text}
        if named[self.content_type] is None:
            raise PydanticCustomError("content", "the content that contentType names is missing")
        return self


class SocialMessage(Body):
    """``OpenSocialMediaNormalizedMessage``."""

    channel: SocialChannel
    text: Text | None = None
    content: list[SocialContent] | None = None
    metadata: dict[str, Text] | None = None


class ReactionsChannel(Body):
    """``OpenSocialMediaReactionsChannel``."""

    message_id: Text
    time: Time
    type: Annotated[None, BeforeValidator(_refuse_channel_type)] = None


class ReactionCount(Body):
    """``ContentReaction``."""

    reaction_type: Reaction
    count: Int32


class ReactionsElement(Body):
    """``OpenSocialMediaReactionsEvent``."""

    reactions: list[ReactionCount]


class ReactionsEvent(Body):
    """``OpenSocialMediaReactionsNormalizedEvent``."""

    channel: ReactionsChannel
    events: list[ReactionsElement]


class ReactionsRequest(Body):
    """``OpenSocialMediaReactionsRequest``."""

    events: list[ReactionsEvent]


SOCIAL_MESSAGES = TypeAdapter(list[SocialMessage])
REACTIONS = TypeAdapter(ReactionsRequest)

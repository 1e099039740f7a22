"""What comes from Genesys Cloud: the body of an outbound webhook, read and sorted.

The shapes are those of ``OpenMessageNormalizedMessage`` and, for public replies, of the bodies seen
from a real organization (``channel.type`` ``Public`` with ``publicMetadata``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from actors import reasons
from actors.items import make_failure
from actors.messages import AgentMessage, Attachment, JournalItem
from actors.reasons import Reason
from actors.translation.guarded_json import UnreadableJson, read_json
from runtime.clock import parse_time

CHECK_EVENT = "ConnectorCheck"
"""The ``eventType`` by which somebody tries the way in. Genesys sends none of this name, and it
has no effect."""

_AUTHORITY = re.compile(r"at://(did:[^/]+)/")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to carry. ``failure`` is the receipt that tells an agent so, if there is one to tell.

    ``reason`` is one of few words, to be counted by.
    """

    reason: str
    failure: JournalItem | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that should have been carried and cannot be: kept as a dead letter, and told."""

    reason: str
    why: str
    message_id: str | None = None
    failure: JournalItem | None = None


WebhookContent: TypeAlias = AgentMessage | Ignored | Unusable


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)


class _Attachment(_Part):
    media_type: Literal["Image", "Video", "Audio", "File", "Link"]
    url: str = Field(min_length=1)
    mime: str | None = None
    text: str | None = None
    filename: str | None = None


class _Content(_Part):
    content_type: Literal["Attachment"]
    attachment: _Attachment


class _PublicMetadata(_Part):
    root_id: str | None = None
    reply_to_id: str | None = None


class _Channel(_Part):
    type: Literal["Public", "Private"]
    time: str | None = None
    public_metadata: _PublicMetadata | None = None
    in_reply_to_message_id: str | None = None


class _TextMessage(_Part):
    channel: _Channel
    text: str | None = None
    content: list[_Content] | None = None
    conversation_id: str | None = None


def read_webhook(body: bytes, received_at: str) -> WebhookContent:
    """Read an authentic body. Never raises, whatever it holds.

    Args:
        received_at: RFC 3339; the time of a message that does not say when it was sent.
    """
    try:
        data = read_json(body)
    except UnreadableJson as error:
        return Unusable(error.reason, str(error))
    if not isinstance(data, dict):
        return Unusable("not_an_object", "the body is JSON, but no object")
    if _find(data, "direction") == "Inbound":
        return Ignored("inbound_echo")
    match _find(data, "type"):
        case "Text":
            return _read_text(data, received_at)
        case "Event":
            return Ignored(_name_event(data))
        case "Receipt":
            return Ignored("receipt")
        case "Structured":
            return Ignored("structured", _fail(data, reasons.STRUCTURED))
        case other:
            why = f"type {other or '':.40}"
            return _give_up(data, "unknown_type", why, reasons.UNKNOWN_KIND)


def _read_text(data: Mapping[str, Any], received_at: str) -> WebhookContent:
    try:
        message = _TextMessage.model_validate(data)
    except ValidationError as error:
        return _give_up_on_structure(data, error)
    message_id, recipient = _find_message_id(data), _find_recipient(data)
    if message_id is None:
        return Unusable("no_id", "it has neither an id nor a channel.messageId")
    if recipient is None:
        return Unusable("no_recipient", "it has no channel.to.id", message_id)
    if not (message.text or "").strip() and not message.content:
        return _give_up(data, "empty", "no text, no file", reasons.EMPTY)
    channel, target = message.channel, _find_target(data)
    if channel.type == "Public" and target is None:
        return _give_up(data, "no_target", "public, to no post", reasons.NO_TARGET)
    metadata = channel.public_metadata
    return AgentMessage(
        message_id=message_id,
        channel="public" if channel.type == "Public" else "private",
        recipient_did=recipient,
        text=message.text or "",
        sent_at=_choose_time(channel.time, received_at),
        conversation_id=message.conversation_id or None,
        reply_to_uri=target,
        root_uri=(metadata.root_id or None) if metadata else None,
        attachments=tuple(
            Attachment(one.media_type, one.url, one.mime, one.text, one.filename)
            for one in (part.attachment for part in message.content or ())
        ),
    )


def _find_target(data: Mapping[str, Any]) -> str | None:
    """The post that is answered: the exact one if it is named, else the root of the thread."""
    return (
        _find(data, "channel", "publicMetadata", "replyToId")
        or _find(data, "channel", "inReplyToMessageId")
        or _find(data, "channel", "publicMetadata", "rootId")
    )


def _find_message_id(data: Mapping[str, Any]) -> str | None:
    return _find(data, "id") or _find(data, "channel", "messageId")


def _find_recipient(data: Mapping[str, Any]) -> str | None:
    """Whom it is for. A public message without a recipient is for the author of its target."""
    named = _find(data, "channel", "to", "id")
    if named is not None:
        return named
    if _find(data, "channel", "type") != "Public":
        return None
    author = _AUTHORITY.match(_find_target(data) or "")
    return author[1] if author else None


def _name_event(data: Mapping[str, Any]) -> str:
    events = data.get("events")
    kinds = [_find(event, "eventType") for event in events] if isinstance(events, list) else []
    names = {"Typing": "typing", CHECK_EVENT: "check"}
    return names.get(kinds[0] or "", "event") if len(set(kinds)) == 1 else "event"


def _give_up_on_structure(data: Mapping[str, Any], error: ValidationError) -> Unusable:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    told = reasons.UNREADABLE
    if place.endswith("contentType"):
        told = reasons.UNKNOWN_CONTENT
    elif place.endswith("mediaType"):
        told = reasons.UNKNOWN_FILE
    return _give_up(data, "malformed", f"{place}: {first['msg']}", told)


def _give_up(data: Mapping[str, Any], reason: str, why: str, told: Reason) -> Unusable:
    return Unusable(reason, why, _find_message_id(data), _fail(data, told))


def _fail(data: Mapping[str, Any], told: Reason) -> JournalItem | None:
    message_id, recipient = _find_message_id(data), _find_recipient(data)
    if message_id is None or recipient is None:
        return None
    return make_failure(message_id, recipient, told.code, told.sentence)


def _find(data: object, *names: str) -> str | None:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, str) and data else None


def _choose_time(sent_at: str | None, received_at: str) -> str:
    try:
        parse_time(sent_at or "")
    except ValueError:
        return received_at
    return sent_at or received_at

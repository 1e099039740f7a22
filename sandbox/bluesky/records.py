"""The records that this network knows, as the lexicons of the same names say.

Records of other collections are kept too, but nothing is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.schema import (
    Array,
    Blob,
    Integer,
    Object,
    Optional,
    SchemaError,
    Text,
    Union,
)

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
REPOST = "app.bsky.feed.repost"
FOLLOW = "app.bsky.graph.follow"
BLOCK = "app.bsky.graph.block"
THREADGATE = "app.bsky.feed.threadgate"
PROFILE = "app.bsky.actor.profile"
CHAT_DECLARATION = "chat.bsky.actor.declaration"

MENTION = "app.bsky.richtext.facet#mention"
LINK = "app.bsky.richtext.facet#link"
TAG = "app.bsky.richtext.facet#tag"

EMBED_IMAGES = "app.bsky.embed.images"
EMBED_GALLERY = "app.bsky.embed.gallery"
EMBED_VIDEO = "app.bsky.embed.video"
EMBED_EXTERNAL = "app.bsky.embed.external"
EMBED_RECORD = "app.bsky.embed.record"
EMBED_RECORD_WITH_MEDIA = "app.bsky.embed.recordWithMedia"

STRONG_REF = Object({"uri": Text("at-uri"), "cid": Text("cid")})

FACET = Object(
    {
        "index": Object({"byteStart": Integer(minimum=0), "byteEnd": Integer(minimum=0)}),
        "features": Array(
            Union(
                {
                    MENTION: Object({"did": Text("did")}),
                    LINK: Object({"uri": Text("uri")}),
                    TAG: Object({"tag": Text(max_bytes=640, max_graphemes=64)}),
                }
            )
        ),
    }
)

_TIME = Text("datetime")
_RATIO = Object({"width": Integer(minimum=1), "height": Integer(minimum=1)})
_PICTURE = Blob(("image/*",), 2_000_000)
_IMAGES = Object(
    {
        "images": Array(
            Object({"image": _PICTURE, "alt": Text(), "aspectRatio": Optional(_RATIO)}),
            max_length=4,
        )
    }
)
_GALLERY_IMAGE = Object({"image": _PICTURE, "alt": Text(), "aspectRatio": _RATIO})
_GALLERY = Object(
    {"items": Array(Union({f"{EMBED_GALLERY}#image": _GALLERY_IMAGE}), max_length=20)}
)
_CAPTION = Object({"lang": Text("language"), "file": Blob(("text/vtt",), 20_000)})
_VIDEO = Object(
    {
        "video": Blob(("video/mp4",), 300_000_000),
        "captions": Optional(Array(_CAPTION, max_length=20)),
        "alt": Optional(Text()),
        "aspectRatio": Optional(_RATIO),
        "presentation": Optional(Text()),
    }
)
_EXTERNAL = Object(
    {
        "external": Object(
            {
                "uri": Text("uri"),
                "title": Text(),
                "description": Text(),
                "thumb": Optional(Blob(("image/*",), 1_000_000)),
                "associatedRefs": Optional(Array(STRONG_REF)),
            }
        )
    }
)
_MEDIA = {
    EMBED_IMAGES: _IMAGES,
    EMBED_VIDEO: _VIDEO,
    EMBED_GALLERY: _GALLERY,
    EMBED_EXTERNAL: _EXTERNAL,
}
RECORD_EMBED = Object({"record": STRONG_REF})
_EMBEDS = {
    **_MEDIA,
    EMBED_RECORD: RECORD_EMBED,
    EMBED_RECORD_WITH_MEDIA: Object({"record": RECORD_EMBED, "media": Union(_MEDIA)}),
}
_LABELS = Union({})

_SUBJECT = Object({"subject": STRONG_REF, "createdAt": _TIME, "via": Optional(STRONG_REF)})
_GATE_RULES = {
    f"{THREADGATE}#mentionRule": Object({}),
    f"{THREADGATE}#followerRule": Object({}),
    f"{THREADGATE}#followingRule": Object({}),
    f"{THREADGATE}#listRule": Object({"list": Text("at-uri")}),
}
_ACCOUNT = {"subject": Text("did"), "createdAt": _TIME}


@dataclass(frozen=True, slots=True)
class RecordType:
    """What a collection holds; ``singleton`` ones have one record, with the key ``self``."""

    schema: Object
    singleton: bool = False


RECORD_TYPES: Mapping[str, RecordType] = {
    POST: RecordType(
        Object(
            {
                "text": Text(max_bytes=3_000, max_graphemes=300),
                "facets": Optional(Array(FACET)),
                "reply": Optional(Object({"root": STRONG_REF, "parent": STRONG_REF})),
                "embed": Optional(Union(_EMBEDS)),
                "langs": Optional(Array(Text("language"), max_length=3)),
                "labels": Optional(_LABELS),
                "tags": Optional(Array(Text(max_bytes=640, max_graphemes=64), max_length=8)),
                "createdAt": _TIME,
            }
        )
    ),
    LIKE: RecordType(_SUBJECT),
    REPOST: RecordType(_SUBJECT),
    FOLLOW: RecordType(Object({**_ACCOUNT, "via": Optional(STRONG_REF)})),
    BLOCK: RecordType(Object(_ACCOUNT)),
    THREADGATE: RecordType(
        Object(
            {
                "post": Text("at-uri"),
                "allow": Optional(Array(Union(_GATE_RULES), max_length=5)),
                "createdAt": _TIME,
                "hiddenReplies": Optional(Array(Text("at-uri"), max_length=300)),
            }
        )
    ),
    PROFILE: RecordType(
        Object(
            {
                "displayName": Optional(Text(max_bytes=640, max_graphemes=64)),
                "description": Optional(Text(max_bytes=2_560, max_graphemes=256)),
                "avatar": Optional(Blob(("image/png", "image/jpeg"), 1_000_000)),
                "banner": Optional(Blob(("image/png", "image/jpeg"), 1_000_000)),
                "labels": Optional(_LABELS),
                "createdAt": Optional(_TIME),
            }
        ),
        singleton=True,
    ),
    CHAT_DECLARATION: RecordType(
        Object({"allowIncoming": Text(), "allowGroupInvites": Optional(Text())}),
        singleton=True,
    ),
}


def typed(collection: str, record: Json) -> dict[str, Any]:
    """The record with its ``$type``, which may have been left out.

    Raises:
        XrpcError: 400, it is of another type.
    """
    kind = record.get("$type", collection)
    if kind != collection:
        raise invalid_request(f"Invalid $type: expected {collection}, got {kind}")
    return {**record, "$type": collection}


def validate(collection: str, record_key: str, record: Json, *, known_only: bool) -> str:
    """Judge a record as the PDS does; returns its ``validationStatus``, ``valid`` or ``unknown``.

    Raises:
        XrpcError: 400 with the PDS's words. With ``known_only`` also for an unknown collection.
    """
    kind = RECORD_TYPES.get(collection)
    if kind is None:
        if known_only:
            raise invalid_request(f"Unknown lexicon type: {collection}")
        return "unknown"
    try:
        _check_key(kind, record_key)
    except SchemaError as error:
        raise invalid_request(f"Invalid record key for {collection}: {error}") from error
    try:
        kind.schema.check(record, ("record",))
    except SchemaError as error:
        raise invalid_request(f"Invalid {collection} record: {error}") from error
    return "valid"


def is_indexable(collection: str, record: Json) -> bool:
    """Whether the AppView makes something of it: known, and valid although unchecked so far."""
    kind = RECORD_TYPES.get(collection)
    if kind is None:
        return False
    try:
        kind.schema.check(record, ())
    except SchemaError:
        return False
    return True


def _check_key(kind: RecordType, record_key: str) -> None:
    if not kind.singleton:
        Text("tid").check(record_key, ())
    elif record_key != "self":
        raise SchemaError(f'Expected "self" (got "{record_key}")', ())

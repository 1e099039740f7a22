"""The parts of Bluesky's views and records that are read, as their lexicons define them.

What is not read is ignored, so that a new field never stops a message. What may be missing or
odd without making a post unreadable (facets, embeds, languages) is kept raw here, and read one by
one where it is used.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from runtime.errors import Malformed

V = TypeVar("V", bound="View")


Did: TypeAlias = Annotated[str, Field(pattern=r"^did:[a-z]+:[a-zA-Z0-9._:%-]+$")]
AtUri: TypeAlias = Annotated[str, Field(pattern=r"^at://[^/\s]+/[^/\s]+/[^/\s?#]+$")]
Raw: TypeAlias = dict[str, Any]


class View(BaseModel):
    """A JSON object of which a part is read; keys are camelCase on the wire.

    JSON can name half a character, and no such text can be stored or sent. It is refused because
    texts have a greatest length, by which alone pydantic looks at what is in them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        str_max_length=10_000_000,
    )


class StrongReference(View):
    """``com.atproto.repo.strongRef``."""

    uri: AtUri
    cid: str


class ReplyReference(View):
    """``app.bsky.feed.post#replyRef``."""

    root: StrongReference
    parent: StrongReference


class ProfileView(View):
    """``app.bsky.actor.defs#profileViewBasic``, and ``chat.bsky.actor.defs#profileViewBasic``.

    ``followers_count`` is only in ``app.bsky.actor.defs#profileViewDetailed``.
    """

    did: Did
    handle: str
    display_name: str | None = None
    avatar: str | None = None
    created_at: object = None
    labels: object = None
    viewer: object = None
    followers_count: object = None


class PostRecord(View):
    """``app.bsky.feed.post``. A missing text is none: the lexicon allows an empty one."""

    text: str = ""
    created_at: object = None
    reply: ReplyReference | None = None
    facets: object = None
    entities: object = None
    embed: object = None
    langs: object = None
    tags: object = None
    labels: object = None


class PostView(View):
    """``app.bsky.feed.defs#postView``."""

    uri: AtUri
    cid: str
    author: ProfileView
    record: PostRecord
    indexed_at: object = None
    embed: object = None
    labels: object = None


class Sender(View):
    """``chat.bsky.convo.defs#messageViewSender``."""

    did: Did


class MessageView(View):
    """``chat.bsky.convo.defs#messageView``."""

    id: Annotated[str, Field(min_length=1)]
    text: str
    sender: Sender
    sent_at: str
    facets: object = None
    embed: object = None
    reply_to: object = None


class ReactionView(View):
    """``chat.bsky.convo.defs#reactionView``."""

    value: Annotated[str, Field(min_length=1)]
    sender: Sender
    created_at: str


class ByteSlice(View):
    """``app.bsky.richtext.facet#byteSlice``: UTF-8 bytes, the end exclusive."""

    byte_start: Annotated[int, Field(ge=0)]
    byte_end: Annotated[int, Field(ge=0)]


class TextSlice(View):
    """``app.bsky.feed.post#textSlice``: UTF-16 units, the end exclusive."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class Facet(View):
    """``app.bsky.richtext.facet``."""

    index: ByteSlice
    features: tuple[object, ...] = ()


class Entity(View):
    """``app.bsky.feed.post#entity``, which facets have replaced; its index counts UTF-16 units."""

    index: TextSlice
    type: str
    value: str


def parse_view(model: type[V], value: object) -> V:
    """Read a view.

    Raises:
        Malformed: naming the fields that are wrong, never their content.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'the whole'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)[:5]
        )
        raise Malformed(f"not a {model.__name__}: {problems}") from error


def find_view(model: type[V], value: object) -> V | None:
    """Read a view that may be missing or odd; then ``None``."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def as_text(value: object) -> str:
    """The text that this is; an empty one if it is none, or has half a character in it."""
    if not isinstance(value, str):
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return value


def as_texts(value: object) -> tuple[str, ...]:
    """The texts in what should be a list of texts."""
    return tuple(filter(None, map(as_text, value))) if isinstance(value, list) else ()


def as_object(value: object) -> Raw:
    """The object that this is; an empty one if it is none."""
    return value if isinstance(value, dict) else {}

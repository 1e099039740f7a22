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
    """A JSON object of which a part is read; keys are camelCase on the wire."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
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
    """``app.bsky.actor.defs#profileViewBasic``, and ``chat.bsky.actor.defs#profileViewBasic``."""

    did: Did
    handle: str
    display_name: str | None = None
    avatar: str | None = None


class PostRecord(View):
    """``app.bsky.feed.post``. A missing text is none: the lexicon allows an empty one."""

    text: str = ""
    created_at: object = None
    reply: ReplyReference | None = None
    facets: object = None
    embed: object = None
    langs: object = None
    tags: object = None


class PostView(View):
    """``app.bsky.feed.defs#postView``."""

    uri: AtUri
    cid: str
    author: ProfileView
    record: PostRecord
    indexed_at: object = None
    embed: object = None


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


class ByteSlice(View):
    """``app.bsky.richtext.facet#byteSlice``: UTF-8 bytes, the end exclusive."""

    byte_start: Annotated[int, Field(ge=0)]
    byte_end: Annotated[int, Field(ge=0)]


class Facet(View):
    """``app.bsky.richtext.facet``."""

    index: ByteSlice
    features: tuple[Raw, ...] = ()


class BlobLink(View):
    """The ``ref`` of a blob in the JSON form of the AT Protocol data model."""

    link: Annotated[str, Field(alias="$link")]


class Blob(View):
    """A blob as a record names it."""

    ref: BlobLink | None = None
    mime_type: str | None = None


class RecordedImage(View):
    """``app.bsky.embed.images#image`` and ``app.bsky.embed.gallery#image``."""

    image: Blob


class RecordedImages(View):
    """``app.bsky.embed.images`` (``images``) and ``app.bsky.embed.gallery`` (``items``)."""

    images: tuple[RecordedImage, ...] = ()
    items: tuple[RecordedImage, ...] = ()


class ImageView(View):
    """``app.bsky.embed.images#viewImage`` and ``app.bsky.embed.gallery#viewImage``."""

    fullsize: str
    alt: str = ""


class ImagesView(View):
    """``app.bsky.embed.images#view``."""

    images: tuple[ImageView, ...]


class GalleryView(View):
    """``app.bsky.embed.gallery#view``: a union, whose later members may be no images."""

    items: tuple[Raw, ...]


class VideoView(View):
    """``app.bsky.embed.video#view``."""

    playlist: str
    thumbnail: str | None = None
    alt: str | None = None


class External(View):
    """``app.bsky.embed.external#viewExternal``."""

    uri: str
    title: str = ""
    description: str = ""


class ExternalView(View):
    """``app.bsky.embed.external#view``."""

    external: External


class RecordEmbedView(View):
    """``app.bsky.embed.record#view``."""

    record: Raw


class RecordWithMediaView(View):
    """``app.bsky.embed.recordWithMedia#view``."""

    record: Raw
    media: Raw


class QuotedView(View):
    """``app.bsky.embed.record#viewRecord``."""

    uri: AtUri
    author: ProfileView
    value: PostRecord
    embeds: object = None


class NamedView(View):
    """What feeds, lists and starter packs have in common as the subject of an embed.

    ``app.bsky.feed.defs#generatorView``, ``app.bsky.graph.defs#listView``,
    ``app.bsky.labeler.defs#labelerView`` and ``app.bsky.graph.defs#starterPackViewBasic``.
    """

    uri: AtUri
    display_name: str | None = None
    name: str | None = None
    record: object = None


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


def as_texts(value: object) -> tuple[str, ...]:
    """The texts in what should be a list of texts."""
    if not isinstance(value, list):
        return ()
    return tuple(one for one in value if isinstance(one, str) and one)

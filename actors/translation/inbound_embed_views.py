"""The parts of embeds that are read, as their lexicons define them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from actors.translation.inbound_views import AtUri, PostRecord, ProfileView, Raw, View


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

    images: tuple[object, ...] = ()
    items: tuple[object, ...] = ()


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
    """``app.bsky.embed.video#view``. A ``presentation`` of ``gif`` is one without sound."""

    playlist: str
    thumbnail: str | None = None
    alt: str | None = None
    presentation: object = None


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
    creator: object = None
    record: object = None


class GoneView(View):
    """``app.bsky.embed.record#viewNotFound``, ``#viewBlocked`` and ``#viewDetached``."""

    uri: AtUri


class JoinLinkView(View):
    """``chat.bsky.embed.joinLink#view``."""

    join_link_preview: Raw


class JoinLinkPreview(View):
    """``chat.bsky.group.defs#joinLinkPreviewView``; of the other previews only the code."""

    code: str
    name: str | None = None
    owner: object = None

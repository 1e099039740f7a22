"""Composing posts as a client does: facets found in the text, embeds, the thread's root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.bluesky import records
from sandbox.bluesky.blobs import BlobStore
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.index import Index, Post
from sandbox.bluesky.richtext import detect_facets

MOST_IMAGES = 4
"""More than these are a gallery, in which every image must have a size."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to post. ``size`` is width and height in pixels."""

    content: bytes
    alt: str = ""
    mime: str = "image/png"
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link card to post."""

    uri: str
    title: str = ""
    description: str = ""
    thumb: Image | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """A video to post."""

    content: bytes
    alt: str = ""
    mime: str = "video/mp4"


@dataclass(frozen=True, slots=True)
class Composer:
    """What is needed to write a post: whom a handle names, what it answers, where files go."""

    index: Index
    blobs: BlobStore
    resolve: Callable[[str], str | None]

    def post(
        self,
        text: str,
        *,
        created_at: str,
        reply_to: str | None = None,
        quote: str | None = None,
        images: Sequence[Image] = (),
        link: Link | None = None,
        video: Video | None = None,
    ) -> Json:
        """The record of a post. ``reply_to`` and ``quote`` are uris of posts that are there.

        Raises:
            LookupError: one of them is not.
            ValueError: more than one of images, link and video: a post shows one of them.
            XrpcError: an image or the video is too large.
        """
        record: dict[str, Any] = {"$type": records.POST, "text": text, "createdAt": created_at}
        if facets := detect_facets(text, self.resolve):
            record["facets"] = facets
        if reply_to is not None:
            parent = self._find(reply_to)
            reply = {"root": parent.root.as_json(), "parent": parent.record.reference.as_json()}
            record["reply"] = reply
        if (embed := self._embed(quote, self._media(images, link, video))) is not None:
            record["embed"] = embed
        return record

    def _find(self, uri: str) -> Post:
        post = self.index.post(uri)
        if post is None:
            raise LookupError(f"no post {uri}")
        return post

    def _embed(self, quote: str | None, media: Json | None) -> Json | None:
        if quote is None:
            return media
        reference = self._find(quote).record.reference.as_json()
        quoted = {"$type": records.EMBED_RECORD, "record": reference}
        if media is None:
            return quoted
        return {"$type": records.EMBED_RECORD_WITH_MEDIA, "record": quoted, "media": media}

    def _media(
        self, images: Sequence[Image], link: Link | None, video: Video | None
    ) -> Json | None:
        if sum((bool(images), link is not None, video is not None)) > 1:
            raise ValueError("a post shows images, a video or a link card: choose one of them")
        if images:
            return self._images(images)
        if link is not None:
            return {"$type": records.EMBED_EXTERNAL, "external": self._card(link)}
        if video is not None:
            blob = self.blobs.upload(video.content, video.mime).as_json()
            alt = {"alt": video.alt} if video.alt else {}
            return {"$type": records.EMBED_VIDEO, "video": blob, **alt}
        return None

    def _images(self, images: Sequence[Image]) -> Json:
        shown = [self._image(image) for image in images]
        if len(shown) <= MOST_IMAGES:
            return {"$type": records.EMBED_IMAGES, "images": shown}
        kind = f"{records.EMBED_GALLERY}#image"
        return {
            "$type": records.EMBED_GALLERY,
            "items": [{"$type": kind, **image} for image in shown],
        }

    def _card(self, link: Link) -> Json:
        card = {"uri": link.uri, "title": link.title, "description": link.description}
        if link.thumb is None:
            return card
        thumb = self.blobs.upload(link.thumb.content, link.thumb.mime).as_json()
        return {**card, "thumb": thumb}

    def _image(self, image: Image) -> Json:
        blob = self.blobs.upload(image.content, image.mime).as_json()
        shown: dict[str, Any] = {"image": blob, "alt": image.alt}
        if image.size is not None:
            width, height = image.size
            shown["aspectRatio"] = {"width": width, "height": height}
        return shown

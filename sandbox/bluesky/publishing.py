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
    ) -> Json:
        """The record of a post. ``reply_to`` and ``quote`` are uris of posts that are there.

        Raises:
            LookupError: one of them is not.
            XrpcError: an image is too large.
        """
        record: dict[str, Any] = {"$type": records.POST, "text": text, "createdAt": created_at}
        if facets := detect_facets(text, self.resolve):
            record["facets"] = facets
        if reply_to is not None:
            parent = self._find(reply_to)
            reply = {"root": parent.root.as_json(), "parent": parent.record.reference.as_json()}
            record["reply"] = reply
        if (embed := self._embed(quote, images, link)) is not None:
            record["embed"] = embed
        return record

    def _find(self, uri: str) -> Post:
        post = self.index.post(uri)
        if post is None:
            raise LookupError(f"no post {uri}")
        return post

    def _embed(self, quote: str | None, images: Sequence[Image], link: Link | None) -> Json | None:
        media = self._media(images, link)
        if quote is None:
            return media
        reference = self._find(quote).record.reference.as_json()
        quoted = {"$type": records.EMBED_RECORD, "record": reference}
        if media is None:
            return quoted
        return {"$type": records.EMBED_RECORD_WITH_MEDIA, "record": quoted, "media": media}

    def _media(self, images: Sequence[Image], link: Link | None) -> Json | None:
        if images:
            shown = [self._image(image) for image in images]
            return {"$type": records.EMBED_IMAGES, "images": shown}
        if link is not None:
            card = {"uri": link.uri, "title": link.title, "description": link.description}
            return {"$type": records.EMBED_EXTERNAL, "external": card}
        return None

    def _image(self, image: Image) -> Json:
        blob = self.blobs.upload(image.content, image.mime).as_json()
        shown: dict[str, Any] = {"image": blob, "alt": image.alt}
        if image.size is not None:
            width, height = image.size
            shown["aspectRatio"] = {"width": width, "height": height}
        return shown

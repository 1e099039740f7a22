"""Pictures, videos and link cards in a post, as lines of text and attachments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from actors.messages import Attachment
from actors.translation.inbound_embed_views import (
    Blob,
    ExternalView,
    GalleryView,
    ImagesView,
    ImageView,
    RecordedImage,
    RecordedImages,
    VideoView,
)
from actors.translation.inbound_views import as_object, as_text, find_view

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/svg+xml": "svg",
}
_PLAYLIST = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True)
class Content:
    """What is embedded in a post or message.

    Attributes:
        lines: belong below the text.
        attachments: belong beside it.
        captions: lines that stand for attachments where these are not in sight, as in a quote.
    """

    lines: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    captions: tuple[str, ...] = ()

    def __add__(self, other: Content) -> Content:
        return Content(
            self.lines + other.lines,
            self.attachments + other.attachments,
            self.captions + other.captions,
        )


def name_unknown(value: object, link: str) -> Content:
    """The line for what is not known, or cannot be read, with the address where it can be seen."""
    name = type_of(value).removesuffix("#view") or "unknown"
    return Content((f"[Content that cannot be shown here ({name}): {link}]",))


def type_of(value: object) -> str:
    """The ``$type`` of a member of a union; empty if it has none."""
    return as_text(as_object(value).get("$type"))


def read_images(view: object, recorded: object, link: str) -> Content | None:
    """``app.bsky.embed.images#view``; the media types are those of the blobs in the record."""
    images = find_view(ImagesView, view)
    if images is None:
        return None
    known = find_view(RecordedImages, recorded)
    blobs = _find_blobs(known.images if known else (), len(images.images))
    return _attach_images(images.images, blobs, link)


def read_gallery(view: object, recorded: object, link: str) -> Content | None:
    """``app.bsky.embed.gallery#view``, whose items are a union that may grow."""
    gallery = find_view(GalleryView, view)
    if gallery is None:
        return None
    known = find_view(RecordedImages, recorded)
    images = [find_view(ImageView, item) for item in gallery.items]
    blobs = _find_blobs(known.items if known else (), len(images))
    read = zip(images, blobs, strict=True)
    shown = [(image, blob) for image, blob in read if image is not None]
    content = _attach_images([image for image, _ in shown], [blob for _, blob in shown], link)
    return content if all(images) else content + name_unknown(view, link)


def read_video(view: object, recorded: object, link: str) -> Content | None:
    """``app.bsky.embed.video#view``: a picture of it, its playlist, and a line with the address."""
    video = find_view(VideoView, view)
    if video is None:
        return None
    kind = "GIF" if video.presentation == "gif" else "Video"
    alt = video.alt or None
    line = f"[{kind}: {alt} {link}]" if alt else f"[{kind}: {link}]"
    files = [Attachment("Link", video.playlist, _PLAYLIST, alt)]
    if video.thumbnail:
        name = f"{_stem(link)}-video.jpg"
        files.insert(0, Attachment("Image", video.thumbnail, "image/jpeg", alt, name))
    return Content((line,), tuple(files))


def read_external(view: object, recorded: object, link: str) -> Content | None:
    """``app.bsky.embed.external#view``, a link card."""
    card = find_view(ExternalView, view)
    if card is None:
        return None
    external = card.external
    lines = tuple(line for line in (external.title, external.description, external.uri) if line)
    return Content(lines, (Attachment("Link", external.uri, "text/html", external.title or None),))


def _find_blobs(recorded: Sequence[object], count: int) -> list[Blob]:
    """The blobs of so many pictures, in the order of the record; one that is not known is empty."""
    found = (find_view(RecordedImage, one) for one in recorded[:count])
    blobs = [one.image if one else Blob() for one in found]
    return blobs + [Blob()] * (count - len(blobs))


def _attach_images(images: Iterable[ImageView], blobs: Iterable[Blob], link: str) -> Content:
    files: list[Attachment] = []
    for at, (image, blob) in enumerate(zip(images, blobs, strict=True)):
        file = Attachment("Image", image.fullsize, blob.mime_type, image.alt or None)
        extension = _EXTENSIONS.get(blob.mime_type or "")
        if extension:
            file = replace(file, filename=f"{_stem(link)}-{at + 1}.{extension}")
        files.append(file)
    captions = (f"[Image: {file.text}]" if file.text else "[Image]" for file in files)
    return Content(attachments=tuple(files), captions=tuple(captions))


def _stem(link: str) -> str:
    # A post's address ends with its key, which tells its files from those of other posts.
    return f"bluesky-{link.rpartition('/')[2]}"

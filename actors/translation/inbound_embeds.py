"""What is embedded in a post or message, as lines of text and attachments.

Every embed says something: what is not known, or not readable, becomes a line that names it, with
the address where a person can look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from actors.messages import Attachment
from actors.translation.inbound_text import expand_links
from actors.translation.inbound_views import (
    Blob,
    ExternalView,
    GalleryView,
    ImagesView,
    ImageView,
    NamedView,
    QuotedView,
    RecordedImages,
    RecordEmbedView,
    RecordWithMediaView,
    VideoView,
    find_view,
)
from actors.translation.links import make_link

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
}
_GONE = {
    "app.bsky.embed.record#viewNotFound": "[The quoted post was deleted]",
    "app.bsky.embed.record#viewBlocked": "[The quoted post is hidden by a block]",
    "app.bsky.embed.record#viewDetached": "[The quoted post was detached by its author]",
}
_NAMED = {
    "app.bsky.feed.defs#generatorView": "Feed",
    "app.bsky.graph.defs#listView": "List",
    "app.bsky.labeler.defs#labelerView": "Labeler",
    "app.bsky.graph.defs#starterPackViewBasic": "Starter pack",
}


@dataclass(frozen=True, slots=True)
class Content:
    """Lines that belong below the text, and files that belong beside it."""

    lines: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def __add__(self, other: Content) -> Content:
        return Content(self.lines + other.lines, self.attachments + other.attachments)


def read_embed(view: object, recorded: object, link: str) -> Content:
    """Read the ``embed`` of a view.

    Args:
        view: the hydrated embed; ``None`` when the server made none.
        recorded: the embed as the record has it; it knows the true media types.
        link: where a person can see the whole.
    """
    if view is None:
        return _unknown(recorded, link) if recorded is not None else Content()
    read = _READERS.get(_type_of(view))
    content = read(view, recorded, link) if read else None
    return content if content is not None else _unknown(view, link)


def _unknown(value: object, link: str) -> Content:
    name = _type_of(value).removesuffix("#view") or "unknown"
    return Content((f"[Content that cannot be shown here ({name}): {link}]",))


def _read_images(view: object, recorded: object, link: str) -> Content | None:
    images = find_view(ImagesView, view)
    if images is None:
        return None
    known = find_view(RecordedImages, recorded)
    blobs = [one.image for one in known.images] if known else []
    return Content(attachments=tuple(_attach_images(images.images, blobs)))


def _read_gallery(view: object, recorded: object, link: str) -> Content | None:
    gallery = find_view(GalleryView, view)
    if gallery is None:
        return None
    known = find_view(RecordedImages, recorded)
    blobs = [one.image for one in known.items] if known else []
    images = [find_view(ImageView, item) for item in gallery.items]
    content = Content(attachments=tuple(_attach_images(filter(None, images), blobs)))
    return content if all(images) else content + _unknown(view, link)


def _attach_images(images: Iterable[ImageView], blobs: list[Blob]) -> Iterable[Attachment]:
    for position, image in enumerate(images):
        blob = blobs[position] if position < len(blobs) else Blob()
        extension = _EXTENSIONS.get(blob.mime_type or "")
        name = f"{blob.ref.link}.{extension}" if blob.ref and extension else None
        yield Attachment("Image", image.fullsize, blob.mime_type, image.alt or None, name)


def _read_video(view: object, recorded: object, link: str) -> Content | None:
    video = find_view(VideoView, view)
    if video is None:
        return None
    alt = video.alt or None
    line = f"[Video: {alt} {link}]" if alt else f"[Video: {link}]"
    playlist = Attachment("Link", video.playlist, "application/vnd.apple.mpegurl", alt)
    if not video.thumbnail:
        return Content((line,), (playlist,))
    return Content((line,), (Attachment("Image", video.thumbnail, "image/jpeg", alt), playlist))


def _read_external(view: object, recorded: object, link: str) -> Content | None:
    card = find_view(ExternalView, view)
    if card is None:
        return None
    external = card.external
    lines = tuple(line for line in (external.title, external.description, external.uri) if line)
    return Content(lines, (Attachment("Link", external.uri, "text/html", external.title or None),))


def _read_record(view: object, recorded: object, link: str) -> Content | None:
    embed = find_view(RecordEmbedView, view)
    if embed is None:
        return None
    kind = _type_of(embed.record)
    if kind in _GONE:
        return Content((_GONE[kind],))
    if kind in _NAMED:
        return _read_named(_NAMED[kind], embed.record)
    quoted = find_view(QuotedView, embed.record)
    return None if quoted is None else _read_quote(quoted)


def _read_named(kind: str, record: object) -> Content | None:
    subject = find_view(NamedView, record)
    if subject is None:
        return None
    inner = find_view(NamedView, {"uri": subject.uri, **_as_object(subject.record)})
    name = subject.display_name or subject.name or (inner.name if inner else None)
    return Content((f"[{kind}: {name + ' ' if name else ''}{make_link(subject.uri)}]",))


def _read_quote(quoted: QuotedView) -> Content:
    link = make_link(quoted.uri, quoted.author.handle)
    inside = Content()
    embeds = quoted.embeds if isinstance(quoted.embeds, list) else []
    for embed in embeds:
        inside += read_embed(embed, quoted.value.embed, link)
    files = (
        f"[{file.media_type}: {file.text or file.url}]"
        for file in inside.attachments
        if file.media_type != "Link"
    )
    text = expand_links(quoted.value.text, quoted.value.facets)
    body = "\n".join(part for part in (text, *inside.lines, *files) if part)
    lines = tuple(f"> {line}" for line in body.splitlines())
    return Content((f"Quoting @{quoted.author.handle} ({link}):", *lines))


def _read_record_with_media(view: object, recorded: object, link: str) -> Content | None:
    both = find_view(RecordWithMediaView, view)
    if both is None:
        return None
    known = _as_object(recorded)
    media = read_embed(both.media, known.get("media"), link)
    # The union inside has no $type of its own here: it is a ref in the lexicon.
    record = {"$type": "app.bsky.embed.record#view", **both.record}
    return media + read_embed(record, known.get("record"), link)


def _read_join_link(view: object, recorded: object, link: str) -> Content | None:
    return Content(("[An invitation to a group chat]",))


_READERS: dict[str, Callable[[object, object, str], Content | None]] = {
    "app.bsky.embed.images#view": _read_images,
    "app.bsky.embed.gallery#view": _read_gallery,
    "app.bsky.embed.video#view": _read_video,
    "app.bsky.embed.external#view": _read_external,
    "app.bsky.embed.record#view": _read_record,
    "app.bsky.embed.recordWithMedia#view": _read_record_with_media,
    "chat.bsky.embed.joinLink#view": _read_join_link,
}


def _type_of(value: object) -> str:
    kind = _as_object(value).get("$type")
    return kind if isinstance(kind, str) else ""


def _as_object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}

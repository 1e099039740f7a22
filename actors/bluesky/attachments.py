"""What agents attach: images become blobs of a post, all else is refused with what is possible."""

from __future__ import annotations

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.media import Media
from actors.bluesky.refusals import Refusal
from actors.bluesky.together import MOST_IMAGES, is_image
from actors.media.fetching import Fetched, Wanted
from actors.media.workshop import PreparedImage
from actors.messages import AgentMessage, Attachment, Json
from actors.reasons import Reason
from runtime.errors import Rejected

IMAGES_EMBED = "app.bsky.embed.images"

_IMAGE = Wanted(
    # Stores of files often do not know what they keep.
    types=("image/", "application/octet-stream", "binary/octet-stream"),
    most_bytes=25 * 1024 * 1024,
    within_s=30.0,
)
_KINDS = {"Video": "a video", "Audio": "a recording", "Link": "a link"}
_REASONS: dict[str, Reason] = {
    "type": reasons.FILE_NO_IMAGE,
    "broken": reasons.FILE_BROKEN,
    "size": reasons.FILE_TOO_LARGE,
    "status": reasons.FILE_GONE,
    "unauthorized": reasons.FILE_CLOSED,
    "address": reasons.FILE_ADDRESS,
}


class UnfitAttachment(Exception):
    """An attachment that will never be posted.

    Args:
        place: in which message it is: 0 for the first, then those together with it.
        refusal: for that message.
    """

    def __init__(self, place: int, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.place = place
        self.refusal = refusal


def check_attachments(message: AgentMessage) -> None:
    """Refuse what shows without a look into it.

    Raises:
        Refusal: for a file that is no image, or more images than a post can have.
    """
    for attachment in message.attachments:
        if not is_image(attachment):
            kind = _KINDS.get(attachment.media_type, "a file")
            raise Refusal(reasons.NO_IMAGE, name=_name(attachment), kind=kind)
    if len(message.attachments) > MOST_IMAGES:
        raise Refusal(reasons.TOO_MANY_IMAGES, most=MOST_IMAGES)


async def upload_images(calls: Calls, media: Media, message: AgentMessage) -> Json | None:
    """The images of a message and of those together with it (``app.bsky.embed.images``).

    ``None`` if there are none. What is uploaded and then needed by no record, the server drops. If
    cancelled, some may be uploaded, which is harmless.

    Raises:
        UnfitAttachment: one cannot be posted.
        Retryable, AuthRejected, Malformed: not now.
    """
    images = []
    for place, one in enumerate((message, *message.together)):
        for attachment in one.attachments:
            try:
                images.append(await _upload(calls, media, attachment))
            except Rejected as error:
                raise UnfitAttachment(place, _explain(attachment, error)) from error
    return {"$type": IMAGES_EMBED, "images": images} if images else None


def link_attachments(media: Media, message: AgentMessage) -> str:
    """What stands for the files in a direct message, which can carry none: their addresses.

    Raises:
        Refusal: they are not to be linked, or nobody else could open them.
    """
    if not message.attachments:
        return ""
    if not media.link_in_direct_messages:
        raise Refusal(reasons.FILE_IN_MESSAGE)
    if not all(media.files.is_public(one.url) for one in message.attachments):
        raise Refusal(reasons.LINK_IN_MESSAGE)
    return "\n".join(one.url for one in message.attachments)


async def _upload(calls: Calls, media: Media, attachment: Attachment) -> Json:
    fetched = await _fetch(calls, media, attachment)
    prepared = await media.workshop.prepare(fetched.content)
    calls.context.progress()
    blob = await calls.upload_blob(prepared.content, prepared.mime)
    return _make_image(blob, prepared, attachment)


async def _fetch(calls: Calls, media: Media, attachment: Attachment) -> Fetched:
    fetched = await media.files.fetch(attachment.url, _IMAGE)
    calls.context.progress()
    return fetched


def _make_image(blob: Json, image: PreparedImage, attachment: Attachment) -> Json:
    """``app.bsky.embed.images#image``. A file's name describes nothing to those who cannot see."""
    return {
        "image": blob,
        "alt": attachment.text or "",
        "aspectRatio": {"width": image.width, "height": image.height},
    }


def _explain(attachment: Attachment, error: Rejected) -> Refusal:
    reason = _REASONS.get(error.code, reasons.FILE_REFUSED)
    return Refusal(reason, name=_name(attachment), said=str(error)[:200])


def _name(attachment: Attachment) -> str:
    return f"The attachment {attachment.filename[:80]}" if attachment.filename else "The attachment"

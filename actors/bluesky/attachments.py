"""What agents attach: images become blobs of a post, all else is refused with what is possible."""

from __future__ import annotations

from actors.bluesky.calls import Calls
from actors.bluesky.media import Media
from actors.bluesky.refusals import Refusal
from actors.bluesky.together import MOST_IMAGES, is_image
from actors.media.fetching import Fetched, Wanted
from actors.media.images import PreparedImage
from actors.messages import AgentMessage, Attachment, Json, ReasonCode
from runtime.errors import Rejected

IMAGES_EMBED = "app.bsky.embed.images"

_IMAGE = Wanted(
    # Stores of files often do not know what they keep.
    types=("image/", "application/octet-stream", "binary/octet-stream"),
    most_bytes=25 * 1024 * 1024,
    within_s=30.0,
)
_POSSIBLE = "JPEG, PNG, WebP and GIF images can be attached to a public answer"
_KINDS = {"Video": "a video", "Audio": "a recording", "Link": "a link"}
_REASONS: dict[str, tuple[ReasonCode, str]] = {
    "type": ("MediaTypeNotAllowed", f"It is no image: only {_POSSIBLE}"),
    "broken": ("MediaTypeNotAllowed", "The image is broken"),
    "size": ("InvalidMediaContentLength", "The image is too large"),
    "status": ("GeneralError", "Genesys Cloud does not hand the file out any more"),
    "unauthorized": ("GeneralError", "Genesys Cloud does not hand the file out to the connector"),
    "address": ("MediaTypeNotAllowed", "It lies at an address from which nothing is fetched"),
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
            raise Refusal(
                "MediaTypeNotAllowed",
                f"{_name(attachment)} is {kind} and cannot be posted on Bluesky: only {_POSSIBLE}. "
                "Nothing of this message was sent.",
            )
    if len(message.attachments) > MOST_IMAGES:
        raise Refusal(
            "InvalidMessageStructure",
            f"A post can have {MOST_IMAGES} images. Nothing of this message was sent.",
        )


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
        raise Refusal(
            "MediaTypeNotAllowed",
            "Direct messages on Bluesky carry no files. Nothing of this message was sent: send the "
            "text alone, or the image as a public answer.",
        )
    if not all(media.files.is_public(one.url) for one in message.attachments):
        raise Refusal(
            "MediaTypeNotAllowed",
            "Direct messages on Bluesky carry no files, and a link to this one would not open: it "
            "lies in Genesys Cloud, for those who are logged in there. Nothing was sent: put it "
            "where anybody can open it, and send the address.",
        )
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
    code, sentence = _REASONS.get(error.code, ("GeneralError", f"It was refused: {error}"[:200]))
    return Refusal(code, f"{_name(attachment)} was not posted. {sentence}.")


def _name(attachment: Attachment) -> str:
    return f"The attachment {attachment.filename[:80]}" if attachment.filename else "The attachment"

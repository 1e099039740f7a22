"""Images, made fit for a post: known by their content, without metadata, within the limits."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator

from PIL import Image, ImageOps

from actors.media.metadata import strip_jpeg, strip_png, strip_webp
from actors.media.workshop import MOST_IMAGE_BYTES, PreparedImage
from runtime.errors import Rejected

LONGEST_SIDE = 4000
MOST_PIXELS = 50_000_000
"""A picture is unpacked whole: 50 million pixels are some 200 MB for a moment."""

_EXIF_ORIENTATION = 0x0112
_QUALITIES = (90, 80, 70)
_SHRINK = 0.75
_SMALLEST_SIDE = 64

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_STRIP: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": strip_jpeg,
    "PNG": strip_png,
    "WEBP": strip_webp,
}
_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)


# What Pillow raises for broken images is not narrower than this.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
    zlib.error,
)


def find_format(content: bytes) -> str | None:
    """What its first bytes say that it is: ``JPEG``, ``PNG``, ``WEBP`` or ``GIF``."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return next((name for start, name in _STARTS if content.startswith(start)), None)


def prepare_image(content: bytes, most_bytes: int = MOST_IMAGE_BYTES) -> PreparedImage:
    """Make an image fit. The same content becomes the same bytes every time.

    The picture itself is untouched wherever it can be. It is written anew if it is too large, if
    only its metadata says which way is up, and if it is a GIF, of which the first picture is
    taken: Bluesky shows no other.

    Raises:
        Rejected: ``type`` for what is no such image, ``broken``, or ``size`` for one with more
            pixels than are unpacked.
    """
    kind = find_format(content)
    if kind is None:
        raise Rejected("type", "it is neither a JPEG, PNG, WebP nor GIF image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _prepare(content, kind, most_bytes)
    except Image.DecompressionBombError as error:
        raise Rejected("size", "it has too many pixels") from error
    except _BROKEN as error:
        raise Rejected("broken", f"the image is broken: {error}") from error


def _prepare(content: bytes, kind: str, most_bytes: int) -> PreparedImage:
    with Image.open(io.BytesIO(content), formats=(kind,)) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        image.load()
        upright = image.getexif().get(_EXIF_ORIENTATION, 1) in (0, 1)
        if kind in _STRIP and upright and max(image.size) <= LONGEST_SIDE:
            stripped = _STRIP[kind](content)
            if len(stripped) <= most_bytes:
                _check_whole(stripped, kind)
                return PreparedImage(stripped, f"image/{kind.lower()}", *image.size)
        picture = _clean(ImageOps.exif_transpose(image))
    for written in _write(picture, lossless=kind in ("PNG", "GIF")):
        if len(written.content) <= most_bytes:
            return written
    raise Rejected("size", "it cannot be made small enough")


def _check_whole(content: bytes, kind: str) -> None:
    with Image.open(io.BytesIO(content), formats=(kind,)) as image:
        image.load()


def _clean(image: Image.Image) -> Image.Image:
    """The picture alone, in a mode that every format takes."""
    shown = image.convert("RGBA" if image.has_transparency_data else "RGB")
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    shown.info = {"icc_profile": profile} if profile else {}
    return shown


def _write(picture: Image.Image, *, lossless: bool) -> Iterator[PreparedImage]:
    """Write it, each time smaller."""
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if lossless:
        yield _save(picture, "PNG", optimize=True)
    opaque = _flatten(picture)
    while True:
        for quality in _QUALITIES:
            yield _save(opaque, "JPEG", quality=quality, optimize=True)
        if max(opaque.size) < _SMALLEST_SIDE:
            return
        size = (max(1, int(opaque.width * _SHRINK)), max(1, int(opaque.height * _SHRINK)))
        opaque = opaque.resize(size, Image.Resampling.LANCZOS)


def _flatten(picture: Image.Image) -> Image.Image:
    """On white, since JPEG knows no transparency."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    ground.info = picture.info
    return ground


def _save(picture: Image.Image, kind: str, **options: object) -> PreparedImage:
    out = io.BytesIO()
    profile = picture.info.get("icc_profile")
    picture.save(out, kind, icc_profile=profile, **options)
    return PreparedImage(out.getvalue(), f"image/{kind.lower()}", *picture.size)

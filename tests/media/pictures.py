"""Pictures to try things with."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRET = b"taken at home by me"


def make_picture(
    width: int = 60, height: int = 40, *, mode: str = "RGB", noisy: bool = False
) -> Image.Image:
    """A picture whose left half is red; noise does not compress."""
    picture = Image.new(mode, (width, height), "blue")
    if noisy:
        noise = random.Random(1).randbytes(width * height * len(picture.getbands()))  # noqa: S311
        picture = Image.frombytes(mode, (width, height), noise)
    picture.paste("red", (0, 0, width // 2, height))
    return picture


def write_picture(kind: str, picture: Image.Image | None = None, **options: object) -> bytes:
    """The picture as a file of this kind."""
    out = io.BytesIO()
    (picture or make_picture()).save(out, kind, **options)
    return out.getvalue()


def write_with_metadata(kind: str, *, orientation: int = 1) -> bytes:
    """The same with all the metadata that the kind can hold, each holding :data:`SECRET`."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    options: dict[str, Any] = {"exif": exif}
    match kind:
        case "JPEG":
            options |= {"comment": SECRET, "xmp": b"<x>" + SECRET + b"</x>"}
        case "WEBP":
            options |= {"xmp": b"<x>" + SECRET + b"</x>", "lossless": True}
        case "GIF":
            options = {"comment": SECRET}
        case "PNG":
            info = PngInfo()
            info.add_text("Comment", SECRET.decode())
            info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
            options["pnginfo"] = info
    return write_picture(kind, **options)

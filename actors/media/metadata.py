"""Taking out of an image what is not the picture, without touching the picture.

A photograph says where and when it was taken, with what, and sometimes by whom. What decides how
it looks stays: colour profiles, transparency, resolution.
"""

from __future__ import annotations

from collections.abc import Iterator

_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_KEPT_APPLICATION = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_JPEG_COMMENT = 0xFE
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_DROPPED = frozenset({b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME"})
_WEBP_DROPPED = frozenset({b"EXIF", b"XMP "})
_WEBP_DROPPED_FLAGS = 0x08 | 0x04


def strip_jpeg(content: bytes) -> bytes:
    """Without EXIF, XMP, IPTC, comments, and whatever follows the picture (JFIF, ITU-T T.81 B).

    Raises:
        ValueError: it is not built like a JPEG.
    """
    if content[:2] != b"\xff\xd8":
        raise ValueError("no start of image")
    kept = bytearray(content[:2])
    for marker, segment in _read_jpeg(content):
        if marker == _JPEG_COMMENT:
            continue
        if 0xE0 <= marker <= 0xEF:
            start = _JPEG_KEPT_APPLICATION.get(marker)
            if start is None or segment[4 : 4 + len(start)] != start:
                continue
        kept += segment
    return bytes(kept)


def strip_png(content: bytes) -> bytes:
    """Without texts, EXIF and times (PNG, 11.3).

    Raises:
        ValueError: it is not built like a PNG.
    """
    if not content.startswith(_PNG_START):
        raise ValueError("no start of image")
    kept = bytearray(_PNG_START)
    place = len(_PNG_START)
    while True:
        kind = content[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(content[place : place + 4])
        if len(kind) < 4 or end > len(content):
            raise ValueError("a chunk is cut off")
        if kind not in _PNG_DROPPED:
            kept += content[place:end]
        if kind == b"IEND":
            return bytes(kept)
        place = end


def strip_webp(content: bytes) -> bytes:
    """Without EXIF and XMP (WebP container, RIFF).

    Raises:
        ValueError: it is not built like a WebP.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ValueError("no start of image")
    kept = bytearray(b"WEBP")
    place, end = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while place < end:
        kind = content[place : place + 4]
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        chunk = bytearray(content[place : place + 8 + size + size % 2])
        if len(chunk) < 8 + size:
            raise ValueError("a chunk is cut off")
        if kind == b"VP8X" and size >= 1:
            chunk[8] &= ~_WEBP_DROPPED_FLAGS & 0xFF
        if kind not in _WEBP_DROPPED:
            kept += chunk
        place += len(chunk)
    return b"RIFF" + len(kept).to_bytes(4, "little") + bytes(kept)


def _read_jpeg(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments behind the start of image, each with the picture's data that follows it."""
    place = 2
    while True:
        while content[place : place + 2] == b"\xff\xff":
            place += 1
        if len(content) < place + 2 or content[place] != 0xFF:
            raise ValueError("a marker is missing")
        marker = content[place + 1]
        if marker == 0xD9:
            yield marker, content[place : place + 2]
            return
        end = place + 2
        if marker not in _JPEG_BARE:
            end += int.from_bytes(content[end : end + 2])
        if marker == 0xDA:
            end = _find_marker(content, end)
        if end > len(content) or end < place + 2:
            raise ValueError("a segment is cut off")
        yield marker, content[place:end]
        place = end


def _find_marker(content: bytes, place: int) -> int:
    """Where the picture's data ends: at a marker that is neither stuffing nor a restart."""
    while True:
        place = content.find(b"\xff", place)
        if place < 0 or place + 1 >= len(content):
            raise ValueError("the picture is cut off")
        if content[place + 1] not in (0x00, 0xFF, *range(0xD0, 0xD8)):
            return place
        place += 1 if content[place + 1] == 0xFF else 2

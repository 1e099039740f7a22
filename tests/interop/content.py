"""What a customer's client puts into a post: facets, and a picture."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

_MENTION = re.compile(rb"(?:^|[\s(])(@([a-zA-Z0-9][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)+))")
_LINK = re.compile(rb"(?:^|[\s(])(https?://[^\s)]+)")
_TAG = re.compile(rb"(?:^|\s)(#[^\s#,.!?]+)")


def make_facets(text: str, find_did: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """The facets of a text (lexicon ``app.bsky.richtext.facet``); offsets count UTF-8 bytes.

    Args:
        text: as it is posted.
        find_did: the DID of a handle. A handle without one gets no facet, and so notifies nobody.
    """
    raw = text.encode()
    facets = [
        _make_facet(match, "mention", {"did": did})
        for match in _MENTION.finditer(raw)
        if (did := find_did(match[2].decode()))
    ]
    facets += [
        _make_facet(match, "link", {"uri": match[1].decode()}) for match in _LINK.finditer(raw)
    ]
    facets += [
        _make_facet(match, "tag", {"tag": match[1].decode().removeprefix("#")})
        for match in _TAG.finditer(raw)
    ]
    return facets


def _make_facet(match: re.Match[bytes], kind: str, feature: Mapping[str, str]) -> dict[str, Any]:
    return {
        "index": {"byteStart": match.start(1), "byteEnd": match.end(1)},
        "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}],
    }


def make_png(width: int = 8, height: int = 8, rgb: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    """A real, small PNG of one colour."""
    rows = b"".join(b"\0" + bytes(rgb) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_make_chunk(kind, data) for kind, data in chunks)


def _make_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

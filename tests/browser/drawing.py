"""Files to attach: a picture that can be recognised in a screenshot."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TypeAlias

Color: TypeAlias = tuple[int, int, int]

_WIDTH, _HEIGHT = 320, 240


def draw_phone(path: Path, glow: Color = (28, 30, 36)) -> Path:
    """A PNG of a phone on a table, with a screen of this colour; returns where it is."""
    rows = (bytes([0, *_row(y, glow)]) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))
    return path


def _row(y: int, glow: Color) -> bytes:
    return bytes(part for x in range(_WIDTH) for part in _color(x, y, glow))


def _color(x: int, y: int, glow: Color) -> Color:
    if abs(x - 160) < 48 and abs(y - 120) < 82:
        return glow
    if abs(x - 160) < 56 and abs(y - 120) < 100:
        return 70, 76, 88
    return 190 - y // 4, 160 - y // 4, 120 - y // 5


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

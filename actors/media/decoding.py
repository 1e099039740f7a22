"""Reading what comes, compressed or not, no further than it is wanted."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import httpx
import trio

from runtime.errors import Rejected

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

Decode = Callable[[bytes, int], bytes]
"""Turns the next bytes into no more than so many bytes of content."""


async def read_content(response: httpx.Response, most_bytes: int) -> bytes:
    """The unpacked body of an open response; one byte more than wanted shows that there is more.

    If cancelled, what came is forgotten.

    Raises:
        Rejected: it is in an encoding that is not read here, or its compression is broken.
    """
    decode = make_decoder(response.headers.get("content-encoding", ""))
    content = bytearray()
    fault: Rejected | None = None
    # The library's generators must not be left half-way: what is enough is told by cancelling them.
    with trio.CancelScope() as reading:
        async for data in response.aiter_raw():
            if reading.cancel_called:
                continue
            try:
                content += decode(data, most_bytes + 1 - len(content))
            except Rejected as error:
                fault = error
            if fault is not None or len(content) > most_bytes:
                reading.cancel()
    if fault is not None:
        raise fault
    return bytes(content)


def make_decoder(encoding: str) -> Decode:
    """A decoder for a ``Content-Encoding``.

    Servers are asked for plain content; some compress it all the same.

    Raises:
        Rejected: it is one that nobody asked for and that is not read here.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return lambda data, most: data[:most]
        case "gzip" | "x-gzip" | "deflate":
            return _make_inflater()
        case other:
            raise Rejected("encoding", f"it comes in the encoding {other[:40]}, which is not read")


def _make_inflater() -> Decode:
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    def inflate(data: bytes, most: int) -> bytes:
        try:
            return inflater.decompress(data, max(1, most))
        except zlib.error as error:
            raise Rejected("encoding", f"its compression is broken: {error}") from error

    return inflate

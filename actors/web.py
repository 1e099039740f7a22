"""What holds for every request to one of the two platforms, whichever wing makes it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx

from actors.media.decoding import read_content
from runtime.errors import Rejected

MOST_ANSWER_BYTES = 8 * 1024 * 1024
"""Unpacked. The largest answer that is asked for, a whole thread, is a few megabytes."""


def is_plain(url: str) -> bool:
    """Whether an address is reached without TLS, and not on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    return parts.scheme != "https" and not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host, as it is written in an address, is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def send(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    auth: httpx.Auth | None = None,
    most_bytes: int = MOST_ANSWER_BYTES,
) -> httpx.Response:
    """Send a request and read the whole answer, unpacked no further than ``most_bytes``.

    A redirection is an answer like any other: it is not followed, since it would carry a token to
    wherever it leads. How long all of it may take is for the caller to limit. If cancelled, the
    request may have taken effect.

    Raises:
        httpx.DecodingError: the answer is larger than that, or its compression is broken.
        httpx.TransportError: there was no whole answer.
    """
    request.headers["accept-encoding"] = "gzip, deflate"
    response = await http.send(request, auth=auth, follow_redirects=False, stream=True)
    try:
        content = await _read(response, most_bytes)
    finally:
        await response.aclose()
    headers = response.headers.copy()
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        headers.pop(name, None)
    return httpx.Response(response.status_code, headers=headers, content=content, request=request)


async def _read(response: httpx.Response, most_bytes: int) -> bytes:
    if response.is_stream_consumed:
        return response.content  # made whole by a test
    try:
        content = await read_content(response, most_bytes)
    except Rejected as error:
        raise httpx.DecodingError(str(error), request=response.request) from error
    if len(content) > most_bytes:
        fault = f"the answer has more than {most_bytes} bytes"
        raise httpx.DecodingError(fault, request=response.request)
    return content

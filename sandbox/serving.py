"""Serve an ASGI application on loopback for as long as a block of code runs.

Shared by all sandbox servers. :func:`cut_connection` lets an application behave like a network
that fails: it closes the very connection that a request came on.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_hypercorn
from hypercorn.typing import ASGIFramework, ASGISendCallable

GRACE_S = 1.0
"""How long requests in hand may go on after the block has ended, in seconds."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@asynccontextmanager
async def serve(app: ASGIFramework, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` with hypercorn on trio; yields its base URL, without a slash at the end.

    The socket listens before the block starts, so a request sent at once is answered. ``port`` 0
    takes a free one. When the block ends, idle connections are closed, requests in hand get
    :data:`GRACE_S`, and then all tasks have ended. Cancellation ends the server at once.

    Errors of the block and of the server come out in an exception group, as from any nursery.

    Raises:
        OSError: the address cannot be bound.
    """
    ended = trio.Event()
    async with trio.open_nursery() as nursery:
        start = partial(serve_hypercorn, app, _config(host, port), shutdown_trigger=ended.wait)
        addresses: list[str] = await nursery.start(start)
        try:
            yield addresses[0]
        finally:
            ended.set()


def _config(host: str, port: int) -> Config:
    # Errors of an application are logged; "Running on ..." and the like are not.
    logger = logging.getLogger("sandbox.serving")
    logger.setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"{host}:{port}"]
    config.errorlog = logger
    config.graceful_timeout = GRACE_S
    return config


async def cut_connection(send: ASGISendCallable, *, reset: bool = False) -> None:
    """Close the connection of the request that ``send`` belongs to, whatever was answered so far.

    The caller sees an orderly end (httpx: ``RemoteProtocolError``) or, with ``reset``, a TCP RST
    (httpx: ``ReadError``). Nothing can be sent on it afterwards; the application should return.

    Raises:
        RuntimeError: ``send`` is not that of a plain HTTP/1.1 request served by :func:`serve`.
    """
    stream = _transport(send)
    if reset:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    await stream.aclose()


def _transport(send: Callable[..., Awaitable[None]]) -> trio.SocketStream:
    # ASGI has no way to a connection. In hypercorn ``send`` is a method of the HTTP stream, whose
    # ``send`` is one of the protocol, whose ``send`` is one of the server that owns the transport.
    owner: object = getattr(send, "__self__", None)
    for _ in range(2):
        owner = getattr(getattr(owner, "send", None), "__self__", None)
    stream = getattr(owner, "stream", None)
    if isinstance(stream, trio.SocketStream):
        return stream
    raise RuntimeError("no transport behind this request: serve the application with serve()")

"""A wire to Redis that can be cut after a request went through and before its answer came."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from actors.dedup_store.address import RedisAddress


class Wire:
    """Forwards bytes both ways.

    Attributes:
        loses_answers: while true, the server gets what is sent, and its first answer cuts the
            connection instead of arriving.
    """

    def __init__(self, server: str) -> None:
        self.loses_answers = False
        self._server = server

    async def serve(self, client: trio.abc.Stream) -> None:
        """Forward one connection until either side closes it."""
        try:
            server = await trio.open_unix_socket(self._server)
            async with client, server, trio.open_nursery() as nursery:
                nursery.start_soon(self._forward_answers, server, client)
                while data := await client.receive_some():
                    await server.send_all(data)
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def _forward_answers(self, server: trio.SocketStream, client: trio.abc.Stream) -> None:
        async for data in server:
            if self.loses_answers:
                break
            await client.send_all(data)
        await client.aclose()


@asynccontextmanager
async def open_wire(
    server: RedisAddress, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Wire, RedisAddress]]:
    """A wire to a server on a unix socket, and the address of its near end; TLS if it is given."""
    wire = Wire(server.path or "")
    async with open_server(wire.serve, tls=tls) as address:
        yield wire, address


@asynccontextmanager
async def open_server(
    serve: Callable[[trio.abc.Stream], Awaitable[object]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RedisAddress]:
    """Whatever answers there until the block ends, one task for each connection."""
    async with trio.open_nursery() as nursery:
        (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        listener = plain if tls is None else trio.SSLListener(plain, tls)
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield RedisAddress("127.0.0.1", plain.socket.getsockname()[1], tls=tls is not None)
        nursery.cancel_scope.cancel()

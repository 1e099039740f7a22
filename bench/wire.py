"""HTTP/1.1 with as little between h11 and the socket as can be.

The stand-ins and the load share two cores with what is measured: whatever they need is taken from
it. A full server or client would cost more than the loops that it is there to measure.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import h11
import trio

HOST = "127.0.0.1"
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. ``query`` holds every value of each parameter."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; its body is JSON."""

    body: bytes = b"{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Answerer: TypeAlias = Callable[[Request], Awaitable[Answer]]


def encode(body: object) -> bytes:
    """Compact JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


async def serve(
    answer: Answerer, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve on a free port of the loopback, which is reported as started, until cancelled."""
    listeners = await trio.open_tcp_listeners(0, host=HOST)
    task_status.started(listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(partial(_converse, answer), listeners)


async def _converse(answer: Answerer, stream: trio.SocketStream) -> None:
    connection = h11.Connection(h11.SERVER)
    async with stream:
        try:
            while (request := await _read_request(connection, stream)) is not None:
                await stream.send_all(_write(connection, await answer(request)))
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            # The other process ended in the middle. What it did not get to do, the figures show.
            return


async def _read_request(connection: h11.Connection, stream: trio.SocketStream) -> Request | None:
    head, body = await _receive(connection, stream)
    if not isinstance(head, h11.Request):
        return None
    path, _, query = head.target.decode("ascii").partition("?")
    return Request(head.method.decode("ascii"), path, parse_qs(query), body)


def _write(connection: h11.Connection, answer: Answer) -> bytes:
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    events: tuple[h11.Event, ...] = (
        h11.Response(status_code=answer.status, headers=headers),
        h11.Data(data=answer.body),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(event) or b"" for event in events)


class Connection:
    """One connection to a server on the loopback, for one request after the other."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._connection = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect; closed with :meth:`aclose`."""
        return cls(await trio.open_tcp_stream(HOST, port))

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> tuple[int, bytes]:
        """The status and the body of the answer.

        Raises:
            OSError, trio.BrokenResourceError: the connection is cut.
            h11.RemoteProtocolError: the answer is no whole one.
        """
        fixed = (("host", HOST), ("content-length", str(len(body))))
        events: tuple[h11.Event, ...] = (
            h11.Request(method=method, target=path, headers=[*fixed, *headers]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        send = self._connection.send
        await self._stream.send_all(b"".join(send(event) or b"" for event in events))
        head, content = await _receive(self._connection, self._stream)
        if not isinstance(head, h11.Response):
            raise h11.RemoteProtocolError("closed without an answer")
        self._connection.start_next_cycle()
        return head.status_code, content

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()


async def _receive(
    connection: h11.Connection, stream: trio.SocketStream
) -> tuple[h11.Request | h11.Response | None, bytes]:
    """One whole message; its head is ``None`` when the other side has closed the connection."""
    head: h11.Request | h11.Response | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(_CHUNK))
        elif isinstance(event, h11.Request | h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return head, bytes(body)


async def ask(port: int, method: str, path: str) -> dict[str, Any]:
    """One request on a connection of its own; the JSON object that is answered."""
    _, body = await _ask(port, method, path)
    answer: dict[str, Any] = json.loads(body)
    return answer


async def ask_status(port: int, path: str) -> int:
    """The status that a path is answered with."""
    status, _ = await _ask(port, "GET", path)
    return status


async def _ask(port: int, method: str, path: str) -> tuple[int, bytes]:
    connection = await Connection.open(port)
    try:
        return await connection.request(method, path)
    finally:
        await connection.aclose()

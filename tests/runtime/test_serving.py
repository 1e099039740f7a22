"""An application behind a real socket, on the real clock."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope
from quart_trio import QuartTrio

from runtime.connections import Limits, Refused
from runtime.serving import GRACE_S, MOST_HEADER_BYTES, serve


class Application:
    """Answers ``/``; ``/wait`` waits for an event, ``/crash`` raises, ``/flood`` sends much."""

    def __init__(self) -> None:
        self.arrived = trio.Event()
        self.release = trio.Event()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert scope["type"] == "http"
        while (event := await receive())["type"] == "http.request" and event["more_body"]:
            pass
        self.arrived.set()
        match scope["path"]:
            case "/wait":
                await self.release.wait()
            case "/crash":
                raise RuntimeError("crash")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100 if scope["path"] == "/flood" else 0):
            body = b"x" * 1_000_000
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})


@asynccontextmanager
async def served(
    app: ASGIFramework,
    shutdown: trio.Event,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    refused: Refused = lambda _reason, _address: None,
    is_shared: Callable[[str], bool] = lambda _address: False,
) -> AsyncIterator[int]:
    """Serve while the block runs; yields the port."""
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            start = partial(
                serve,
                app,
                "127.0.0.1",
                0,
                shutdown=shutdown,
                limits=limits,
                refused=refused,
                is_shared=is_shared,
            )
            port: int = await nursery.start(start)
            yield port
            shutdown.set()


async def test_a_request_is_answered_on_the_port_that_is_told() -> None:
    """The socket listens when the port is told; the answer does not name the software."""
    async with served(Application(), trio.Event()) as port, httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/")
        assert (answer.status_code, answer.text) == (200, "ok")
        assert "server" not in answer.headers


async def test_a_request_in_hand_is_answered_during_shutdown() -> None:
    """No webhook is refused half-way: what has arrived is finished."""
    app, shutdown = Application(), trio.Event()
    answers: list[str] = []

    async def ask(url: str) -> None:
        async with httpx.AsyncClient() as client:
            answers.append((await client.get(url)).text)

    async with trio.open_nursery() as nursery, served(app, shutdown) as port:
        nursery.start_soon(ask, f"http://127.0.0.1:{port}/wait")
        await app.arrived.wait()
        shutdown.set()
        await trio.sleep(0.05)
        app.release.set()
    assert answers == ["ok"]


async def test_idle_connections_do_not_hold_up_the_shutdown() -> None:
    """Kept alive after an answer of Quart, a connection is closed at once; others are answered."""
    app, shutdown = QuartTrio(__name__), trio.Event()
    arrived, release = trio.Event(), trio.Event()

    @app.get("/")
    async def answer() -> str:
        return "ok"

    @app.get("/wait")
    async def wait() -> str:
        arrived.set()
        await release.wait()
        return "waited"

    async with (
        served(app, shutdown) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as idle,
        await trio.open_tcp_stream("127.0.0.1", port) as busy,
    ):
        for _ in range(2):
            await idle.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await read_until(idle, b"ok")
        await busy.send_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await arrived.wait()
        before = trio.current_time()
        shutdown.set()
        assert await idle.receive_some() == b""
        release.set()
        await read_until(busy, b"waited")
        assert await busy.receive_some() == b""
        assert trio.current_time() - before < 0.5 * GRACE_S


async def read_until(stream: trio.SocketStream, end: bytes) -> None:
    """Read until what has come ends like this."""
    received = b""
    while not received.endswith(end):
        part = await stream.receive_some()
        assert part, received
        received += part


async def test_a_crash_of_the_application_leaves_the_server() -> None:
    """One request fails with 500, the next is answered."""
    async with served(Application(), trio.Event()) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/crash")).status_code == 500
        assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200


async def test_an_address_in_use_is_a_plain_error() -> None:
    """Whoever starts the process can tell it in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await serve(Application(), "127.0.0.1", port, shutdown=trio.Event())


async def test_headers_without_end_are_refused() -> None:
    """A request whose headers exceed the limit is answered with an error and dropped."""
    async with (
        served(Application(), trio.Event()) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 2 * MOST_HEADER_BYTES)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 431")


async def expect_drop(port: int, sent: bytes) -> None:
    """Send, and read until the server closes the connection."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        if sent:
            await stream.send_all(sent)
        while await stream.receive_some():
            pass


async def test_a_client_that_says_nothing_is_dropped() -> None:
    """Neither an idle connection nor half a request is kept for ever."""
    half_a_body = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"
    async with served(Application(), trio.Event(), Limits(head_s=1, silence_s=1)) as port:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for sent in (b"", b"GET / HTTP/1.1\r\nho", half_a_body):
                    nursery.start_soon(expect_drop, port, sent)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux")
async def test_a_client_that_reads_nothing_does_not_hold_up_the_shutdown() -> None:
    """Sending is shielded in hypercorn; the socket's own time-out ends it."""
    app, shutdown = Application(), trio.Event()
    before = trio.current_time()
    async with trio.open_nursery() as nursery:
        async with served(app, shutdown, Limits(silence_s=1)) as port:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            nursery.start_soon(close_later, stream)
            await stream.send_all(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n")
            await app.arrived.wait()
        assert trio.current_time() - before < 8
        nursery.cancel_scope.cancel()


async def close_later(stream: trio.SocketStream) -> None:
    """Close when cancelled, and at the latest before the test would hang."""
    async with stream:
        await trio.sleep(10)

"""Clients that are slow, many, or speak something else, on real sockets and the real clock."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from runtime.connections import Limits
from tests.runtime.test_serving import Application, read_until, served

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"ok\r\n0\r\n\r\n"
"""How an answer of the application ends."""


class Refused(Counter[str]):
    """Counts what was turned away, by reason."""

    def __call__(self, reason: str, address: str) -> None:
        self[reason] += 1


async def drip(port: int, head: bytes, part: bytes, every_s: float = 0.05) -> float:
    """Send a request bit by bit for ever; how many seconds until it was cut off."""
    began = trio.current_time()
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        try:
            await stream.send_all(head)
            while True:
                await trio.sleep(every_s)
                await stream.send_all(part)
        except trio.BrokenResourceError:
            return trio.current_time() - began


async def test_headers_that_drip_are_cut_off_after_a_fixed_time() -> None:
    """A byte now and then is no silence, and ends all the same."""
    refused = Refused()
    limits = Limits(head_s=0.5)
    async with served(Application(), trio.Event(), limits, refused) as port:
        assert await drip(port, b"GET / HTTP/1.1\r\n", b"x: y\r\n") < 1.5
    assert refused == {"slow_headers": 1}


async def test_headers_of_a_later_request_are_cut_off_as_well() -> None:
    """One honest request buys no time."""
    refused = Refused()
    limits = Limits(head_s=0.5)
    async with served(Application(), trio.Event(), limits, refused) as port:
        assert await drip(port, GET + b"GET / HTTP/1.1\r\n", b"x: y\r\n") < 1.5
    assert refused == {"slow_headers": 1}


async def test_a_connection_is_kept_for_a_next_request_and_not_for_ever() -> None:
    """It is closed when nothing comes, which is nothing to count."""
    refused = Refused()
    limits = Limits(head_s=0.2, silence_s=1.0)
    async with (
        served(Application(), trio.Event(), limits, refused) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        for _ in range(3):
            await stream.send_all(GET)
            await read_until(stream, OK)
            await trio.sleep(0.4)
        before = trio.current_time()
        assert await stream.receive_some() == b""
        assert trio.current_time() - before < 1.5
    assert not refused


async def test_an_answer_may_take_longer_than_a_client_may_be_silent() -> None:
    """While the application works, it is not the client's turn."""
    app = Application()
    async with (
        served(app, trio.Event(), Limits(head_s=0.2, silence_s=0.2)) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(GET.replace(b"/ ", b"/wait "))
        await app.arrived.wait()
        await trio.sleep(0.5)
        app.release.set()
        await read_until(stream, OK)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(connections=10), "connections"),
        (Limits(per_address=10), "connections_per_address"),
    ],
)
async def test_connections_that_wait_are_closed_for_those_that_come(
    limits: Limits, reason: str
) -> None:
    """However many connections somebody holds open, a request that comes whole is answered."""
    refused = Refused()
    async with served(Application(), trio.Event(), limits, refused) as port:
        held = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(10)]
        for number, stream in enumerate(held):
            await stream.send_all(GET[: number + 1])
        await trio.sleep(0.1)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(GET)
            await read_until(stream, OK)
        # It was the one that had waited longest.
        assert await held[0].receive_some() == b""
        for stream in held:
            await stream.aclose()
    assert refused == {reason: 1}


async def test_a_request_in_hand_is_never_closed_for_another_one() -> None:
    """Where all connections have one, the next is not taken."""
    app, refused = Application(), Refused()
    async with (
        served(app, trio.Event(), Limits(connections=1), refused) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as first,
    ):
        await first.send_all(GET.replace(b"/ ", b"/wait "))
        await app.arrived.wait()
        async with await trio.open_tcp_stream("127.0.0.1", port) as second:
            assert await second.receive_some() == b""
        app.release.set()
        await read_until(first, OK)
    assert refused == {"connections": 1}


async def test_a_proxy_may_have_as_many_connections_as_there_are() -> None:
    """It stands for many clients."""
    refused = Refused()
    async with served(
        Application(), trio.Event(), Limits(per_address=1), refused, is_shared=lambda _: True
    ) as port:
        held = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(5)]
        for stream in held:
            await stream.send_all(GET)
            await read_until(stream, OK)
            await stream.aclose()
    assert not refused


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 6000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx\x00y: z\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        b"GET \xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\r\n" * 20_000,
    ],
)
async def test_what_is_no_http_ends_its_connection_and_nothing_else(sent: bytes) -> None:
    """The next client is answered, and nothing is logged as a defect."""
    async with served(Application(), trio.Event(), Limits(head_s=0.5, silence_s=0.5)) as port:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            answer = b""
            try:
                await stream.send_all(sent)
                while part := await stream.receive_some():
                    answer += part
            except trio.BrokenResourceError:
                pass
            assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.1 2"))
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(GET)
            await read_until(stream, OK)


WEBSOCKET = (
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HTTP2 = b"connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("upgrade", [HTTP2, WEBSOCKET])
async def test_nothing_else_than_http_1_is_spoken(upgrade: bytes) -> None:
    """Neither HTTP/2 nor WebSocket can be changed to: the request is answered as it stands."""
    seen: list[str] = []

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        seen.append(scope["type"])
        await Application()(scope, receive, send)

    async with (
        served(app, trio.Event()) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n" + upgrade + b"\r\n")
        await read_until(stream, OK)
    assert seen == ["lifespan", "http"]


@pytest.mark.parametrize("first", [b"PRI * HTTP/2.0", b"GET / HTTP/2.0", b"GET / HTTP/9.9"])
async def test_a_request_of_another_version_reaches_nobody(first: bytes) -> None:
    """Its connection is closed without an answer."""
    seen: list[str] = []

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        seen.append(scope["type"])
        await Application()(scope, receive, send)

    async with (
        served(app, trio.Event()) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(first + b"\r\nhost: x\r\n\r\n")
        assert await stream.receive_some() == b""
    assert seen == ["lifespan"]

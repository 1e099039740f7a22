"""Answers that are too large, packed like bombs, slow, or lead elsewhere."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import trio

from actors.bluesky.xrpc import Call, Xrpc
from actors.genesys.client import GenesysClient
from actors.genesys.token import TokenKeeper
from actors.web import MOST_ANSWER_BYTES, is_plain, send
from runtime.errors import Effect, Fault, Retryable
from runtime.rate import Budget, Rate

GENEROUS = Rate(10_000, 1.0)
ONE_MB = b"\0" * 2**20


@dataclass
class Server:
    """Answers every request with the same bytes, and keeps what came."""

    answer: bytes
    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive_some()
            self.heads.append(head)
            try:
                await stream.send_all(self.answer)
            except trio.BrokenResourceError:
                return


@asynccontextmanager
async def served(answer: bytes) -> AsyncIterator[Server]:
    """One such server while the block runs."""
    server = Server(answer)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            server.port = listener.socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, server.serve, [listener])
            yield server
            nursery.cancel_scope.cancel()


def make_answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer of HTTP."""
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), b"connection: close"]
    return b"\r\n".join([*lines, *headers, b"", body])


def pack(chunks: int, times: int = 1) -> bytes:
    """So many megabytes of nothing, packed once or more."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = b"".join([packer.compress(ONE_MB) for _ in range(chunks)]) + packer.flush()
    for _ in range(times - 1):
        packed = gzip.compress(packed)
    return packed


async def ask(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await send(http, http.build_request("GET", url))


async def test_a_bomb_is_unpacked_no_further_than_is_wanted() -> None:
    """200 MB in 200 KB: refused after the first few."""
    async with served(make_answer(pack(200), b"content-encoding: gzip")) as server:
        with pytest.raises(httpx.DecodingError, match="more than"):
            await ask(server.url)


async def test_an_answer_without_end_is_cut_off() -> None:
    """Its sender need not say how long it is."""
    chunk = b"100000\r\n" + ONE_MB + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with served(head + chunk * 20) as server:
        with pytest.raises(httpx.DecodingError, match="more than"):
            await ask(server.url)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"hello", b"identity"),
        (gzip.compress(b"hello"), b"gzip"),
        (zlib.compress(b"hello"), b"deflate"),
    ],
)
async def test_what_is_packed_as_was_asked_for_is_read(body: bytes, encoding: bytes) -> None:
    """And nothing else is asked for."""
    async with served(make_answer(body, b"content-encoding: " + encoding)) as server:
        answer = await ask(server.url)
    assert answer.content == b"hello"
    assert b"accept-encoding: gzip, deflate\r\n" in server.heads[0].lower()


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"gzip"])
async def test_what_is_packed_otherwise_is_refused(encoding: bytes) -> None:
    """Packed twice, in a way that nobody asked for, or broken."""
    async with served(make_answer(b"hello", b"content-encoding: " + encoding)) as server:
        with pytest.raises(httpx.DecodingError):
            await ask(server.url)


def make_xrpc(http: httpx.AsyncClient, timeout_s: float = 5.0) -> Xrpc:
    return Xrpc(http, Budget(GENEROUS), lambda: 0.0, timeout_s=timeout_s)


async def test_bluesky_cannot_fill_the_memory() -> None:
    """The call is tried again later; a write is looked up, since it may have been made."""
    bomb = make_answer(pack(200), b"content-encoding: gzip", b"content-type: application/json")
    async with served(bomb) as server, httpx.AsyncClient() as http:
        with pytest.raises(Retryable, match="more than") as caught:
            await make_xrpc(http).send(Call("POST", "a.b.c", body={}), service=server.url)
    assert caught.value.effect is Effect.UNKNOWN


async def test_bluesky_cannot_lead_the_token_elsewhere() -> None:
    """A redirection is refused, and the other server is never asked."""
    async with served(make_answer(b"{}")) as other:
        moved = b"location: " + other.url.encode()
        async with (
            served(make_answer(b"", moved, status=b"307 Moved")) as server,
            httpx.AsyncClient() as http,
        ):
            with pytest.raises(Fault):
                await make_xrpc(http).send(Call("GET", "a.b.c"), service=server.url, token="t")
    assert len(server.heads) == 1
    assert other.heads == []


async def test_an_answer_that_drips_ends_with_the_time_for_all_of_it() -> None:
    """A byte now and then is no silence; the time counts from the beginning."""

    async def serve_slowly(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        try:
            await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while True:
                await stream.send_all(b" ")
                await trio.sleep(0.05)
        except trio.BrokenResourceError:
            return

    async with trio.open_nursery() as nursery, httpx.AsyncClient() as http:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve_slowly, [listener])
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        with trio.fail_after(5), pytest.raises(Retryable, match="no answer in"):
            await make_xrpc(http, timeout_s=0.5).send(Call("GET", "a.b.c"), service=url)
        nursery.cancel_scope.cancel()


def make_genesys(http: httpx.AsyncClient, api_url: str, login_url: str) -> GenesysClient:
    tokens = TokenKeeper(
        http, login_url=login_url, client_id="id", client_secret="secret", deadline_s=5.0
    )
    budget = Budget(GENEROUS)
    return GenesysClient(http, api_url=api_url, tokens=tokens, budget=budget, deadline_s=5.0)


GRANT = make_answer(b'{"access_token": "t", "expires_in": 3600, "token_type": "bearer"}')


async def test_genesys_cannot_fill_the_memory() -> None:
    """Neither with an answer of the API nor with one to the login."""
    bomb = make_answer(pack(200), b"content-encoding: gzip")
    async with served(GRANT) as login, served(bomb) as server, httpx.AsyncClient() as http:
        with pytest.raises(Retryable, match="more than"):
            await make_genesys(http, server.url, login.url).request("GET", "/api/v2/x")
        with pytest.raises(Retryable, match="more than"):
            await make_genesys(http, server.url, server.url).request("GET", "/api/v2/x")


async def test_genesys_cannot_lead_token_or_secret_elsewhere() -> None:
    """Redirections of the API and of the login are not followed."""
    async with served(make_answer(b"{}")) as other, served(GRANT) as login:
        moved = make_answer(b"", b"location: " + other.url.encode(), status=b"307 Moved")
        async with served(moved) as server, httpx.AsyncClient() as http:
            with pytest.raises(Fault):
                await make_genesys(http, server.url, login.url).request("POST", "/api/v2/x", {})
            with pytest.raises(Fault):
                await make_genesys(http, login.url, server.url).request("POST", "/api/v2/x", {})
    assert other.heads == []


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://bsky.social", False),
        ("http://bsky.social", True),
        ("http://127.0.0.1:2583", False),
        ("http://[::1]:2583", False),
        ("http://localhost:2583", False),
        ("http://localhost.evil.example", True),
        ("http://127.0.0.1.evil.example", True),
        ("http://10.0.0.1", True),
        ("http://[::1", True),
    ],
)
def test_only_this_machine_is_spoken_to_without_tls(url: str, *, plain: bool) -> None:
    """By its address or as ``localhost``, and by nothing that only looks so."""
    assert is_plain(url) is plain


def test_the_bound_is_above_what_is_asked_for() -> None:
    """A thread of 1,000 posts with 3 KB each is read."""
    assert MOST_ANSWER_BYTES > 1_000 * 3_000

"""What the sandbox servers rest on: real sockets, real clock."""

from __future__ import annotations

import httpx
import pytest
import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from sandbox.serving import cut_connection, serve


class Recorder:
    """An ASGI application that answers ``/``, cuts ``/cut`` and resets ``/reset``."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.hanging = trio.Event()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "lifespan":
            while True:
                event = await receive()
                if event["type"] == "lifespan.startup":
                    await send({"type": "lifespan.startup.complete"})
                else:
                    await send({"type": "lifespan.shutdown.complete"})
                    return
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        while (await receive()).get("more_body"):
            pass
        self.paths.append(scope["path"])
        match scope["path"]:
            case "/cut":
                await cut_connection(send)
            case "/reset":
                await cut_connection(send, reset=True)
            case "/hang":
                self.hanging.set()
                await trio.sleep_forever()
            case _:
                headers = [(b"content-length", b"2")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"ok", "more_body": False})


async def test_a_free_port_is_taken_and_answers_at_once() -> None:
    """``port`` 0 gives a base URL that answers the first request; two servers run side by side."""
    async with serve(Recorder()) as one, serve(Recorder()) as other:
        assert one != other
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{one}/")).text == "ok"
            assert (await client.get(f"{other}/")).text == "ok"


async def test_the_server_is_gone_after_the_block() -> None:
    """Nothing listens any more when the block has ended, though a connection was kept alive."""
    with trio.fail_after(5):
        async with httpx.AsyncClient() as client:
            async with serve(Recorder()) as base_url:
                await client.get(base_url)
            with pytest.raises(httpx.ConnectError):
                await client.get(base_url)


async def test_a_request_that_hangs_does_not_hold_up_the_end() -> None:
    """A request in hand is given up after the grace period."""
    app = Recorder()
    with trio.fail_after(5):
        async with (
            httpx.AsyncClient() as client,
            trio.open_nursery() as nursery,
            serve(app) as base_url,
        ):
            nursery.start_soon(_expect_cut, client, f"{base_url}/hang")
            await app.hanging.wait()


async def _expect_cut(client: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(url)


async def test_a_cut_connection_is_seen_as_a_server_that_left() -> None:
    """An orderly close before any answer: the request arrived, and nothing else is known."""
    app = Recorder()
    async with serve(app) as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await client.post(f"{base_url}/cut", content=b"x" * 200_000)
        assert (await client.get(base_url)).text == "ok"
    assert app.paths == ["/cut", "/"]


async def test_a_reset_connection_is_seen_as_a_read_error() -> None:
    """A TCP RST while the caller waits for the answer."""
    async with serve(Recorder()) as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ReadError):
            await client.get(f"{base_url}/reset")
        assert (await client.get(base_url)).text == "ok"


async def test_only_served_requests_have_a_connection_to_cut() -> None:
    """Elsewhere, for instance under a test client, the attempt is an error and says why."""

    async def send(_: object) -> None:
        raise NotImplementedError

    with pytest.raises(RuntimeError, match="serve"):
        await cut_connection(send)

"""The same hypercorn on trio as the connector's, with bare ASGI functions on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import click
import httpx
import trio
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

from bench.bare.calls import open_client
from bench.bare.outbound import look_and_write
from bench.content import AgentAnswer
from sandbox.serving import serve

Take: TypeAlias = Callable[[bytes], None]


async def answer_only() -> None:
    """Answer every webhook with 200, and forget it."""
    await _serve_app(_forget)


async def relay(url: str, at_once: int) -> None:
    """Answer every webhook with 200, and carry it out from memory, ``at_once`` at a time."""
    send, receive = trio.open_memory_channel[bytes](100_000)
    async with open_client(url) as client, trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(_work, client, receive.clone())
        await _serve_app(send.send_nowait)


async def _work(client: httpx.AsyncClient, webhooks: trio.MemoryReceiveChannel[bytes]) -> None:
    async for webhook in webhooks:
        text = json.loads(webhook)["text"]
        number = int(text.partition(" order ")[2].partition(".")[0])
        await look_and_write(client, AgentAnswer(number))


def _forget(body: bytes) -> None:
    pass


async def _serve_app(take: Take) -> None:
    async with serve(_make_app(take)) as address:
        click.echo(address.rpartition(":")[2])
        await trio.sleep_forever()


def _make_app(take: Take) -> ASGIFramework:
    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body = await _read(receive)
        if body:
            take(body)
        await send({"type": "http.response.start", "status": 200, "headers": _NO_BODY})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


_NO_BODY = [(b"content-length", b"0")]


async def _read(receive: ASGIReceiveCallable) -> bytes:
    body = bytearray()
    more = True
    while more:
        event: Any = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return bytes(body)


async def _live(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

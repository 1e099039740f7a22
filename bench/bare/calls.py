"""What the bare loops have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
import trio

from bench.content import Json
from bench.genesys import TOKEN

V = TypeVar("V")


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that has logged in to both stand-ins."""
    async with httpx.AsyncClient(base_url=url) as client:
        session = await client.post("/xrpc/com.atproto.server.createSession", json={})
        grant = await client.post(TOKEN, data={"grant_type": "client_credentials"})
        session.raise_for_status()
        grant.raise_for_status()
        client.headers["Authorization"] = f"Bearer {session.json()['accessJwt']}"
        yield client


async def get(client: httpx.AsyncClient, nsid: str, parameters: Json) -> Json:
    """An XRPC query."""
    response = await client.get(f"/xrpc/{nsid}", params=parameters)
    response.raise_for_status()
    answer: Json = response.json()
    return answer


async def post(client: httpx.AsyncClient, path: str, body: object) -> None:
    """Post JSON, and read what is answered."""
    response = await client.post(path, json=body)
    response.raise_for_status()
    response.json()


async def run_together(
    function: Callable[[V], Awaitable[None]], values: Iterable[V], at_once: int
) -> None:
    """Apply ``function`` to all values, ``at_once`` at a time."""
    waiting = iter(values)

    async def work() -> None:
        for value in waiting:
            await function(value)

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(work)

"""Jetstream's ``/subscribe``: commits as they are made, over a websocket.

Of its parameters ``wantedCollections``, ``cursor`` and ``maxMessageSizeBytes`` are known.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope

from sandbox.bluesky.commits import CommitStream

PATH = "/subscribe"


async def stream_commits(
    commits: CommitStream,
    scope: WebsocketScope,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
) -> None:
    """Serve one connection until the other side leaves or all connections are cut."""
    asked = parse_qs(scope["query_string"].decode())
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    commits.readers += 1
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_await_end, commits, receive, send, nursery.cancel_scope)
            nursery.start_soon(_send_all, commits, asked, send)
    finally:
        commits.readers -= 1


async def _send_all(
    commits: CommitStream, asked: dict[str, list[str]], send: ASGISendCallable
) -> None:
    wanted = asked.get("wantedCollections")
    longest = int(asked.get("maxMessageSizeBytes", ["0"])[0])
    cursor = asked.get("cursor")
    async for collection, line in commits.read(int(cursor[0]) if cursor else None):
        if wanted and collection and collection not in wanted:
            continue
        if not longest or len(line.encode()) <= longest:
            await send({"type": "websocket.send", "bytes": None, "text": line})


async def _await_end(
    commits: CommitStream,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
    serving: trio.CancelScope,
) -> None:
    async def await_leave() -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass
        serving.cancel()

    async def await_cut() -> None:
        await commits.wait_cut()
        await send({"type": "websocket.close", "code": 1012, "reason": "restarting"})
        serving.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(await_leave)
        nursery.start_soon(await_cut)

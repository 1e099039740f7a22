"""Jetstream's ``/subscribe``: commits as they are made, over a websocket.

Of its parameters ``wantedCollections``, ``cursor`` and ``maxMessageSizeBytes`` are known.
"""

from __future__ import annotations

from contextlib import aclosing
from urllib.parse import parse_qs

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope
from hypercorn.utils import UnexpectedMessageError

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
    cursor = asked.get("cursor")
    await receive()
    position = commits.find(int(cursor[0]) if cursor else None)
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    commits.readers += 1
    try:
        async with trio.open_nursery() as nursery:
            serving = nursery.cancel_scope
            nursery.start_soon(_await_leave, receive, serving)
            nursery.start_soon(_await_cut, commits, serving)
            nursery.start_soon(_send_all, commits, position, asked, send)
        await send({"type": "websocket.close", "code": 1012, "reason": "restarting"})
    except* UnexpectedMessageError:
        pass  # the other side left in the middle of something
    finally:
        commits.readers -= 1


async def _send_all(
    commits: CommitStream, position: int, asked: dict[str, list[str]], send: ASGISendCallable
) -> None:
    wanted = asked.get("wantedCollections")
    longest = int(asked.get("maxMessageSizeBytes", ["0"])[0])
    async with aclosing(commits.read(position)) as events:
        async for collection, line in events:
            if wanted and collection and collection not in wanted:
                continue
            if not longest or len(line.encode()) <= longest:
                await send({"type": "websocket.send", "bytes": None, "text": line})


async def _await_leave(receive: ASGIReceiveCallable, serving: trio.CancelScope) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass
    serving.cancel()


async def _await_cut(commits: CommitStream, serving: trio.CancelScope) -> None:
    await commits.wait_cut()
    serving.cancel()

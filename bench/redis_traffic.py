"""What goes to and from a redis-server, as the server itself tells it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from actors.dedup_store.state_dir import choose_socket

_CHUNK = 65_536
_CALM_S = 0.5
"""So long MONITOR may be behind."""


@dataclass(slots=True)
class Traffic:
    """What went on in a block; ``bytes`` is known when it has ended.

    ``sent`` are the commands that clients sent, ``scripted`` those that scripts made.
    """

    sent: int = 0
    scripted: int = 0
    bytes: int = 0
    monitored: int = 0


@asynccontextmanager
async def watch(state_dir: Path) -> AsyncIterator[Traffic]:
    """Count what the server in this directory does while the block runs.

    MONITOR tells the commands of scripts apart. It costs the server some time: nothing that is
    timed should be watched.
    """
    socket = choose_socket(state_dir)
    traffic = Traffic()
    async with trio.open_nursery() as nursery:
        await nursery.start(_monitor, socket, traffic)
        before = await _read_bytes(socket)
        yield traffic
        await trio.sleep(_CALM_S)
        traffic.bytes = await _read_bytes(socket) - before - traffic.monitored
        nursery.cancel_scope.cancel()


async def _monitor(
    socket: Path,
    traffic: Traffic,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    async with await trio.open_unix_socket(str(socket)) as stream:
        await stream.send_all(b"MONITOR\r\n")
        await stream.receive_some(_CHUNK)
        task_status.started()
        rest = b""
        while data := bytes(await stream.receive_some(_CHUNK)):
            traffic.monitored += len(data)
            *lines, rest = (rest + data).split(b"\r\n")
            for line in lines:
                scripted = b" lua]" in line.partition(b'"')[0]
                traffic.scripted += scripted
                traffic.sent += not scripted


async def _read_bytes(socket: Path) -> int:
    async with await trio.open_unix_socket(str(socket)) as stream:
        await stream.send_all(b"INFO stats\r\n")
        told = bytes(await stream.receive_some(_CHUNK))
    return sum(map(int, re.findall(rb"total_net_(?:in|out)put_bytes:(\d+)", told)))

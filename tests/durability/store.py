"""The Redis that the connector keeps its journal in, and what can happen to it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import redis
import trio

from actors.dedup_store.connection import RedisAddress, connect
from actors.dedup_store.state_dir import choose_socket

Mishap: TypeAlias = Literal["killed", "frozen"]
MISHAPS: tuple[Mishap, ...] = ("killed", "frozen")

_LISTENS_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.02


class Store(Protocol):
    """A redis-server that keeps what it acknowledged, whatever happens to it."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The settings that name it."""

    async def kill(self) -> None:
        """``kill -9``; it is not started again by this. One that is not there is no error."""

    async def be_away(self, mishap: Mishap, seconds: float) -> None:
        """Be dead or motionless for so long, and then there again."""


class EmbeddedStore:
    """The server that the connector starts by itself in its state directory."""

    def __init__(self, folder: Path) -> None:
        self._state_dir = folder / "state"
        self.variables = {"STATE_DIR": str(self._state_dir)}

    async def kill(self) -> None:
        """``kill -9``: the connector is to start it again."""
        _signal(await _find_server(choose_socket(self._state_dir)), signal.SIGKILL)

    async def be_away(self, mishap: Mishap, seconds: float) -> None:
        """A killed one comes back as soon as the connector notices, whatever ``seconds`` say."""
        if mishap == "killed":
            await self.kill()
            await trio.sleep(seconds)
        else:
            await _freeze(await _find_server(choose_socket(self._state_dir)), seconds)


class SeparateStore:
    """A server of the operator's own, by ``REDIS_URL``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: trio.Process | None = None
        self.variables = {
            "REDIS_URL": f"unix://{self._socket}",
            "STATE_DIR": str(folder / "state"),
        }

    async def start(self) -> None:
        """Start it on the files that are there, and wait until it answers."""
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "logfile": str(self._folder / "redis.log"),
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = await trio.lowlevel.open_process(["redis-server", *flags])
        with trio.fail_after(_LISTENS_WITHIN_S):
            while await _find_server(self._socket) is None:  # noqa: ASYNC110 - it is a process
                await trio.sleep(_LOOK_EVERY_S)

    async def kill(self) -> None:
        """``kill -9``; nobody starts it again."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    async def be_away(self, mishap: Mishap, seconds: float) -> None:
        """Dead or motionless for so long."""
        if mishap == "killed":
            await self.kill()
            await trio.sleep(seconds)
            await self.start()
        elif self._process is not None:
            await _freeze(self._process.pid, seconds)


def has_server() -> bool:
    """Whether there is a redis-server to be used."""
    return shutil.which("redis-server") is not None


async def _freeze(pid: int | None, seconds: float) -> None:
    """Stop a process for a while. It goes on in any case: nobody else would wake it."""
    _signal(pid, signal.SIGSTOP)
    try:
        await trio.sleep(seconds)
    finally:
        _signal(pid, signal.SIGCONT)


async def _find_server(socket: Path) -> int | None:
    return await trio.to_thread.run_sync(_ask_pid, str(socket))


def _ask_pid(path: str) -> int | None:
    with closing(connect(RedisAddress(path=path), timeout_s=1.0)) as client:
        try:
            return int(client.info("server")["process_id"])
        except redis.RedisError:
            return None


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

"""The Redis that the connector keeps its journal in, and what can happen to it."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import redis
import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.state_dir import choose_socket
from tests.support.redis_client import connect

Mishap: TypeAlias = Literal["killed", "frozen", "full", "read-only"]
MISHAPS: tuple[Mishap, ...] = ("killed", "frozen", "full", "read-only")

_LISTENS_WITHIN_S = 10.0
_OUR_OWN = frozenset({"info", "client|setinfo", "hello", "select"})
"""What asking for the counts takes."""
_LOOK_EVERY_S = 0.02

R = TypeVar("R")


class EmbeddedStore:
    """The server that the connector starts by itself in its state directory."""

    def __init__(self, folder: Path) -> None:
        state_dir = folder / "state"
        self.variables = {"STATE_DIR": str(state_dir)}
        self._socket = choose_socket(state_dir)

    async def kill(self) -> None:
        """``kill -9``. One that is not there is no error."""
        _signal(await self._find_server(), signal.SIGKILL)

    async def be_away(self, mishap: Mishap, seconds: float) -> None:
        """Be of no use for so long. A killed one is back as soon as the connector notices."""
        match mishap:
            case "killed":
                await self.kill()
                await trio.sleep(seconds)
            case "frozen":
                await self._be_frozen(seconds)
            case "full":
                await self._ask(lambda client: client.config_set("maxmemory", 1))
                await trio.sleep(seconds)
                await self._ask(lambda client: client.config_set("maxmemory", 0))
            case "read-only":
                # A replica of nobody keeps what it has and takes no writes.
                await self._ask(lambda client: client.replicaof("127.0.0.1", "1"))
                await trio.sleep(seconds)
                await self._ask(lambda client: client.replicaof("NO", "ONE"))

    async def count_commands(self) -> Counter[str]:
        """How often each command was carried out since the server started, but for this one."""
        found = await self._ask(lambda client: client.info("commandstats"))
        calls = {name.removeprefix("cmdstat_"): one["calls"] for name, one in found.items()}
        return Counter({name: count for name, count in calls.items() if name not in _OUR_OWN})

    async def _be_frozen(self, seconds: float) -> None:
        pid = await self._find_server()
        _signal(pid, signal.SIGSTOP)
        try:
            await trio.sleep(seconds)
        finally:
            # Nobody else would wake it.
            _signal(pid, signal.SIGCONT)

    async def _find_server(self) -> int | None:
        try:
            return await self._ask(lambda client: int(client.info("server")["process_id"]))
        except redis.RedisError:
            return None

    async def _ask(self, question: Callable[[redis.Redis], R]) -> R:
        def ask() -> R:
            with closing(connect(RedisAddress(path=str(self._socket)), timeout_s=1.0)) as client:
                return question(client)

        return await trio.to_thread.run_sync(ask)


class SeparateStore(EmbeddedStore):
    """A server of the operator's own, by ``REDIS_URL``; a killed one comes back after a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: trio.Process | None = None
        self.variables = {**self.variables, "REDIS_URL": f"unix://{self._socket}"}

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
            while await self._find_server() is None:  # noqa: ASYNC110 - it is a process
                await trio.sleep(_LOOK_EVERY_S)

    async def kill(self) -> None:
        """``kill -9``; nobody starts it again."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    async def be_away(self, mishap: Mishap, seconds: float) -> None:
        """Be of no use for so long."""
        await super().be_away(mishap, seconds)
        if mishap == "killed":
            await self.start()


def has_server() -> bool:
    """Whether there is a redis-server to be used."""
    return shutil.which("redis-server") is not None


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

"""A private redis-server, with all its data in the state directory.

Two locks in that directory say who is there. ``server.lock`` is held by the server process
itself, which inherits it: so there is never a second server on the same files, whoever was killed
when. ``users.lock`` is shared by the connectors that use the server; the last one to leave stops
it, whoever started it. A server whose connector was killed is found and used by the next.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.connection import NoAnswer, TooLate
from actors.dedup_store.database import Database
from actors.dedup_store.pool import ConnectionPool, ask_once
from actors.dedup_store.scripts import load_scripts
from actors.dedup_store.state_dir import Lock, choose_socket
from runtime.context import EventLog

_START_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.5
_PING_EVERY_S = 0.02
_RESTART_AFTER_S = 0.2
_RETRY_AFTER_S = 5.0
_REWRITE_ABOVE = "16mb"
_LOG_PREFIX = re.compile(r"\d+:\w \d+ \w+ \d+ [\d:.]+ \S ")


class EmbeddedServer:
    """Keeps a server alive on the state directory, or shares the one that is there.

    Every write is on the disk before it is answered; DedupStore writes many at once, so that
    costs little. The files hold plain commands, which any redis-server or valkey-server reads.

    Args:
        binary: see :func:`actors.dedup_store.state_dir.find_server`.
        state_dir: created if it is not there.
        log: told when the server starts and ends.

    Raises:
        OSError: the directory cannot be made, or not be written to.
    """

    def __init__(self, binary: Path, state_dir: Path, log: EventLog) -> None:
        self._binary = binary
        self._state_dir = state_dir.resolve()
        self._state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(self._state_dir, os.W_OK):
            raise PermissionError(f"the state directory {self._state_dir} is not writable")
        self._log = log
        self._log_file = self._state_dir / "redis.log"
        self._process: trio.Process | None = None
        self._trouble: str | None = None
        self._alone_since: float | None = None
        self.address = RedisAddress(path=str(choose_socket(state_dir)))

    def open(self, *, timeout_s: float, connections: int) -> Database:
        """A store on it; see :class:`actors.dedup_store.pool.ConnectionPool`."""
        return Database(
            ConnectionPool(self.address, timeout_s=timeout_s, most=connections),
            load_scripts(),
            kind="embedded",
            explain=lambda: self._trouble,
            alone_since=self._alone_since,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the server alive. Started when it answers, or after ten seconds of trying.

        If cancelled, the server is stopped, unless another process uses it.
        """
        with closing(Lock(self._state_dir / "users.lock")) as users:
            # Nobody else holds the lock: whoever used the server before is dead, or has left.
            self._alone_since = trio.current_time() if users.take() else None
            # The exclusive lock is held only by one who comes or goes.
            while not users.take(shared=True):  # noqa: ASYNC110 - it is another process's
                await trio.sleep(_LOOK_EVERY_S)
            try:
                while True:
                    ready = await self._start()
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
                    await self._wait_until_it_ends()
                    await trio.sleep(_RESTART_AFTER_S if ready else _RETRY_AFTER_S)
            finally:
                if users.take():
                    await self._stop()

    async def _start(self) -> bool:
        """Start the server if none is there, and wait until it answers. Returns whether it does."""
        with trio.move_on_after(_START_WITHIN_S):
            while True:
                try:
                    await self._launch_unless_there()
                except OSError as error:
                    self._say("embedded store cannot be started", str(error))
                    return False
                if await self._answers():
                    self._trouble = None
                    self._log.info("embedded store ready", shared=self._process is None)
                    return True
                if self._process is not None and self._process.poll() is not None:
                    return False
                await trio.sleep(_PING_EVERY_S)
        return False

    async def _launch_unless_there(self) -> None:
        if self._process is not None:
            return
        with closing(Lock(self._state_dir / "server.lock")) as lock:
            if lock.take():
                await self._launch(lock)

    async def _launch(self, lock: Lock) -> None:
        command = [str(self._binary), *self._options()]
        with self._log_file.open("wb") as output:
            self._process = await trio.lowlevel.open_process(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lock.descriptor,),
                # Ctrl-C in a terminal is for the connector, which settles first.
                start_new_session=True,
                umask=0o077,
            )

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": self.address.path or "",
            "unixsocketperm": "700",
            "dir": str(self._state_dir),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "aof-use-rdb-preamble": "no",
            "auto-aof-rewrite-min-size": _REWRITE_ABOVE,
            "maxmemory-policy": "noeviction",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    async def _answers(self) -> bool:
        try:
            answer = await ask_once(self.address, "PING", timeout_s=1.0)
        except NoAnswer:
            return False
        return bool(answer == "PONG")

    async def _wait_until_it_ends(self) -> None:
        if self._process is not None:
            await self._process.wait()
            self._process = None
            self._say("embedded store ended", self._read_last_line())
            return
        # Another process's child: all that can be seen is whether it still holds its lock.
        with closing(Lock(self._state_dir / "server.lock")) as lock:
            while not lock.take():  # noqa: ASYNC110 - it is another process's
                await trio.sleep(_LOOK_EVERY_S)

    def _read_last_line(self) -> str:
        try:
            lines = self._log_file.read_text("utf-8", "replace").split("\n")
        except OSError as error:
            return f"its log cannot be read: {error}"
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return _LOG_PREFIX.sub("", last)

    def _say(self, event: str, reason: str) -> None:
        self._trouble = f"{event}: {reason}"
        self._log.warning(event, reason=reason, log=str(self._log_file))

    async def _stop(self) -> None:
        with trio.move_on_after(_STOP_WITHIN_S, shield=True):
            if self._process is None:
                await self._ask_to_stop()
                return
            self._process.terminate()
            await self._process.wait()
            self._log.info("embedded store stopped")
            return
        if self._process is not None:
            self._process.kill()
            with trio.move_on_after(1.0, shield=True):
                await self._process.wait()
            self._log.error("embedded store killed", within_s=_STOP_WITHIN_S)

    async def _ask_to_stop(self) -> None:
        try:
            reason = str(await ask_once(self.address, "SHUTDOWN", "NOSAVE", timeout_s=1.0))
        except TooLate as error:
            reason = str(error)
        except NoAnswer:
            # One that stops does not answer.
            return
        self._log.warning("embedded store did not stop in time", reason=reason)

"""The connector as an operator runs it: a process of its own, with an environment and a log."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import trio

from tests.conftest import ROOT

READY_WITHIN_S = 60.0
DIES_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02
_PORTS = range(20_000, 32_000)
_DEFECTS = ("actor crashed", "actor stuck", "actor did not stop", "message given up")


class NotReadyError(Exception):
    """The process ended, or did not answer in time."""


class ConnectorProcess:
    """Started, killed, stopped and started again on one port and one state directory.

    Args:
        environ: its whole environment.
        folder: where it runs, and keeps its log.
        name: of its log.
        command: what is run, by default the connector.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path,
        name: str = "connector",
        *,
        command: Sequence[str] = (sys.executable, "-m", "connector.cli", "run"),
    ) -> None:
        self._command = command
        self._port = _find_port()
        self.environ = {**environ, "PORT": str(self._port), "PYTHONPATH": str(ROOT)}
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._errors = folder / f"{name}.errors"
        self._process: trio.Process | None = None
        self.starts = 0
        self.peak_mb = 0.0

    def make_other(self, number: int) -> ConnectorProcess:
        """One like this, on a port of its own. It is not started."""
        return ConnectorProcess(self.environ, self._folder, f"connector-{number}")

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and do not wait for anything."""
        with self._log.open("ab") as log, self._errors.open("ab") as errors:
            self._process = await trio.lowlevel.open_process(
                list(self._command),
                env=self.environ,
                cwd=self._folder,
                stdout=log,
                stderr=errors,
            )
        self.starts += 1

    async def wait_ready(self, http: httpx.AsyncClient) -> None:
        """Return when it answers.

        Raises:
            NotReadyError: it does not.
        """
        with trio.move_on_after(READY_WITHIN_S):
            while self.is_running:
                if await self.health(http) is not None:
                    return
                await trio.sleep(_LOOK_EVERY_S)
            raise NotReadyError(f"it ended by itself: {self._tail()}")
        raise NotReadyError(f"no answer within {READY_WITHIN_S:g} s: {self._tail()}")

    async def health(self, http: httpx.AsyncClient) -> dict[str, Any] | None:
        """What ``GET /health`` answers; ``None`` if it does not."""
        self._measure()
        try:
            answer = await http.get(f"{self.url}/health")
        except httpx.TransportError:
            return None
        document: dict[str, Any] = answer.json()
        return document

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def pause(self) -> None:
        """``SIGSTOP``: it stands still."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """``SIGCONT``: it goes on as if nothing had happened."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """``kill -9``; returns when it is dead."""
        await self._end(signal.SIGKILL, DIES_WITHIN_S)

    async def stop(self, within_s: float) -> int | None:
        """``SIGTERM``; the exit status, or ``None`` if it took longer, and then it is killed."""
        return await self._end(signal.SIGTERM, within_s)

    async def _end(self, number: signal.Signals, within_s: float) -> int | None:
        process = self._process
        if process is None:
            return None
        self._measure()
        process.send_signal(number)
        with trio.move_on_after(within_s):
            return await process.wait()
        process.kill()
        await process.wait()
        return None

    def read_busy_s(self) -> float:
        """Seconds of processor that it has taken; 0 where the kernel does not tell."""
        if self._process is None:
            return 0.0
        try:
            told = Path(f"/proc/{self._process.pid}/stat").read_text("ascii")
        except OSError:
            return 0.0
        # The name of the program, in brackets, may have spaces in it.
        user, system = told.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def count_defects(self) -> int:
        """How often the log tells of what must never happen, whatever happens outside."""
        told = self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []
        events = [event for line in told if (event := _read_event(line)) in _DEFECTS]
        return len(events) + self.read_errors().count("Traceback (most recent call last)")

    def read_errors(self) -> str:
        """All that it wrote on stderr."""
        return self._errors.read_text("utf-8", "replace") if self._errors.exists() else ""

    def _tail(self) -> str:
        return self.read_errors()[-2000:]

    def read_memory_mb(self) -> float:
        """The memory that it has resident now; 0.0 where the kernel does not tell."""
        return self._read_status("VmRSS")

    def _measure(self) -> None:
        """Note the most memory that this process ever had, where the kernel tells."""
        self.peak_mb = max(self.peak_mb, self._read_status("VmHWM"))

    def _read_status(self, field: str) -> float:
        if self._process is None:
            return 0.0
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        except OSError:
            return 0.0
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found is not None else 0.0


def make_environ(variables: Mapping[str, str]) -> dict[str, str]:
    """An environment with nothing in it but these and what a process needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **variables}


def _find_port() -> int:
    """A free port below those that the kernel gives out: nobody takes it between two starts."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _read_event(line: str) -> str | None:
    # A process that was killed may have left half a line.
    try:
        told = json.loads(line)
    except ValueError:
        return None
    event = told.get("event") if isinstance(told, dict) else None
    return event if isinstance(event, str) else None

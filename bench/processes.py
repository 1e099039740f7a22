"""The processes that take part, and what each of them costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

ROOT = Path(__file__).resolve().parents[1]
_PROC = Path("/proc")
_STOP_WITHIN_S = 30.0
_TOLD = 2000
"""Characters of a log that are shown with an error."""
_PEAK = "VmHWM"
_TICKS = os.sysconf("SC_CLK_TCK")


def has_proc() -> bool:
    """Whether memory and processor time can be read."""
    return (_PROC / "self" / "status").is_file()


class BenchError(Exception):
    """The measurement says nothing: something did not arrive, came twice, or broke."""


class Subject:
    """A running process."""

    def __init__(self, module: str, process: trio.Process, folder: Path) -> None:
        self.folder = folder
        self._module = module
        self._process = process
        self._log = find_log(folder, module)
        self.started_at = trio.current_time()

    async def read_port(self) -> int:
        """The first line that is a number, or has a ``"port"``; waits for it.

        Raises:
            BenchError: the process ended without one.
        """
        while self._process.poll() is None:
            found = re.search(r'^(\d+)$|"port": (\d+)', self.read_log(), re.MULTILINE)
            if found is not None:
                return int(found[1] or found[2])
            await trio.sleep(0.02)
        raise BenchError(f"{self._module} ended without a port")

    def cpu_s(self) -> float:
        """Processor time so far, of this process and its redis-server."""
        return sum(_read_cpu_s(pid) for pid in (self._process.pid, *self.find_redis()))

    def peak_mb(self) -> float:
        """The most memory that it ever had resident, in 10**6 bytes."""
        return _read_memory_mb(self._process.pid, _PEAK)

    def memory_mb(self) -> float:
        """The memory that it has resident now, in 10**6 bytes."""
        return _read_memory_mb(self._process.pid, "VmRSS")

    def redis_peak_mb(self) -> float:
        """The same for its redis-server; 0.0 if it has none."""
        return sum(_read_memory_mb(pid, _PEAK) for pid in self.find_redis())

    async def stop(self) -> None:
        """Ask it to end, and wait.

        Raises:
            BenchError: it does not, or ends badly.
        """
        self._process.send_signal(signal.SIGTERM)
        with trio.move_on_after(_STOP_WITHIN_S):
            status = await self._process.wait()
            if status in (0, -signal.SIGTERM):
                return
        raise BenchError(f"{self._module} did not end in order")

    def find_redis(self) -> list[int]:
        """The process ids of its redis-server."""
        tasks = _PROC / str(self._process.pid) / "task"
        children = " ".join(path.read_text() for path in tasks.glob("*/children"))
        return [int(pid) for pid in children.split()]

    def read_log(self) -> str:
        """All that it has said so far."""
        return self._log.read_text("utf-8", "replace")


def find_log(folder: Path, module: str) -> Path:
    """Where a process says what it says."""
    return folder / f"{module}.log"


@asynccontextmanager
async def start(
    module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Subject]:
    """Run ``python -m module`` in a folder of its own; killed at the end if it still runs.

    Its environment holds nothing but ``variables`` and what Python needs.

    Raises:
        BenchError: that of the block, with what the process said at last.
    """
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(variables or {})}
    with find_log(folder, module).open("wb") as output:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-u", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environ,
        )
    subject = Subject(module, process, folder)
    try:
        yield subject
    except BenchError as error:
        raise BenchError(f"{error}\n\n{module}:\n{subject.read_log()[-_TOLD:]}") from error
    finally:
        if process.poll() is None:
            # The redis-server is in a session of its own, and would stay.
            for pid in (process.pid, *subject.find_redis()):
                os.kill(pid, signal.SIGKILL)
            with trio.CancelScope(shield=True):
                await process.wait()


def _read_cpu_s(pid: int) -> float:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / _TICKS


def _read_memory_mb(pid: int, field: str) -> float:
    status = (_PROC / str(pid) / "status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0

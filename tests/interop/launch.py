"""Starts and stops the network that ``network/setup.sh`` installed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

from tests.interop.session import Json

NETWORK = Path(__file__).parent / "network"
START_WITHIN_S = 120.0
STOP_WITHIN_S = 40.0
PORTS = ("FRONT", "CONTROL", "PLC", "PDS", "APPVIEW", "OZONE", "CHAT")


def find_missing() -> str | None:
    """What has to be done before the network can start; ``None`` if nothing."""
    setup = NETWORK / "setup.sh"
    if not (NETWORK / "node_modules").is_dir():
        return f"the network is not installed: run {setup}"
    status = subprocess.run([setup, "status"], capture_output=True, text=True, check=True).stdout
    if "down" in status:
        return f"its databases do not run ({'; '.join(status.splitlines())}): run {setup}"
    return None


@contextlib.contextmanager
def running_network() -> Iterator[Json]:
    """Run the network on free ports of loopback; yields what it says when it is ready.

    Raises:
        RuntimeError: it did not start, with the end of what it printed.
    """
    environ = {**os.environ, **_choose_ports()}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [NETWORK / "run.sh"], env=environ, text=True, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            ready = _await_ready(process)
            if ready is None:
                errors.seek(0)
                raise RuntimeError(f"the network did not start:\n{errors.read()[-4000:]}")
            yield ready
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _choose_ports() -> dict[str, str]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        numbers = [str(free.getsockname()[1]) for free in sockets]
    return {f"{name}_PORT": number for name, number in zip(PORTS, numbers, strict=True)}


def _await_ready(process: subprocess.Popen[str]) -> Json | None:
    assert process.stdout
    timer = Timer(START_WITHIN_S, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.startswith("READY "):
                ready: Json = json.loads(line.removeprefix("READY "))
                return ready
    finally:
        timer.cancel()
    return None

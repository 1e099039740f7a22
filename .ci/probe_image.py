"""Runs inside the image: looks around, starts the connector, asks for its health, and stops it.

Neither platform can be reached from here, so the connector must say ``degraded``, and yet hold its
store and answer. The arguments are the image's HEALTHCHECK, ENTRYPOINT and CMD, as lists in JSON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

WITHIN_S = 60.0
UNREACHABLE = "http://127.0.0.1:1"
UNWANTED = ("sh", "bash", "dash", "busybox", "apt-get", "dpkg", "pip", "pip3", "gcc", "ld", "perl")
"""No shell, no package manager, nothing that builds."""


def main() -> None:
    """Exit with a message unless all is as promised."""
    health_check, entry_point, command = map(json.loads, sys.argv[1:])
    require_little()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = make_environ(port)
    process = subprocess.Popen(entry_point + command, env=environ)  # noqa: S603
    try:
        health = await_health(process, f"http://127.0.0.1:{port}/health")
        require(health["status"] == "degraded", f"unexpected health: {health}")
        require(health["store"]["kind"] == "embedded", f"unexpected store: {health['store']}")
        require(len(health["actors"]) == 8, f"unexpected actors: {list(health['actors'])}")
        require_healthy(health_check, environ)
        process.send_signal(signal.SIGTERM)
        require(process.wait(WITHIN_S) == 0, f"SIGTERM ended it with {process.returncode}")
    finally:
        process.kill()
        process.wait()
    written = sorted(path.name for path in Path(os.environ["STATE_DIR"]).iterdir())
    sys.stdout.write(
        f"as user {os.getuid()}, on a read-only root, without capabilities, with no shell:"
        f" {health['status']}, store {health['store']}; it wrote {', '.join(written)}\n"
    )


def require_little() -> None:
    """No root, no capability, nowhere to write but in the state directory, and few tools."""
    require(os.getuid() != 0, "the image runs as root")
    require(os.statvfs("/").f_flag & os.ST_RDONLY != 0, "the root file system is not read-only")
    state_dir = os.environ["STATE_DIR"]
    writable = [
        folder
        for folder, _, _ in os.walk("/")
        if not folder.startswith("/proc") and os.access(folder, os.W_OK)
    ]
    require(writable == [state_dir], f"writable folders: {writable}")
    with Path("/proc/self/status").open(encoding="utf-8") as file:
        status = {line.partition(":")[0]: line.partition(":")[2].strip() for line in file}
    held = {name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    require(not any(int(mask, 16) for mask in held.values()), f"capabilities: {held}")
    require(status["NoNewPrivs"] == "1", "new privileges can be had")
    places = os.pathsep.join(("/bin", "/sbin", "/usr/bin", "/usr/sbin", os.environ["PATH"]))
    found = [path for name in UNWANTED if (path := shutil.which(name, path=places))]
    found += [name for name in ("pip", "setuptools", "wheel") if importlib.util.find_spec(name)]
    require(not found, f"in the image, and not needed: {found}")


def require_healthy(command: list[str], environ: dict[str, str]) -> None:
    """The image's own health check passes."""
    done = subprocess.run(command, env=environ, check=False, timeout=WITHIN_S)  # noqa: S603
    require(done.returncode == 0, f"the health check ended with {done.returncode}")


def require(condition: bool, otherwise: str) -> None:
    """Exit with a message unless the condition holds."""
    if not condition:
        sys.exit(otherwise)


def make_environ(port: int) -> dict[str, str]:
    """Settings that are complete, and lead nowhere."""
    return {
        **os.environ,
        "PORT": str(port),
        "LOG_LEVEL": "warn",
        "BLUESKY_HANDLE": "brand.example",
        "BLUESKY_APP_PASSWORD": "none",
        "BLUESKY_SERVICE_URL": UNREACHABLE,
        "GC_REGION": "genesys.example",
        "GC_API_URL": UNREACHABLE,
        "GC_LOGIN_URL": UNREACHABLE,
        "GC_CC_CLIENT_ID": "none",
        "GC_CC_CLIENT_SECRET": "none",
        "GC_INTEGRATION_ID": "none",
        "GC_WEBHOOK_SECRET": "none",
        "GC_SOCIAL_TOPIC_ID": "none",
        "GC_SOCIAL_RULE_ID": "none",
    }


def await_health(process: subprocess.Popen[bytes], url: str) -> dict[str, Any]:
    """The first answer that says the store is there and Bluesky is not."""
    end = time.monotonic() + WITHIN_S
    health: dict[str, Any] = {}
    while time.monotonic() < end:
        require(process.poll() is None, f"the connector ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (always http)
                health = json.load(answer)
        except (urllib.error.URLError, OSError):
            health = {}
        if health.get("status") == "degraded" and health["store"]["status"] == "ok":
            return health
        time.sleep(0.2)
    sys.exit(f"not so within {WITHIN_S:g} s; the last answer: {health}")


if __name__ == "__main__":
    main()

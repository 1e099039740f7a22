"""Runs inside the image: starts the connector, asks for its health, and stops it.

Neither platform can be reached from here, so the connector must say ``degraded``, and yet hold its
store and answer.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

WITHIN_S = 60.0
UNREACHABLE = "http://127.0.0.1:1"


def main() -> None:
    """Exit with a message unless all is as promised."""
    require(os.getuid() != 0, "the image runs as root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["bluesky-genesys", "run"], env=make_environ(port))  # noqa: S607 (as the image's entry point finds it)
    try:
        health = await_health(process, f"http://127.0.0.1:{port}/health")
        require(health["status"] == "degraded", f"unexpected health: {health}")
        require(health["store"]["kind"] == "embedded", f"unexpected store: {health['store']}")
        require(len(health["actors"]) == 8, f"unexpected actors: {list(health['actors'])}")
        process.send_signal(signal.SIGTERM)
        require(process.wait(WITHIN_S) == 0, f"SIGTERM ended it with {process.returncode}")
    finally:
        process.kill()
        process.wait()
    sys.stdout.write(f"as user {os.getuid()}: {health['status']}, store {health['store']}\n")


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

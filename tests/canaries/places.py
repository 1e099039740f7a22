"""Where it is looked. Another place is another line in one of these lists."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import trio

from tests.canaries.marks import HANDLE, STATE_KEY, TEXT, WORDS
from tests.durability.process import ConnectorProcess

PAGES = (
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/dashboard"),
    ("GET", "/dashboard/events"),
    ("GET", "/webhook"),
    ("POST", "/health"),
    ("POST", "/webhook"),
    ("PUT", "/nowhere"),
)
"""With a query, a header and a body that must not be repeated."""

COMMANDS = (
    ("dead-letters", "list"),
    ("dead-letters", "replay", "--all"),
    ("dead-letters", "replay", "webhook"),
    ("check",),
    ("forget", "did:plc:nobody", "--dry-run"),
)

FILES = ("connector.log", "connector.errors", "redis.log")

STORE = ("appendonlydir",)
"""Sealed: no word of anybody."""


@dataclass(frozen=True, slots=True)
class Visit:
    """The process, what it runs with, and who asks."""

    connector: ConnectorProcess
    environ: Mapping[str, str]
    folder: Path
    http: httpx.AsyncClient


async def read_places(visit: Visit) -> dict[str, str]:
    """Each place with all that it shows."""
    shown: dict[str, str] = {}
    for method, path in PAGES:
        shown[f"{method} {path}"] = await _read_page(visit, method, path)
    for command in COMMANDS:
        shown[" ".join(command)] = await run_command(visit, *command)
    wrong = {**visit.environ, "STATE_KEY": f"{STATE_KEY[:-3]}, {STATE_KEY}"}
    shown["run, wrong settings"] = await run_command(visit, "run", environ=wrong)
    lost = {**visit.environ, "REDIS_URL": visit.environ["REDIS_URL"].replace("/redis", "/none")}
    shown["check, no store"] = await run_command(visit, "check", environ=lost)
    for name in FILES:
        shown[name] = _read_file(visit.folder / name)
    for name in STORE:
        for part in sorted((visit.folder / name).iterdir()):
            shown[part.name] = _read_file(part)
    return shown


async def _read_page(visit: Visit, method: str, path: str) -> str:
    marks = {"q": "".join(WORDS)}
    headers = {"X-Hub-Signature-256": f"sha256={TEXT}", "X-Name": HANDLE}
    body = TEXT if method in {"POST", "PUT"} else None
    with trio.move_on_after(2.0):
        url = f"{visit.connector.url}{path}"
        answer = await visit.http.request(method, url, params=marks, headers=headers, content=body)
        return f"{answer.headers}\n{answer.text}"
    return ""


async def run_command(
    visit: Visit, *arguments: str, environ: Mapping[str, str] | None = None
) -> str:
    """All that a command says."""
    done = await trio.run_process(
        [sys.executable, "-m", "connector.cli", *arguments],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        cwd=visit.folder,
        env=dict(environ or visit.environ),
    )
    return (done.stdout + done.stderr).decode(errors="replace")


def _read_file(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")

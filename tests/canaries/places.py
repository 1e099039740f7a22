"""Where it is looked. Another place is another line in one of these lists."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import trio

from tests.canaries.marks import ADMIN_TOKEN, HANDLE, STATE_KEY, TEXT, WORDS
from tests.durability.process import ConnectorProcess
from tests.support.collector import Collector

PAGES = (
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/"),
    ("GET", "/dashboard/events"),
    ("GET", "/dashboard/letters"),
    ("GET", "/login"),
    ("POST", "/login"),
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
    collector: Collector


async def read_places(visit: Visit) -> dict[str, str]:
    """Each place with all that it shows."""
    shown: dict[str, str] = {}
    for whose in ("a stranger's", "an administrator's"):
        for method, path in PAGES:
            shown[f"{whose} {method} {path}"] = await _read_page(visit, method, path)
        answer = await visit.http.post(f"{visit.connector.url}/login", data={"token": ADMIN_TOKEN})
        assert answer.status_code == 303
    shown["traces"] = str(visit.collector.requests)
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
    come = ""
    with trio.move_on_after(2.0):
        url = f"{visit.connector.url}{path}"
        request = visit.http.build_request(method, url, params=marks, headers=headers, content=body)
        answer = await visit.http.send(request, stream=True)
        try:
            come += f"{answer.status_code}\n{answer.headers}\n"
            async for text in answer.aiter_text():
                come += text
        finally:
            with trio.CancelScope(shield=True):
                await answer.aclose()
    return come


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

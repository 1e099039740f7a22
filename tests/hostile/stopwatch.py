"""Stands between Genesys Cloud and the connector, in a process of its own: times each webhook.

    python -m tests.hostile.stopwatch TARGET COPIES CALLER

Whoever else is busy on this machine must not be measured along. ``COPIES`` takes a JSON array of
signature, body and milliseconds for each webhook.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import trio
from quart import Response, request
from quart_trio import QuartTrio

from sandbox.serving import serve
from tests.conftest import ROOT

GENESYS = "192.0.2.1"


@asynccontextmanager
async def open_stopwatch(
    target: str, copies: Path, *, behind_proxy: bool
) -> AsyncIterator[tuple[str, Callable[[], list[float]]]]:
    """Run it while the block runs; yields its address, and what reads the times so far."""
    await trio.Path(copies).touch()
    command = [sys.executable, "-m", "tests.hostile.stopwatch", target, str(copies)]
    command.append(GENESYS if behind_proxy else "")
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        url = (await process.stdout.receive_some()).decode().strip()
        yield (
            f"{url}/webhook",
            lambda: [json.loads(line)[2] for line in copies.read_text("ascii").splitlines()],
        )
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdout.aclose()


async def _stand_between(target: str, copies: Path, caller: str) -> None:
    app = QuartTrio("stopwatch")
    named = {"X-Forwarded-For": caller} if caller else {}
    async with httpx.AsyncClient(timeout=15.0) as http, serve(app) as url:

        @app.post("/webhook")
        async def pass_on() -> Response:
            body = await request.body
            signature = request.headers["X-Hub-Signature-256"]
            headers = {**named, "X-Hub-Signature-256": signature}
            began = trio.current_time()
            try:
                answer = await http.post(target, content=body, headers=headers)
            except httpx.TransportError:
                return Response(b"", status=502)
            took_ms = 1000.0 * (trio.current_time() - began)
            with copies.open("a", encoding="ascii") as lines:
                lines.write(json.dumps([signature, body.decode("latin-1"), took_ms]) + "\n")
            return Response(b"", status=answer.status_code)

        print(url, flush=True)  # noqa: T201
        await trio.sleep_forever()


if __name__ == "__main__":
    trio.run(_stand_between, sys.argv[1], Path(sys.argv[2]), sys.argv[3])

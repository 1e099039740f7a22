"""No secret comes out anywhere, and nobody's words but where they belong."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from actors.dedup_store.state_dir import find_server
from sandbox.world import World, open_world
from tests.canaries import day, marks
from tests.canaries.places import Visit, read_places, run_command
from tests.durability.process import ConnectorProcess, make_environ
from tests.durability.trial import QUICK
from tests.support.collector import open_collector

AWAY_S = 1.5
COMMAND = (sys.executable, "-m", "tests.canaries.fragile")


class Server:
    """A Redis with a password."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: trio.Process | None = None
        self.url = f"unix://:{marks.REDIS_PASSWORD}@{self._socket}"

    async def start(self) -> None:
        binary = find_server()
        assert binary is not None
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "requirepass": marks.REDIS_PASSWORD,
            "dir": str(self._folder),
            "appendonly": "yes",
            "logfile": str(self._folder / "redis.log"),
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = await trio.lowlevel.open_process([str(binary), *flags])

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[tuple[World, Visit, Server]]:
    """Both platforms, a Redis, and a connector with a canary in every secret."""
    server = Server(folder)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(random.SystemRandom()))
        http = await stack.enter_async_context(httpx.AsyncClient())
        collector = stack.enter_context(open_collector())
        world.bluesky.add_app_password(world.brand, marks.APP_PASSWORD)
        world.genesys.client_secret = marks.CLIENT_SECRET
        world.genesys.access.client_secret = marks.CLIENT_SECRET
        world.genesys.integration.webhook_secret = marks.WEBHOOK_SECRET
        world.bluesky.sessions.access_ttl_s = 5
        variables = {
            **world.environ(),
            **QUICK,
            "BLUESKY_APP_PASSWORD": marks.APP_PASSWORD,
            "REDIS_URL": server.url,
            "STATE_KEY": marks.STATE_KEY,
            "ADMIN_TOKEN": marks.ADMIN_TOKEN,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={marks.COLLECTOR_KEY}",
            "LOG_LEVEL": "debug",
        }
        connector = ConnectorProcess(make_environ(variables), folder, command=COMMAND)
        world.genesys.webhook_url = f"{connector.url}/webhook"
        environ = {**connector.environ, "COLUMNS": "500"}
        await server.start()
        try:
            await connector.start()
            await connector.wait_ready(http)
            yield world, Visit(connector, environ, folder, http, collector), server
        finally:
            with trio.CancelScope(shield=True):
                await connector.kill()
                await server.stop()


async def settle(visit: Visit) -> dict[str, Any]:
    """What ``/health`` says when nothing is left to be done."""
    with trio.fail_after(day.WITHIN_S):
        while True:
            health = await visit.connector.health(visit.http)
            if health and health["dead_letters"] >= day.LETTERS and not health["journal"]["depth"]:
                return health
            await trio.sleep(0.1)


def _find_leaks(place: str, shown: str) -> list[str]:
    readable = _drop_debug(shown) if place == "connector.log" else shown
    return marks.find_secrets(shown) + marks.find_words(readable)


def _drop_debug(log: str) -> str:
    """What the log is at ``info``."""
    lines = log.splitlines()
    return "\n".join(line for line in lines if json.loads(line)["level"] != "debug")


async def test_no_secret_comes_out_and_no_word_but_at_debug(tmp_path: Path) -> None:
    """Logs, pages, commands, crashes and the sealed store, after all that can go wrong has."""
    async with open_house(tmp_path) as (world, visit, server):
        await day.live(world, visit.connector.url, visit.http)
        await settle(visit)
        await server.stop()
        await trio.sleep(AWAY_S)
        await server.start()
        await settle(visit)
        places = await read_places(visit)
        leaks = {place: _find_leaks(place, shown) for place, shown in places.items()}
        shown = await run_command(visit, "dead-letters", "show", "post:")
        assert marks.TEXT in shown
        assert marks.find_secrets(shown) == []
        assert await visit.connector.stop(20.0) == 0
        leaks["stderr at the end"] = marks.find_secrets(visit.connector.read_errors())
        log = (tmp_path / "connector.log").read_text("utf-8")
        events = {json.loads(line)["event"] for line in log.splitlines()}
        assert {"actor crashed", "actor backing off", "message given up"} <= events
    told = [f"{place}: {one!r}" for place, found in leaks.items() for one in sorted(set(found))]
    assert not told, "\n".join(told)
    assert len(places) > 15
    assert places["a stranger's GET /dashboard/events"].startswith("401")
    assert "event:" in places["an administrator's GET /dashboard/events"]
    assert "webhook:" in places["an administrator's GET /dashboard/letters"]
    assert "span" in places["traces"]

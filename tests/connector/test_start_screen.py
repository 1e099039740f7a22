"""Once it is up, the connector says who it is and what it watches: a screen, or a line."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import termios
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio

from sandbox.faults import Delay
from sandbox.world import World, open_world
from tests.connector.connected import QUICK
from tests.connector.letters import make_environ
from tests.connector.test_command_line import COMMAND, WITHIN_S

LABELS = ("account", "genesys", "monitored", "contacts", "store", "webhook")


async def test_at_a_terminal_there_is_one_calm_screen(tmp_path: Path) -> None:
    """Version, account with its DID, the integration, what is watched, the store, the webhook."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = "https://connector.example/webhook"
        told = await _run_at_terminal(world, {**world.environ(), **QUICK}, tmp_path)
    assert told.count("bluesky-genesys 1.0.0, leads") == 1
    for words in (
        f"@{world.brand.handle}",
        world.brand.did,
        "“Bluesky Integration”",
        "mentions, replies and quotes every 0.1 s",
        "1 search query every 0.1 s",
        "direct messages every 0.1 s",
        "one for each account",
        f"embedded, in {tmp_path / 'state'}",
        "called by Genesys Cloud at https://connector.example/webhook",
        "Ctrl-C stops it.",
    ):
        assert words in told


async def test_in_a_container_one_line_of_the_log_has_the_same(tmp_path: Path) -> None:
    """As JSON, with the same fields, and no secret."""
    async with open_world(random.SystemRandom()) as world:
        ready = await _read_ready(world, {**world.environ(), **QUICK}, tmp_path)
    assert set(LABELS) <= set(ready)
    assert world.brand.did in ready["account"]
    assert world.genesys.webhook_secret not in json.dumps(ready)


async def test_what_does_not_answer_delays_nothing_and_is_left_open(tmp_path: Path) -> None:
    """Genesys Cloud says nothing: the connector runs all the while, and then says what it knows."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.faults.add("/integrations/open/", Delay(30.0))
        world.bluesky.post(world.customers[0], f"Hello @{world.brand.handle}")
        with trio.fail_after(WITHIN_S):
            async with _process(world, {**world.environ(), **QUICK}, tmp_path) as process:
                await world.genesys.wait_until(lambda: len(world.genesys.ingested) == 1)
                ready = await _find_ready(process)
    assert "not known yet" in ready["genesys"]
    assert world.brand.did in ready["account"]


async def test_wrong_credentials_are_said_there_and_it_stays_up(tmp_path: Path) -> None:
    """So that whoever starts it sees it at once: in Bluesky's words, whoever logged in first."""
    async with open_world(random.SystemRandom()) as world:
        environ = {**world.environ(), **QUICK, "BLUESKY_APP_PASSWORD": "wrong"}
        ready = await _read_ready(world, environ, tmp_path)
    assert "not logged in: " in ready["account"]
    assert "401 AuthenticationRequired: Invalid identifier or password" in ready["account"]


class _process:  # noqa: N801 (used like a function)
    """The connector without a terminal, stopped at the end of the block."""

    def __init__(self, world: World, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder

    async def __aenter__(self) -> trio.Process:
        self._running = await trio.lowlevel.open_process(
            [*COMMAND, "run"],
            stdout=subprocess.PIPE,
            cwd=self._folder,
            env=make_environ(self._environ),
        )
        return self._running

    async def __aexit__(self, *_: object) -> None:
        with trio.move_on_after(WITHIN_S, shield=True):
            self._running.send_signal(signal.SIGTERM)
            await self._running.wait()
        self._running.kill()


async def _read_ready(world: World, environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    with trio.fail_after(WITHIN_S):
        async with _process(world, environ, folder) as process:
            return await _find_ready(process)


async def _find_ready(process: trio.Process) -> dict[str, Any]:
    assert process.stdout is not None
    read = b""
    while True:
        read += await process.stdout.receive_some()
        for line in read.splitlines():
            if b'"ready"' in line and line.endswith(b"}"):
                found: dict[str, Any] = json.loads(line)
                return found


async def _run_at_terminal(world: World, environ: Mapping[str, str], folder: Path) -> str:
    """What is shown until the screen is complete; then Ctrl-C."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (50, 120))
    shown = b""
    process = await trio.lowlevel.open_process(
        [*COMMAND, "run"],
        stdin=there,
        stdout=there,
        stderr=there,
        cwd=folder,
        env=make_environ(environ),
    )
    os.close(there)
    try:
        with trio.fail_after(WITHIN_S), suppress(OSError):
            while b"Ctrl-C stops it." not in shown:
                shown += await trio.to_thread.run_sync(os.read, here, 65536)
            process.send_signal(signal.SIGINT)
            while True:
                shown += await trio.to_thread.run_sync(os.read, here, 65536)
        assert await process.wait() == 0
    finally:
        process.kill()
        os.close(here)
    return shown.decode()

"""The command line as an administrator meets it, in a process of its own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import trio

from sandbox.world import World, open_world
from tests.conftest import ROOT
from tests.connector.connected import QUICK

WITHIN_S = 30.0
POSTS = 250
COMMAND = (sys.executable, "-m", "connector.cli")


async def call(
    *arguments: str, environ: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[bytes]:
    """Run one command to its end in an empty folder, with this environment and no other."""
    with trio.fail_after(WITHIN_S):
        return await trio.run_process(
            [*COMMAND, *arguments],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        )


async def test_missing_settings_are_named_and_no_traceback_shown(tmp_path: Path) -> None:
    """Exit code 2, one line for each variable, and where they are explained."""
    done = await call("run", environ={"PORT": "high"}, folder=tmp_path)

    told = done.stderr.decode()
    assert done.returncode == 2
    assert "BLUESKY_HANDLE: missing" in told
    assert "GC_SOCIAL_RULE_ID: missing" in told
    assert "PORT: not a whole number" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(("argument", "said"), [("--help", "check"), ("--version", "1.0.0")])
async def test_help_and_version(tmp_path: Path, argument: str, said: str) -> None:
    """Both need no settings."""
    done = await call(argument, environ={}, folder=tmp_path)

    assert done.returncode == 0
    assert said in done.stdout.decode()


async def test_check_finds_nothing_to_mend(tmp_path: Path) -> None:
    """All is set up: each item is ok, and the exit code is 0."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = "https://connector.example/webhook"
        done = await call("check", environ=world.environ(), folder=tmp_path)

    told = done.stdout.decode()
    assert done.returncode == 0, told
    assert told.count("  ok  ") == 9


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("BLUESKY_APP_PASSWORD", "wrong", "BLUESKY_APP_PASSWORD"),
        ("BLUESKY_APP_PASSWORD", "no-chat", "Allow access to your direct messages"),
        ("GC_CC_CLIENT_SECRET", "wrong", "GC_CC_CLIENT_SECRET"),
        ("GC_INTEGRATION_ID", "wrong", "GC_INTEGRATION_ID"),
        ("GC_SOCIAL_TOPIC_ID", "wrong", "GC_SOCIAL_TOPIC_ID"),
        ("GC_SOCIAL_RULE_ID", "wrong", "GC_SOCIAL_RULE_ID"),
        ("GC_EXTERNAL_SOURCE_ID", "wrong", "GC_EXTERNAL_SOURCE_ID"),
        ("GC_EC_DIVISION_ID", "wrong", "GC_EC_DIVISION_ID"),
    ],
)
async def test_check_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, variable: str, value: str, named: str
) -> None:
    """Exit code 1, and the remedy names the variable or the setting."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.webhook_url = "https://connector.example/webhook"
        world.bluesky.add_app_password(world.brand, "no-chat", direct_messages=False)
        done = await call("check", environ={**world.environ(), variable: value}, folder=tmp_path)

    assert done.returncode == 1
    remedies = [line for line in done.stdout.decode().splitlines() if "→" in line]
    assert len(remedies) == 1
    assert named in remedies[0]


async def test_sigterm_under_way_ends_with_0_and_loses_nothing(tmp_path: Path) -> None:
    """It stops within the grace period; what it had not carried yet, the next start carries."""
    async with open_world(random.SystemRandom()) as world:
        environ = {**world.environ(), **QUICK, "GENESYS_SENDER_RATE": "1/1s"}
        posts = [
            world.bluesky.post(world.customers[0], f"@{world.brand.handle} number {number}")
            for number in range(POSTS)
        ]
        first = await _run_until(world, environ, tmp_path, arrived=10)
        assert len(world.genesys.ingested) < POSTS
        second = await _run_until(world, environ, tmp_path, arrived=POSTS)

    assert (first, second) == (0, 0)
    assert sorted(one.provider_message_id for one in world.genesys.ingested) == sorted(
        post.uri for post in posts
    )


async def _run_until(
    world: World, environ: Mapping[str, str], folder: Path, *, arrived: int
) -> int:
    """Run the connector until so many posts have arrived, then SIGTERM; returns its exit code."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, "run"],
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
    )
    try:
        with trio.fail_after(WITHIN_S):
            await world.genesys.wait_until(lambda: len(world.genesys.ingested) >= arrived)
            process.send_signal(signal.SIGTERM)
            return await process.wait()
    finally:
        process.kill()

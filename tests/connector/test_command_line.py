"""The command line as an administrator meets it, in a process of its own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import trio

from sandbox.world import World, open_world
from tests.conftest import ROOT
from tests.connector.connected import QUICK, open_connected

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


async def test_what_the_system_does_not_allow_is_said_in_a_line(tmp_path: Path) -> None:
    """A port in use, or a STATE_DIR that is a file: exit code 2, no traceback, what to check."""
    (tmp_path / "file").write_text("")
    async with open_world(random.SystemRandom()) as world:
        port = world.bluesky_url.rpartition(":")[2]
        taken = {**world.environ(), "HOST": "127.0.0.1", "PORT": port}
        no_folder = {**world.environ(), "PORT": "0", "STATE_DIR": str(tmp_path / "file")}
        for environ, named in ((taken, "PORT"), (no_folder, "STATE_DIR")):
            done = await call("run", environ=environ, folder=tmp_path)
            told = done.stderr.decode()
            assert done.returncode == 2, told
            assert "Traceback" not in told
            assert named in told


async def test_the_story_can_be_interrupted(tmp_path: Path) -> None:
    """SIGTERM ends it at once, with nothing left behind and no traceback."""
    process = await trio.lowlevel.open_process(
        [*COMMAND, "sandbox", "--story"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(tmp_path),
        },
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with trio.fail_after(WITHIN_S):
        await process.stdout.receive_some()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 130
        assert await process.stderr.receive_some() == b""
    assert await trio.to_thread.run_sync(os.listdir, tmp_path) == []


async def test_a_webhook_during_the_stop_is_answered(tmp_path: Path) -> None:
    """While it stops a webhook is taken or answered 503; none is left hanging or cut."""
    body = b'{"not": "signed"}'
    async with open_connected(tmp_path) as connected, trio.open_nursery() as nursery:
        statuses: list[int | str] = []

        async def knock(after_s: float) -> None:
            await trio.sleep(after_s)
            try:
                answer = await connected.http.post(f"{connected.url}/webhook", content=body)
                statuses.append(answer.status_code)
            except httpx.NetworkError:
                # Never accepted: the listener was closed. One that was accepted is answered.
                statuses.append("refused")

        for tenths in range(6):
            nursery.start_soon(knock, tenths / 10)
        connected.stop()

    assert len(statuses) == 6
    assert set(statuses) <= {401, 503, "refused"}


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

"""The command in a process of its own, with and without a terminal."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import trio

from connector.cli import setup
from sandbox.genesys.access import ALL_PERMISSIONS
from sandbox.world import BRAND_PASSWORD, World, open_world
from tests.conftest import ROOT
from tests.connector.setup.administrator import ONE_OF_EACH, PUBLIC_URL, open_office
from tests.connector.test_command_line import call

WITHIN_S = 30.0
CTRL_C = "\x03"
AT_TERMINAL = """
import fcntl, runpy, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ["bluesky-genesys", "setup"]
runpy.run_module("connector.cli", run_name="__main__")
"""
"""Takes the terminal for its own, so that Ctrl-C reaches it, also from tests in the background."""

PAGE = (ROOT / "docs" / "setup.md").read_text("utf-8")


async def test_a_script_sets_up_and_checks(tmp_path: Path, store: dict[str, str]) -> None:
    """Without a terminal, from options and environment, to a check with nothing to mend."""
    async with open_office(tmp_path, store) as office:
        environ = dict(office.environ)
        options = ["--handle", f"@{environ.pop('BLUESKY_HANDLE')}", "--contacts"]
        options += ["--public-url", environ.pop("PUBLIC_URL")]
        del environ["ENABLE_EXTERNAL_CONTACTS"]
        made = await call("setup", *options, environ=environ, folder=tmp_path)
        checked = await call("check", environ=environ, folder=tmp_path)

        assert made.returncode == 0, made.stderr.decode()
        assert office.things() == ONE_OF_EACH
        assert checked.returncode == 0, checked.stdout.decode()
        assert office.count_logins() == 1


async def test_a_person_at_a_terminal_types_secrets_unseen(
    tmp_path: Path, store: dict[str, str]
) -> None:
    """A wrong answer is asked for again; no secret appears on the screen."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.setup.clear()
        environ = {"GC_API_URL": world.genesys_url, "GC_LOGIN_URL": world.genesys_url, **store}
        screen = await _converse(_make_dialogue(world), environ, tmp_path)

        assert screen.status == 0, screen.text
        assert "PUBLIC_URL: expected an address" in screen.text
        assert BRAND_PASSWORD not in screen.text
        assert world.genesys.client_secret not in screen.text
        assert len(world.genesys.setup.integrations) == 1


async def test_who_leaves_at_a_question_leaves_nothing_behind(
    tmp_path: Path, store: dict[str, str]
) -> None:
    """Ctrl-C while it asks: no traceback, nothing made, no .env."""
    async with open_world(random.SystemRandom()) as world:
        world.genesys.setup.clear()
        environ = {"GC_API_URL": world.genesys_url, "GC_LOGIN_URL": world.genesys_url, **store}
        dialogue = [*_make_dialogue(world)[:7], ("Public address", CTRL_C)]
        screen = await _converse(dialogue, environ, tmp_path)

        assert screen.status != 0
        assert "Traceback" not in screen.text
        assert world.genesys.setup.integrations == {}
        assert not (tmp_path / ".env").exists()


def test_the_page_names_every_permission_and_every_option() -> None:
    """What the sandbox asks for is what the platform asks for: see its own tests."""
    named = set(re.findall(r"`([A-Za-z]+:[A-Za-z]+:[A-Za-z]+)`", PAGE))
    assert named == ALL_PERMISSIONS - {"externalContacts:conversation:associate"}
    options = {option for parameter in setup.params for option in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)`", PAGE)) <= options


def _make_dialogue(world: World) -> list[tuple[str, str]]:
    genesys = world.genesys
    return [
        ("Handle", f"@{world.brand.handle}\n"),
        ("App password", f"{BRAND_PASSWORD}\n"),
        ("account's server", f"{world.bluesky_url}\n"),
        ("region", f"{genesys.region}\n"),
        ("Id of the OAuth", f"{genesys.client_id}\n"),
        ("Secret of", f"{genesys.client_secret}\n"),
        ("contact for every", "\n"),
        ("Public address", "nonsense\n"),
        ("Public address", f"{PUBLIC_URL}\n"),
        ("Id of the division", f"{genesys.division_id}\n"),
    ]


@dataclass(frozen=True)
class Screen:
    """What a terminal showed, and the exit status."""

    text: str
    status: int


async def _converse(
    dialogue: list[tuple[str, str]], environ: Mapping[str, str], folder: Path
) -> Screen:
    """Run the command at a terminal, and type each answer when its question is there."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220 - a terminal is no pipe that trio could read
        [sys.executable, "-c", AT_TERMINAL],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        with trio.fail_after(WITHIN_S):
            shown = await _type(ours, dialogue)
            status = await trio.to_thread.run_sync(process.wait)
    except trio.TooSlowError:
        # Else the tests after this one would be blamed for it.
        process.kill()
        await trio.to_thread.run_sync(process.wait)
        raise
    finally:
        os.close(ours)
    assert dialogue == []
    return Screen(shown.decode(), status)


async def _type(terminal: int, dialogue: list[tuple[str, str]]) -> bytes:
    """Type each answer when its question is there. Returns all that was shown, to the end.

    Python does not hear a Ctrl-C between the question and the reading of its answer, which nobody
    but a test is quick enough for: whoever sees nothing happen presses it again.
    """
    shown = b""
    typed = ""
    while True:
        try:
            with trio.move_on_after(1.0 if typed == CTRL_C else math.inf) as looking:
                await trio.lowlevel.wait_readable(terminal)
            if looking.cancelled_caught:
                os.write(terminal, CTRL_C.encode())
                continue
            shown += os.read(terminal, 4096)
        except OSError:  # The other end is closed: it has ended.
            return shown
        if dialogue and dialogue[0][0].encode() in shown.splitlines()[-1]:
            typed = dialogue.pop(0)[1]
            os.write(terminal, typed.encode())

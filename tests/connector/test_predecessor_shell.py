"""What an agent writes is text and nothing else, and no process is ever started with it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import World
from tests.conftest import ROOT
from tests.connector.connected import Connected, open_connected

STARTS_A_SERVER = "actors/dedup_store/embedded.py"
"""The one file that may start a process: the embedded store's, with no words of anybody."""

MODULES = {"subprocess", "pty", "multiprocessing"}
OF_OS = ("system", "popen", "fork", "exec", "spawn", "posix_spawn")
FUNCTIONS = {name for name in dir(os) if name.startswith(OF_OS)} | {
    "open_process",
    "run_process",
    "create_subprocess_exec",
    "create_subprocess_shell",
}

HOSTILE = (
    '"; touch pwned; $(touch pwned2) #',
    "'; touch pwned; '",
    "`touch pwned` && touch pwned2 | touch pwned3 > pwned4",
    "$HOME %PATH% \\n \\u0041 {0} %s ${jndi:x} -rf --help",
)


def sent(world: World) -> list[str]:
    """What the customer got from the brand."""
    messages = world.bluesky.direct_messages.between(world.customers[0], world.brand)
    return [one.text for one in messages if one.sender == world.brand.did]


async def conversation(connected: Connected) -> str:
    """The id of a private conversation that the customer has begun."""
    world = connected.world
    world.bluesky.direct_messages.send(world.customers[0], world.brand, "Hello?")
    return (await connected.receives("Hello?")).conversation_id


@pytest.mark.parametrize("text", HOSTILE)
async def test_3_a_text_full_of_shell_arrives_as_it_is_and_runs_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, as a direct message and as a reply; nothing appears where it would run."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    async with open_connected(tmp_path / "state") as connected:
        world = connected.world
        private = world.genesys.conversations[await conversation(connected)]
        public = await connected.conversation()
        for one, in_public in ((private, False), (public, True)):
            message = world.genesys.agent_reply(one, text, public=in_public)
            assert await connected.concluded(message) == "Delivered"
        assert sent(world) == [text]
        (post,) = world.bluesky.posts(world.brand)
        assert post.text == text
    assert list(here.iterdir()) == []


async def test_3_typing_sends_nothing(tmp_path: Path) -> None:
    """It is counted; what the agent then writes is the first that the customer sees."""
    async with open_connected(tmp_path) as connected:
        world = connected.world
        private = world.genesys.conversations[await conversation(connected)]
        typing = world.genesys.agent_types(private)
        message = world.genesys.agent_reply(private, "Here I am.", public=False)
        assert await connected.concluded(message) == "Delivered"
        assert (typing.status, typing.receipts) == ("delivered", [])
        assert sent(world) == ["Here I am."]
        assert len(world.genesys.receipts) == 1
        receiver = await connected.actor("WebhookReceiver")
        assert receiver["skipped"] == {"typing": 1}


def find_processes(source: str) -> list[str]:
    """The names in a source by which processes or shells are started."""
    return [name for node in ast.walk(ast.parse(source)) for name in _find_names(node)]


def _find_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names if one.name.partition(".")[0] in MODULES)
        case ast.ImportFrom(module=module, names=names):
            if (module or "").partition(".")[0] in MODULES:
                yield module or ""
            yield from (one.name for one in names if _starts_a_process(one.name))
        case ast.Attribute(attr=name) if _starts_a_process(name):
            yield name
        case ast.keyword(arg="shell"):
            yield "shell="


def _starts_a_process(name: str) -> bool:
    return name in MODULES or name in FUNCTIONS


def test_3_no_source_starts_a_process_but_that_of_the_embedded_store() -> None:
    """So there is nothing that an agent's or a customer's words could be given to."""
    sources = [
        path for part in ("actors", "runtime", "connector") for path in (ROOT / part).rglob("*.py")
    ]
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sources
        if (names := find_processes(path.read_text("utf-8")))
    }
    assert set(found) == {STARTS_A_SERVER}
    assert "shell=" not in found[STARTS_A_SERVER]


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import asyncio; asyncio.create_subprocess_exec",
        "from subprocess import run as go",
        "from os import system",
        "import os; os.popen('ls')",
        "import os; os.execvp('ls', [])",
        "import trio; trio.run_process",
        "from trio.lowlevel import open_process",
        "run('ls', shell=True)",
    ],
)
def test_the_search_for_processes_finds_them(source: str) -> None:
    """A test that cannot fail proves nothing."""
    assert find_processes(source)

"""``bluesky-genesys forget``, as a person at a terminal meets it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from actors.items import make_contact_item
from actors.messages import Author
from actors.store import Value
from connector.cli import main
from connector.settings import Settings
from sandbox.faults import Status
from tests.connector.connected import open_connected
from tests.connector.letters import ask, read_queues
from tests.connector.test_command_line import call

ALICE = Author("did:plc:alice", "alice.example", "Alice")


def forget(environ: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["forget", *arguments], env=environ)


@pytest.fixture
def known(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A store that has met Alice."""
    monkeypatch.chdir(tmp_path)
    state = Value("contact", ALICE.did, "{}")
    ask(settings, lambda store: store.record([make_contact_item(ALICE, "x")], values=[state]))
    return settings


def test_without_a_connector_it_says_what_it_removed(
    known: Settings, environ: dict[str, str]
) -> None:
    """By kind and number, with what stays and what is elsewhere; then nothing is left."""
    looked = forget(environ, ALICE.did, "--dry-run")
    assert looked.exit_code == 0
    assert "      1  contacts that waited to be kept\n" in looked.stdout
    assert "Removed" not in looked.stdout
    assert read_queues(known) != {}
    done = forget(environ, ALICE.did, "--yes")
    assert done.exit_code == 0
    assert "      1  last states of the contact\n" in done.stdout
    assert "Removed: 2.\n" in done.stdout
    assert "marks that keep things from being taken in twice" in done.stdout
    assert "the conversations: by a GDPR request" in done.stdout
    assert read_queues(known) == {}
    assert "      0  traces in the store\n" in forget(environ, ALICE.did, "--yes").stdout


def test_nothing_goes_unless_somebody_says_so(known: Settings, environ: dict[str, str]) -> None:
    """Without a terminal there is nobody to ask."""
    done = forget(environ, ALICE.did)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Add --yes." in done.stderr
    assert read_queues(known) != {}


async def test_beside_a_connector_a_handle_is_enough(tmp_path: Path) -> None:
    """What waits for Genesys Cloud goes, the connector goes on, and nothing comes twice."""
    async with open_connected(tmp_path / "state") as connected:
        world = connected.world
        environ = {**world.environ(), "STATE_DIR": str(tmp_path / "state")}
        alice, bob = world.customers[:2]
        first = world.bluesky.post(alice, f"@{world.brand.handle} first")
        await connected.arrives(first)
        rule = world.genesys.faults.add("/messages/bulk$", Status(503), count=None)
        second = world.bluesky.post(alice, f"@{world.brand.handle} second")
        await connected.until("GenesysSender", lambda actor: actor["last_error"] is not None)
        third = world.bluesky.post(alice, f"@{world.brand.handle} third", reply_to=second)
        with trio.fail_after(10):
            while (await connected.health())["journal"]["depth"] < 2:  # noqa: ASYNC110 - by HTTP
                await trio.sleep(0.02)
        done = await call("forget", f"@{alice.handle}", "--yes", environ=environ, folder=tmp_path)
        assert f"{alice.did}:\n" in done.stdout.decode()
        assert done.returncode == 1
        assert "1 left: they may be on their way" in done.stderr.decode()
        world.genesys.faults.remove(rule)
        await connected.arrives(second)
        await connected.arrives(world.bluesky.post(bob, f"@{world.brand.handle} fourth"))
        uris = [one.provider_message_id for one in world.genesys.ingested]
        assert (uris.count(first.uri), uris.count(second.uri), uris.count(third.uri)) == (1, 1, 0)
        again = await call("forget", alice.did, "--yes", environ=environ, folder=tmp_path)
        assert again.returncode == 0, again.stderr
        quiet = await call("forget", alice.did, "--dry-run", environ=environ, folder=tmp_path)
        assert "      0  traces in the store\n" in quiet.stdout.decode()


async def test_a_handle_that_nobody_has_is_told(tmp_path: Path) -> None:
    """With what to name instead."""
    async with open_connected(tmp_path / "state") as connected:
        environ = {**connected.world.environ(), "STATE_DIR": str(tmp_path / "state")}
        done = await call("forget", "nobody.example", "--yes", environ=environ, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, b"")
        assert "→ Name the DID." in done.stderr.decode()

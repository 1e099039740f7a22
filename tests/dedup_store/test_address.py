"""``REDIS_URL`` and ``REDIS_TOKEN`` in all their forms, and which store it becomes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.dedup_store import open_database
from actors.dedup_store.address import RedisAddress, parse_address
from actors.dedup_store.keys import Keys
from actors.dedup_store.opening import open_memory
from actors.dedup_store.state_dir import choose_socket, find_server
from tests.dedup_store.house import House, item
from tests.dedup_store.test_embedded import Events


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", RedisAddress("cache")),
        ("redis://cache:7000/2", RedisAddress("cache", 7000, database=2)),
        ("redis://cache/?db=3", RedisAddress("cache", database=3)),
        ("redis://[::1]:7000", RedisAddress("::1", 7000)),
        ("redis://:p%40ss@cache", RedisAddress("cache", password="p@ss")),
        ("rediss://u:p@cache", RedisAddress("cache", tls=True, username="u", password="p")),
        ("unix:///run/redis.sock", RedisAddress(path="/run/redis.sock")),
        ("unix://u:p@/run/r.sock?db=1", RedisAddress("", 6379, "/run/r.sock", 1, False, "u", "p")),
    ],
)
def test_an_address_is_read(url: str, address: RedisAddress) -> None:
    """As redis tools write them."""
    assert parse_address(url) == address


@pytest.mark.parametrize("url", ["https://eu1-x.upstash.io", "https://eu1-x.upstash.io/"])
def test_upstash_is_reached_over_tls_with_the_token_as_password(url: str) -> None:
    """The console's address and token are enough."""
    expected = RedisAddress("eu1-x.upstash.io", tls=True, username="default", password="T")
    assert parse_address(url, "T") == expected


@pytest.mark.parametrize(
    ("url", "token", "expected"),
    [
        ("", None, "write redis://"),
        ("cache:6379", None, "write redis://"),
        ("http://cache", None, "write redis://"),
        ("redis://", None, "write redis://"),
        ("redis://cache:port", None, "write redis://"),
        ("redis://[cache", None, "write redis://"),
        ("redis://cache/x", None, "the database is a number"),
        ("redis://cache?ssl=1", None, "no option"),
        ("unix://run/redis.sock", None, "unix:///PATH"),
        ("https://cache", None, "REDIS_TOKEN is missing"),
        ("https://u:hunter2@cache", "T", "https://HOST and nothing more"),
        ("https://cache/path", "T", "https://HOST and nothing more"),
        ("redis://cache", "T", "only with an https://"),
    ],
)
def test_a_wrong_address_says_what_is_expected(url: str, token: str | None, expected: str) -> None:
    """In a sentence, before anything starts."""
    with pytest.raises(ValueError, match="REDIS_") as caught:
        parse_address(url, token)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://u:hunter2@", "http://u:hunter2@h", "rediss://:hunter2@h/x"]
)
def test_an_error_repeats_no_password(url: str) -> None:
    """Nor does its chain of causes."""
    with pytest.raises(ValueError, match="REDIS_URL") as caught:
        parse_address(url)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_an_address_does_not_show_its_password() -> None:
    """It may appear in logs."""
    address = parse_address("redis://u:hunter2@cache")
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize("namespace", ["", "a b", "a}b", "a\n"])
def test_a_namespace_is_one_plain_word(namespace: str) -> None:
    """It is part of every key, within a hash tag."""
    with pytest.raises(ValueError, match="namespace"):
        Keys(namespace)


def test_a_server_is_found_on_the_path(tmp_path: Path) -> None:
    """redis-server before valkey-server."""
    for name in ("valkey-server", "redis-server"):
        program = tmp_path / name
        program.write_text("")
        program.chmod(0o700)
        assert find_server(str(tmp_path)) == program


def test_the_socket_of_a_short_state_directory_lies_in_it() -> None:
    """Where one looks for it."""
    assert choose_socket(Path("/var/lib/connector")) == Path("/var/lib/connector/redis.sock")


def test_a_socket_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write there could answer in the server's place."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"bluesky-genesys-{os.getuid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="not a private folder"):
        choose_socket(Path("/" + "deep" * 40))
    folder.chmod(0o700)
    assert choose_socket(Path("/" + "deep" * 40)).parent == folder


async def test_memory_says_that_it_forgets() -> None:
    """It works, and the warning is in ``/health``."""
    house = House(open_memory())
    async with house.open():
        await house.store.record([item("a")])
        await house.quiet()
    state = house.gauge.read()
    assert (state.kind, state.status) == ("memory", "ok")
    assert "lost when this process ends" in (state.reason or "")


async def test_without_a_server_the_store_is_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is told at start."""
    monkeypatch.setattr("actors.dedup_store.opening.find_server", lambda: None)
    events = Events()
    async with open_database(
        None, state_dir=tmp_path, timeout_s=1.0, connections=1, log=events
    ) as database:
        assert database.kind == "memory"
    assert events.names == ["store in memory"]


def test_who_has_a_server_loads_nothing_for_the_store_in_memory() -> None:
    """It takes 0.2 s and 12 MB."""
    script = (
        "import sys, connector.cli, connector.run; "
        "print([one for one in ('redis', 'fakeredis') if one in sys.modules])"
    )
    run = [sys.executable, "-c", script]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"

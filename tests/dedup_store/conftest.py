"""The stores that the tests run on: in memory by default, and a real redis-server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.database import Database
from actors.dedup_store.opening import open_memory, open_remote
from tests.dedup_store.house import House
from tests.support.redis_client import connect

HouseMaker = Callable[..., House]


@pytest.fixture(scope="session")
def redis_address() -> Iterator[RedisAddress]:
    """A redis-server of the tests' own, on a unix socket."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("no redis-server on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
        try:
            wait_for_socket(server, Path(path))
            yield RedisAddress(path=path)
        finally:
            server.terminate()
            server.wait(10)


def wait_for_socket(server: subprocess.Popen[bytes], path: Path) -> None:
    """Return when the server listens; its socket is there a moment before."""
    while not _listens(path):
        assert server.poll() is None, "redis-server ended"


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as knocking:
        return knocking.connect_ex(str(path)) == 0


@pytest.fixture
def redis_client(redis_address: RedisAddress) -> Iterator[redis.Redis]:
    """To look into the real server, and to put it into trouble."""
    with closing(connect(redis_address, timeout_s=5.0)) as client:
        yield client


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Every store; the tests hold for all."""
    if request.param == "memory":
        database = open_memory()
    else:
        address = request.getfixturevalue("redis_address")
        database = open_remote(address, timeout_s=5.0, connections=4)
    with closing(database):
        yield database


@pytest.fixture
def house(database: Database) -> House:
    """DedupStore and all that it is given."""
    return House(database)


@pytest.fixture
def redis_house(redis_address: RedisAddress) -> Iterator[House]:
    """The same on the real server only."""
    with closing(open_remote(redis_address, timeout_s=5.0, connections=4)) as database:
        yield House(database)

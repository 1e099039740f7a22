"""A pause is kept in the store: it outlives the process, and holds for all processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import redis
import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.dedup_store.opening import open_remote
from actors.dedup_store.scripts import load_scripts
from actors.store import SetPaused, StoreUnavailable
from runtime.pause import Pause
from tests.dedup_store.house import House
from tests.dedup_store.test_lease import LONG, SHORT, AwayDatabase, Process


class PausingDatabase(Database):
    """A store in which somebody pauses DMPoller right after it was read what is paused."""

    def __init__(self, process: Process, database: Database) -> None:
        super().__init__(database._server, load_scripts(), kind="memory")
        self._commands = process.house.commands
        self.has_paused = False

    async def execute(self, commands: Sequence[Command]) -> list[Result]:
        """As usual."""
        results = await super().execute(commands)
        if not self.has_paused and self._commands.read_paused() in commands:
            self.has_paused = True
            await super().execute([self._commands.make(SetPaused("DMPoller", is_on=True), 0.0)])
        return results


async def test_a_pause_outlives_the_process(database: Database) -> None:
    """The next process knows of it before it leads; one that was lifted is forgotten."""
    first = Process(database)
    async with first.alive():
        await first.leads()
        for name in ("DMPoller", "SearchPoller"):
            await first.house.store.set_paused(name, is_on=True)
        await first.house.store.set_paused("SearchPoller", is_on=False)

    second = first.beside()
    pauses = [second.house.pauses.make(name) for name in ("DMPoller", "SearchPoller")]
    async with second.alive():
        await second.leads()
        assert [pause.is_on for pause in pauses] == [True, False]


async def test_a_process_does_not_lead_before_it_knows(database: Database) -> None:
    """A store that does not say what is paused is not led: nothing begins that should not."""
    process = Process(database)
    process.house.database = away = AwayDatabase(database)
    pause = process.house.pauses.make("DMPoller")
    other = process.beside()
    other.house.database = database
    async with other.house.open(dispatcher=False):
        await other.house.store.set_paused("DMPoller", is_on=True)
    away.is_away = True
    async with process.alive():
        with trio.move_on_after(0.2):
            await process.duty.wait_on()
        assert not process.duty.is_on
        away.is_away = False
        await process.leads()
        assert pause.is_on


async def test_what_is_paused_in_the_moment_of_taking_the_lease_is_paused(
    database: Database,
) -> None:
    """Nobody leads yet whose lease could tell of it, and what was read is older."""
    process = Process(database, LONG)
    process.house.database = pausing = PausingDatabase(process, database)
    pause = process.house.pauses.make("DMPoller")
    async with process.alive():
        await process.leads()
        await until(lambda: pause.is_on, pause)
    assert pausing.has_paused


async def test_a_leader_that_hears_nothing_learns_of_it_at_the_lease(database: Database) -> None:
    """In memory there is no bell; the next renewal says that there is something to read."""
    leader = Process(database, SHORT)
    pause = leader.house.pauses.make("DMPoller")
    async with leader.alive():
        await leader.leads()
        leader.lease.is_heard = False
        other = leader.beside()
        async with other.house.open(dispatcher=False):
            await other.house.store.set_paused("DMPoller", is_on=True)
            await until(lambda: pause.is_on, pause)
            await other.house.store.set_paused("DMPoller", is_on=False)
            await until(lambda: not pause.is_on, pause)


@pytest.mark.redis
async def test_all_processes_hear_of_it_at_once(
    redis_address: RedisAddress, redis_house: House
) -> None:
    """Leader and standby alike, long before either would look again."""
    leader = Process(redis_house.database, LONG)
    standby = leader.beside(LONG)
    standby.house.database = open_remote(redis_address, timeout_s=5.0, connections=4)
    pauses = [one.house.pauses.make("DMPoller") for one in (leader, standby)]
    async with leader.alive(), standby.alive():
        with trio.fail_after(10):
            while not (leader.lease.is_heard and standby.lease.is_heard):  # noqa: ASYNC110
                await trio.sleep(0.01)
        for is_on in (True, False):
            await standby.house.store.set_paused("DMPoller", is_on=is_on)
            with trio.fail_after(10):
                for pause in pauses:
                    await (pause.wait_begun() if is_on else pause.wait_over())
    standby.house.database.close()


@pytest.mark.redis
async def test_nothing_is_asked_while_nobody_pauses_anything(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """It is read when the process starts, and then again when somebody says so."""
    process = Process(redis_house.database, LONG)
    async with process.alive():
        await process.leads()
        await trio.sleep(0.3)
        before = count(redis_client)
        await trio.sleep(1.0)
        assert count(redis_client) == before
        await process.house.store.set_paused("DMPoller", is_on=True)
        await trio.sleep(0.3)
        assert count(redis_client) == before + 1


async def test_a_pause_that_cannot_be_kept_is_an_error(database: Database) -> None:
    """Whoever wants it hears of it."""
    process = Process(database)
    process.house.database = away = AwayDatabase(database)
    async with process.house.open(dispatcher=False):
        away.is_away = True
        with pytest.raises(StoreUnavailable, match="away"):
            await process.house.store.set_paused("DMPoller", is_on=True)


async def until(holds: Callable[[], bool], pause: Pause) -> None:
    """Return as soon as it holds of the pause."""
    with trio.fail_after(10):
        while not holds():
            await (pause.wait_over() if pause.is_on else pause.wait_begun())


def count(client: redis.Redis) -> int:
    """How often the pauses were read so far."""
    statistics = client.info("commandstats")
    assert isinstance(statistics, dict)
    return int(statistics.get("cmdstat_smembers", {}).get("calls", 0))

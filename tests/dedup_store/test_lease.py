"""Of all processes on one store one leads; when it dies, stands still or leaves, another does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import redis
import trio

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.dedup_store.keys import MISSED_AFTER_S
from actors.dedup_store.lease import Lease, LeaseTimes
from actors.dedup_store.lease_keeper import give_up_lease
from actors.dedup_store.opening import open_remote
from actors.dedup_store.scripts import load_scripts
from actors.messages import Destination, Done, Receipt
from actors.store import Deposed, Store, StoreUnavailable
from runtime.duty import Duty
from tests.dedup_store.house import House, item
from tests.support.redis_client import connect
from tests.support.silence import Silence

SHORT = LeaseTimes(lasts_s=0.5, renew_every_s=0.1, try_again_s=0.05, look_every_s=0.05)
LONG = LeaseTimes(lasts_s=600.0, renew_every_s=500.0)


class Process:
    """A house with a lease of its own, and what its leader's actors ask it with."""

    def __init__(
        self,
        database: Database,
        times: LeaseTimes = SHORT,
        *,
        namespace: str = "",
        alone_since: float | None = None,
    ) -> None:
        self.lease = Lease(Duty(), times=times, alone_since=alone_since)
        self.duty = self.lease.duty
        self.house = House(database, namespace=namespace or None, lease=self.lease)
        self.leader_store = Store(self.house.requests, answer_within_s=5.0, duty=self.duty)

    def beside(self, times: LeaseTimes = SHORT, *, alone_since: float | None = None) -> Process:
        """Another one on the same store."""
        namespace = self.house.keys.namespace
        return Process(self.house.database, times, namespace=namespace, alone_since=alone_since)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Run it until the block ends; then it is dead, and has given up nothing."""
        async with self.house.open():
            yield

    async def leads(self) -> None:
        """Return when it does."""
        with trio.fail_after(10):
            await self.duty.wait_on()

    async def give_up(self) -> None:
        """As at the end of a clean stop."""
        house = self.house
        await give_up_lease(self.lease, house.database, house.commands, house.clock, Silence())


@pytest.fixture
def process(database: Database) -> Process:
    """The first one."""
    return Process(database)


async def live(process: Process, death: trio.Event, end: trio.Event | None = None) -> None:
    """Be alive until then, and tell when it has ended."""
    async with process.alive():
        await death.wait()
    if end is not None:
        end.set()


async def test_one_leads_and_the_other_stands_by(process: Process) -> None:
    """Only the leader is given entries, whoever recorded them."""
    standby = process.beside()
    async with process.alive():
        await process.leads()
        async with standby.alive():
            await standby.house.store.record([item("a")])
            assert (await process.house.next()).item_id == "a"
            assert not standby.duty.is_on
            assert await standby.house.store.find_unseen(["a", "b"]) == {"b"}


async def test_a_standby_leads_when_the_leader_is_dead(process: Process) -> None:
    """What that one had in hand is handed over again, and its conversation keeps its order."""
    standby, death = process.beside(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, process, death)
        await process.leads()
        await process.leader_store.record([item("a", "x"), item("b", "x")])
        in_hand = await process.house.next()
        async with standby.alive():
            death.set()
            await standby.leads()
            again = await standby.house.next()
            assert again == in_hand
            await standby.leader_store.settle(again.entry_id, Done())
            assert (await standby.house.next()).item_id == "b"


async def test_a_standby_leads_as_soon_as_the_lease_is_given_up(process: Process) -> None:
    """It does not wait until the time of the lease is up."""
    unhurried = LeaseTimes(lasts_s=600.0, renew_every_s=500.0, look_every_s=0.05)
    leader, standby, death = process.beside(unhurried), process.beside(unhurried), trio.Event()
    async with trio.open_nursery() as nursery:
        end = trio.Event()
        nursery.start_soon(live, leader, death, end)
        await leader.leads()
        async with standby.alive():
            death.set()
            await end.wait()
            await leader.give_up()
            await standby.leads()
            assert not leader.duty.is_on


async def test_whoever_is_alone_need_not_wait_for_the_dead(process: Process) -> None:
    """A lease that was not renewed since nobody else was there is nobody's."""
    dead = process.beside(LONG)
    async with dead.alive():
        await dead.leads()
    await make_older(process.house, 1.0)
    began = trio.current_time()
    alone = process.beside(LONG, alone_since=began)
    async with alone.alive():
        await alone.leads()
        # The one before had the same thought, and was the first.
        late = process.beside(LONG, alone_since=began)
        async with late.alive():
            with trio.move_on_after(0.2) as waiting:
                await late.duty.wait_on()
            assert waiting.cancelled_caught
            assert alone.duty.is_on


async def test_who_was_deposed_changes_nothing_and_steps_down(process: Process) -> None:
    """It does not know yet: the store tells it at the first thing that it wants to write."""
    sleeper, other = process.beside(LONG), process
    async with sleeper.alive():
        await sleeper.leads()
        await sleeper.leader_store.record([item("a")])
        entry = await sleeper.house.next()
        await take_over(sleeper, other)
        assert sleeper.duty.is_on
        with pytest.raises(Deposed):
            await sleeper.leader_store.settle(entry.entry_id, Done(), items=[item("caused")])
        assert not sleeper.duty.is_on
        with pytest.raises(Deposed):
            await sleeper.leader_store.amend(entry, Receipt("a", "did", "Failed"))
        with pytest.raises(Deposed):
            await sleeper.leader_store.record([item("late")])
        assert await sleeper.house.store.find_unseen(["caused", "late"]) == {"caused", "late"}
    async with other.alive():
        await other.leads()
        assert await other.house.next() == entry


async def test_who_was_deposed_is_handed_nothing(process: Process) -> None:
    """What others record meanwhile is for the one who leads."""
    sleeper, other = process.beside(LONG), process
    async with sleeper.alive():
        await sleeper.leads()
        await take_over(sleeper, other)
        with trio.fail_after(10), sleeper.duty.scope():
            await sleeper.house.store.record([item("a")])
            await trio.sleep_forever()
        assert sleeper.house.inboxes[Destination.GENESYS_SENDER].receive_nowait() is None


async def take_over(sleeper: Process, other: Process) -> None:
    """What happens while a process stands still for longer than its lease lasts."""
    house = other.house
    command = house.commands.lead("the-other", house.clock(), lasts_s=0.0)
    await sleeper.house.database.execute([command])


async def test_who_leads_no_more_does_not_say_what_the_journal_holds(process: Process) -> None:
    """Its counts would stay as they were, and the oldest entry grow older for ever."""
    async with process.alive():
        await process.leads()
        await process.leader_store.record([item("a")])
        await process.house.next()
        assert process.house.gauge.read().depth == 1
        await take_over(process, process)
        with trio.fail_after(10):
            while process.house.gauge.read().depth:  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.05)
        assert process.house.gauge.read().oldest_recorded_at is None


async def test_a_leader_that_lost_the_store_for_too_long_begins_anew(process: Process) -> None:
    """It steps down by itself, and what was in hand is handed over again when it leads again."""
    away = AwayDatabase(process.house.database)
    process.house.database = away
    async with process.alive():
        await process.leads()
        await process.leader_store.record([item("a"), item("b")])
        held = [await process.house.next(), await process.house.next()]
        with process.duty.scope():
            away.is_away = True
            with trio.fail_after(10):
                await trio.sleep_forever()
        away.is_away = False
        await process.leads()
        assert process.duty.term == 2
        again = [await process.house.next(), await process.house.next()]
        assert again == held


@pytest.mark.redis
async def test_what_another_process_records_is_handed_over_soon(
    redis_address: RedisAddress, redis_house: House
) -> None:
    """The leader is told at once, and does not wait for its next renewal."""
    leader = Process(redis_house.database, LONG)
    standby = leader.beside(LONG)
    standby.house.database = open_remote(redis_address, timeout_s=5.0, connections=4)
    async with leader.alive(), standby.alive():
        both = (leader, standby)
        with trio.fail_after(10):
            while not (  # noqa: ASYNC110 - it is two processes
                all(one.lease.is_heard for one in both) and any(one.duty.is_on for one in both)
            ):
                await trio.sleep(0.01)
        first, second = (leader, standby) if leader.duty.is_on else (standby, leader)
        await second.house.store.record([item("a")])
        assert (await first.house.next()).item_id == "a"
    standby.house.database.close()


async def test_time_without_a_leader_is_kept_in_mind(process: Process) -> None:
    """Webhooks may have been missed in it. The earliest such time stays until it is dealt with."""
    house, name = process.house, "webhooks_missed_since"
    execute, clock = house.database.execute, house.clock
    for token, age_s, kept in (
        ("first", None, None),
        ("soon", MISSED_AFTER_S - 1, None),
        ("late", MISSED_AFTER_S + 5, clock.now - MISSED_AFTER_S - 5),
        ("later", 1000.0, clock.now - MISSED_AFTER_S - 5),
    ):
        if age_s is not None:
            await make_older(house, age_s)
        await execute([house.commands.lead(token, clock(), lasts_s=1.0)])
        async with house.open(dispatcher=False):
            found = await house.store.read("cursor", name)
        assert (found and float(found)) == pytest.approx(kept, abs=0.5), token


async def test_short_gaps_that_follow_each_other_closely_are_one(process: Process) -> None:
    """A webhook may meet one after the other, and be given up: the process is killed in a loop."""
    house, name = process.house, "webhooks_missed_since"
    began = house.clock.now
    await house.database.execute([house.commands.lead("first", house.clock(), lasts_s=1.0)])
    for number, (up_s, away_s) in enumerate(((30.0, 8.0), (MISSED_AFTER_S + 1.0, 8.0), (5.0, 9.0))):
        house.clock.now += up_s + away_s
        await make_older(house, away_s)
        await house.database.execute([house.commands.lead(f"{number}", house.clock(), lasts_s=1.0)])
        async with house.open(dispatcher=False):
            found = await house.store.read("cursor", name)
        assert (found is not None) == (number == 2)
    assert float(found or 0) == pytest.approx(began + 38.0 + 21.0, abs=0.5)


async def make_older(house: House, age_s: float) -> None:
    """Let the lease look as if it had not been renewed for so long."""
    (holder,) = await house.database.execute([Command(("GET", house.keys.prefix + "leader"))])
    left_s = 7 * 24 * 3600 - age_s
    key = house.keys.lease(holder)
    await house.database.execute([Command(("PEXPIRE", key, str(int(1000 * left_s))))])


@pytest.mark.redis
async def test_a_full_store_has_a_leader(redis_address: RedisAddress, redis_house: House) -> None:
    """Who leads makes room: a store that takes no recordings must not be without one."""
    process = Process(redis_house.database)
    client: redis.Redis = connect(redis_address, timeout_s=5.0)
    client.config_set("maxmemory", 1)
    try:
        async with process.alive():
            await process.leads()
            await trio.sleep(3 * SHORT.lasts_s)
            assert process.duty.term == 1
            with pytest.raises(StoreUnavailable, match="OOM"):
                await process.house.store.record([item("a")])
    finally:
        client.config_set("maxmemory", 0)
        client.close()


class AwayDatabase(Database):
    """A store that can be away."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._server, load_scripts(), kind="memory")
        self.is_away = False

    async def execute(self, commands: Sequence[Command]) -> list[Result]:
        """As usual, or not at all."""
        if self.is_away:
            await trio.lowlevel.checkpoint()
            raise StoreUnavailable("away")
        return await super().execute(commands)

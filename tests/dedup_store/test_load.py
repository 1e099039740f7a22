"""What it costs: round trips, commands while idle, memory behind a blocked conversation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
import redis
import trio
from trio.abc import Clock

from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.dedup_store.scripts import load_scripts
from actors.messages import Destination, Done, Retry
from actors.store import Settle, Settlement, Store, StoreRequest, StoreUnavailable, Value
from runtime.mailbox import Mailbox
from tests.dedup_store.house import House, item
from tests.support.context import FakeContext
from tests.support.redis_client import open_both

SENDER = Destination.GENESYS_SENDER


class CountingDatabase(Database):
    """Counts the round trips, and the commands in them."""

    round_trips = 0
    commands = 0

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """As usual."""
        self.round_trips += 1
        return await super().execute(commands)

    async def _carry_out(self, commands: Sequence[Command]) -> list[Any]:
        self.commands += len(commands)
        return await super()._carry_out(commands)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def counting(request: pytest.FixtureRequest) -> Iterator[CountingDatabase]:
    """A store that counts."""
    is_memory = request.param == "memory"
    _, server = open_both(None if is_memory else request.getfixturevalue("redis_address"))
    with closing(CountingDatabase(server, load_scripts(), kind="redis")) as database:
        yield database


async def test_single_reads_that_go_together_are_one_command(
    counting: CountingDatabase,
) -> None:
    """Each asker has its own answer, whatever goes between."""
    house = House(counting, batch=100)
    async with house.open():
        await house.store.save(Value("written", "one", "1"))
        await house.store.save(Value("written", "two", "2"))
    keys = [house.keys.value(f"written:{name}") for name in ("one", "none", "two")]
    first, *more = (Command(("GET", key), reads=True) for key in keys)
    probe, kind = Command(("EXISTS", "nothing")), Command(("TYPE", keys[0]), reads=True)
    counting.commands = 0

    assert await counting.execute([first, probe, *more, kind]) == ["1", 0, None, "2", "string"]
    assert counting.commands == 3


async def test_entries_that_are_closed_together_share_a_round_trip(
    counting: CountingDatabase,
) -> None:
    """What one answer of Genesys confirms costs a few round trips, not one each."""
    house = House(counting, batch=100)
    async with house.open():
        await house.quiet()
        counting.round_trips = 0
        closed = [Settlement(f"{one}.0/{SENDER}/thread", Done()) for one in range(1, 51)]
        assert await house.store.settle_all(closed) == [None] * 50
        assert counting.round_trips <= 5


async def test_what_finds_no_room_is_said_to_be_open(autojump_clock: Clock) -> None:
    """Of entries closed together, each has its own answer, and the rest waits for the store."""
    mailbox = Mailbox[StoreRequest]("DedupStore", 2)
    store = Store(mailbox, answer_within_s=5.0)
    errors: list[Exception | None] = []

    async def ask() -> None:
        closed = [Settlement(f"{one}.0/{SENDER}/thread", Done()) for one in range(1, 5)]
        errors.extend(await store.settle_all(closed))

    with trio.fail_after(6.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            request = await mailbox.receive()
            assert isinstance(request, Settle)
            request.reply.answer(None)

    assert errors[0] is None
    assert [type(error) for error in errors[1:]] == [StoreUnavailable] * 3


async def test_requests_that_wait_share_a_round_trip(counting: CountingDatabase) -> None:
    """300 recordings at once need about as many round trips as they fill batches of 100."""
    house = House(counting, batch=100)
    async with house.open():
        await house.quiet()
        counting.round_trips = 0
        async with trio.open_nursery() as nursery:
            for number in range(300):
                nursery.start_soon(house.store.record, [item(str(number))])
        await house.quiet()
        assert house.gauge.read().depth == 300
    # One for whoever comes first, three full batches, one of the dispatcher, one more for luck.
    assert counting.round_trips <= 6


async def test_a_busy_sender_costs_less_than_a_round_trip_per_entry(
    counting: CountingDatabase,
) -> None:
    """Settling and handing over the next ones share it; 50 at once settle 500 in few."""
    house = House(counting, limit=50, batch=100)
    async with house.open():
        await house.store.record([item(str(number)) for number in range(500)])
        await house.quiet()
        counting.round_trips = 0
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(settle_ten, house)
        assert house.gauge.read().depth == 0
    assert counting.round_trips <= 100


async def settle_ten(house: House) -> None:
    for _ in range(10):
        await house.store.settle((await house.next()).entry_id, Done())


class LongSleeper(FakeContext):
    """Sleeps as long as the test wants, whatever it was told."""

    def __init__(self) -> None:
        super().__init__("DedupStore")
        self.alarm = trio.Event()

    async def sleep(self, seconds: float) -> None:
        """Until the alarm."""
        self.sleeps.append(seconds)
        await self.alarm.wait()
        self.alarm = trio.Event()


def count_commands(client: redis.Redis) -> int:
    """How many commands the server dealt with, those of scripts included."""
    stats: Any = client.info("commandstats")
    return sum(entry["calls"] for name, entry in stats.items() if name != "cmdstat_info")


@pytest.mark.redis
async def test_keeping_a_place_costs_three_commands(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """So who listens to a stream that never rests may keep its place every two minutes."""
    async with redis_house.open():
        await redis_house.store.save(Value("cursor", "live", "1"))
        await redis_house.quiet()
        before = count_commands(redis_client)
        await redis_house.store.save(Value("cursor", "live", "2"))
        await redis_house.quiet()
        assert count_commands(redis_client) - before <= 3


@pytest.mark.redis
async def test_an_idle_hour_costs_no_command(redis_house: House, redis_client: redis.Redis) -> None:
    """Nothing waits, something waits with its actor, something is due later: no command."""
    house = redis_house
    sleeper = house.runner = LongSleeper()
    async with house.open():
        await house.store.record([item("held"), item("later")])
        held, later = await house.handed_over()
        await house.store.settle(later.entry_id, Retry(7200.0, "busy"))
        await house.quiet()
        count_commands(redis_client)
        before, slept = count_commands(redis_client), len(sleeper.sleeps)
        assert sleeper.sleeps[-1] == 3600.0
        house.clock.now += 3600.0
        sleeper.alarm.set()
        await house.quiet()
        assert len(sleeper.sleeps) == slept + 1
        assert count_commands(redis_client) == before
        house.clock.now += 3600.0
        sleeper.alarm.set()
        assert (await house.next()).item_id == "later"
        await house.store.settle(held.entry_id, Done())


@pytest.mark.redis
async def test_a_poll_that_found_nothing_new_costs_few_commands(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """Hosted Redis bills what scripts do, too: a find and a cursor are three commands."""
    house = redis_house
    async with house.open():
        await house.store.record([item("a")])
        await house.quiet()
        before = count_commands(redis_client)
        await house.store.find_unseen(["a"] * 100)
        await house.store.save(Value("cursor", "notifications", "2026-01-01T00:00:00Z"))
        await house.quiet()
        assert count_commands(redis_client) - before == 3


@pytest.mark.redis
async def test_memory_is_bounded_behind_a_blocked_conversation(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """20,000 entries wait in the store, not here, and others pass them."""
    house = redis_house
    async with house.open():
        await house.store.record([item("blocked", "talk")])
        blocked = await house.next()
        await house.store.settle(blocked.entry_id, Retry(3600.0, "busy"))
        for start in range(0, 20_000, 500):
            await house.store.record([item(str(start + n), "talk") for n in range(500)])
        tracemalloc.start()
        for number in range(50):
            await house.store.record([item(f"other {number}")])
            other = await house.next()
            assert other.item_id == f"other {number}"
            await house.store.settle(other.entry_id, Done())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await house.quiet()
        assert house.gauge.read().depth == 20_001
        assert len(house.in_hand) == 0
        house.clock.now += 3600.0
        await house.store.record([item("last")])
        assert await house.names() == ["blocked", "last"]
    assert peak < 2_000_000
    used: Any = redis_client.memory_usage(f"{house.keys.prefix}queue:GenesysSender:talk", samples=0)
    assert used < 20_001 * 300

"""A store in trouble: every request is answered, nothing is doubled, and it recovers by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
import trio
import trio.testing

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.database import Database
from actors.dedup_store.opening import open_remote
from actors.messages import DeadLetter, Done, Retry
from actors.store import Record, StoreUnavailable
from runtime.errors import Fault, Rejected
from tests.dedup_store.house import House, item
from tests.dedup_store.proxy import open_wire

pytestmark = pytest.mark.redis


@pytest.fixture
def full(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server without any room left."""
    redis_client.config_set("maxmemory", "1mb")
    yield redis_client
    redis_client.config_set("maxmemory", "0")


@pytest.fixture
def read_only(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server that became the replica of another."""
    redis_client.replicaof("127.0.0.1", "1")
    yield redis_client
    redis_client.replicaof("NO", "ONE")


def last_error(house: House) -> Fault:
    """As ``/health`` would show it."""
    error = house.worker.failures[-1]
    assert isinstance(error, Fault)
    return error


async def until_available(house: House) -> None:
    with trio.fail_after(10):
        while not house.gauge.is_available:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_full_store_says_so_and_recovers(redis_house: House, full: redis.Redis) -> None:
    """Askers are told OOM; the journal is not half written; later everything is as if not."""
    house = redis_house
    async with house.open():
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"OOM command not allowed"):
                await house.store.record([item("a")])
            assert await house.store.find_unseen(["a"]) == {"a"}
        state = house.gauge.read()
        assert state.status == "unavailable"
        assert state.reason == "OOM command not allowed when used memory > 'maxmemory'."
        assert "maxmemory" in (last_error(house).action or "")
        full.config_set("maxmemory", "0")
        await until_available(house)
        assert house.gauge.read().reason is None
        assert (await house.store.record([item("a")])).new == {"a"}
        assert await house.names() == ["a"]


async def test_a_full_store_still_takes_what_makes_room(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """Entries can be settled, done or not, so that a full journal drains."""
    house = redis_house
    async with house.open():
        await house.store.record([item("a"), item("b")])
        a, b = await house.handed_over()
        redis_client.config_set("maxmemory", "1mb")
        try:
            await house.store.settle(a.entry_id, Done(), items=[item("receipt")])
            await house.store.settle(b.entry_id, Retry(0.0, "busy"))
        finally:
            redis_client.config_set("maxmemory", "0")
        await until_available(house)
        assert sorted(await house.names()) == ["b", "receipt"]


async def test_a_read_only_store_says_so_and_recovers(
    redis_house: House, read_only: redis.Redis
) -> None:
    """As after a failover: reading goes on, writing is refused until it is the primary again."""
    house = redis_house
    async with house.open():
        with pytest.raises(StoreUnavailable, match="READONLY"):
            await house.store.record([item("a")])
        assert house.gauge.read().status == "unavailable"
        read_only.replicaof("NO", "ONE")
        await until_available(house)
        await house.store.record([item("a")])
        assert await house.names() == ["a"]


async def test_a_store_that_is_not_there_answers_every_asker() -> None:
    """All waiting requests get the reason; the dispatcher backs off."""
    address = RedisAddress("127.0.0.1", 1)
    with closing(open_remote(address, timeout_s=1.0, connections=2)) as database:
        house = House(database)
        async with house.open():
            for question in (house.store.record([item("a")]), house.store.read("cursor", "x")):
                with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"):
                    await question
            await trio.testing.wait_all_tasks_blocked()
    assert house.gauge.read().status == "unavailable"
    assert house.runner.back_offs
    assert all(isinstance(error, StoreUnavailable) for error in house.worker.failures)


async def test_a_store_that_hangs_is_given_up_in_time(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """What was sent is waited for, whoever cancels it, but not for ever."""
    with closing(open_remote(redis_address, timeout_s=0.1, connections=1)) as database:
        house = House(database)
        await house.ask_all([Record((item("warm"),))])
        redis_client.client_pause(400)
        late = Record((item("a"),))
        with trio.fail_after(2):
            await house.ask_all([late])
        with pytest.raises(StoreUnavailable, match="Timeout"):
            await late.reply.wait(0, who="")


async def test_once_sent_it_is_dealt_with_to_the_end(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """A worker that is cancelled in the middle of a round trip still gives the answers."""
    house = redis_house
    await house.ask_all([Record((item("warm"),))])
    redis_client.client_pause(200)
    record = Record((item("a"),))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.ask_all, [record])
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert (await record.reply.wait(0, who="")).new == {"a"}
    assert [entry.item_id for entry in await house.handed_over()] == ["warm", "a"]


async def test_wrong_credentials_are_told_without_the_password(redis_address: RedisAddress) -> None:
    """The reason says what is wrong and repeats no secret."""
    address = RedisAddress(path=redis_address.path, username="nobody", password="hunter2")
    assert "hunter2" not in repr(address)
    with closing(open_remote(address, timeout_s=1.0, connections=1)) as database:
        house = House(database)
        async with house.open():
            with pytest.raises(StoreUnavailable) as caught:
                await house.store.record([item("a")])
    assert "invalid username-password pair" in str(caught.value)
    assert caught.value.action == "Correct REDIS_URL or REDIS_TOKEN."
    assert "hunter2" not in f"{caught.value!r} {caught.value} {house.gauge.read()}"


async def test_scripts_that_the_server_forgot_are_loaded_again(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """A flushed or restarted server is no error, and nothing is recorded or delivered twice."""
    house = redis_house
    async with house.open():
        for name in "abc":
            redis_client.script_flush()
            assert (await house.store.record([item(name)])).new == {name}
            redis_client.script_flush()
            entry = await house.next()
            assert entry.item_id == name
            await house.store.settle(entry.entry_id, Done())
        assert await house.names() == []


async def test_what_was_read_beside_a_missing_script_is_read_again(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """Only the settling's script is missing: the delivery must not show what was just settled."""
    house = redis_house
    async with house.open(dispatcher=False):
        await house.store.record([item("a", "talk"), item("b", "talk")])
        (a,) = await house.handed_over()
        redis_client.script_flush()
        await house.store.record([item("c")])
        only = [script for script in house.scripts.values() if script.name != "settle"]
        redis_client.script_flush()
        for script in only:
            redis_client.script_load(script.text)
        await house.store.settle(a.entry_id, Done())
        assert await house.names() == ["c", "b"]


async def test_one_request_that_redis_refuses_fails_alone(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """A key of the wrong type is that request's trouble; the store is not away."""
    house = redis_house
    redis_client.set(f"{house.keys.prefix}queue:GenesysSender:spoilt", "x")
    bad, good = Record((item("a", "spoilt"),)), Record((item("b"),))
    await house.ask_all([bad, good])
    with pytest.raises(Rejected, match="WRONGTYPE"):
        await bad.reply.wait(0, who="")
    assert (await good.reply.wait(0, who="")).new == {"b"}
    assert house.gauge.is_available


async def test_a_recording_whose_answer_was_lost_is_delivered_once(
    redis_address: RedisAddress,
) -> None:
    """It took effect; asking again is harmless."""
    async with open_wire(redis_address) as (wire, address):
        with closing(open_remote(address, timeout_s=2.0, connections=2)) as database:
            house = House(database)
            async with house.open():
                await house.store.record([item("before")])
                await house.next()
                await house.quiet()
                wire.loses_answers = True
                with pytest.raises(StoreUnavailable):
                    await house.store.record([item("a")])
                wire.loses_answers = False
                await house.store.record([item("a")])
                assert await house.names() == ["a"]
                assert house.gauge.read().depth == 2


async def test_a_settling_whose_answer_was_lost_holds_its_place_until_repeated(
    redis_address: RedisAddress,
) -> None:
    """Until then nothing else of the conversation is handed over; then the next is, once."""
    async with open_wire(redis_address) as (wire, address):
        with closing(open_remote(address, timeout_s=2.0, connections=2)) as database:
            house = House(database)
            async with house.open():
                await house.store.record([item("a", "talk"), item("b", "talk")])
                a = await house.next()
                await house.quiet()
                wire.loses_answers = True
                with pytest.raises(StoreUnavailable):
                    await house.store.settle(a.entry_id, Done(), items=[item("receipt")])
                wire.loses_answers = False
                await until_available(house)
                assert await house.names() == ["receipt"]
                await house.store.settle(a.entry_id, Done(), items=[item("receipt")])
                assert await house.names() == ["b"]


async def test_a_retry_whose_answer_was_lost_counts_once(redis_address: RedisAddress) -> None:
    """It comes again once, as the second attempt."""
    async with open_wire(redis_address) as (wire, address):
        with closing(open_remote(address, timeout_s=2.0, connections=2)) as database:
            house = House(database)
            async with house.open():
                await house.store.record([item("a")])
                a = await house.next()
                await house.quiet()
                wire.loses_answers = True
                with pytest.raises(StoreUnavailable):
                    await house.store.settle(a.entry_id, Retry(0.0, "busy"))
                wire.loses_answers = False
                await until_available(house)
                assert await house.names() == []
                await house.store.settle(a.entry_id, Retry(0.0, "busy"))
                (again,) = await house.handed_over()
                assert again.attempts == 1


async def test_queues_that_vanished_do_not_stop_the_others(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """A person or an evicting server removed the lists; what is left is handed over."""
    house = redis_house
    async with house.open(dispatcher=False):
        await house.store.record([item(f"held {n}") for n in range(4)])
        held = await house.handed_over()
        await house.store.record([item(f"gone {n}") for n in range(20)] + [item("left")])
        for number in range(20):
            redis_client.delete(f"{house.keys.prefix}queue:GenesysSender:of gone {number}")
        delivered: list[str] = []
        for entry in held + held:
            await house.store.settle(entry.entry_id, Done())
            delivered += await house.names()
        for _ in range(5):
            await house.store.record(dead_letters=[letter(len(delivered))])
            delivered += await house.names()
    assert delivered == ["left"]


def letter(number: int) -> DeadLetter:
    return DeadLetter(f"letter {number}", "DMPoller", "Malformed", "no text", "{}")


async def test_a_mailbox_that_somebody_else_filled_is_looked_at_again(
    redis_house: House,
) -> None:
    """Nothing is lost: the entry is offered once more a second later."""
    house = redis_house
    async with house.open():
        await house.store.record([item("stranger")])
        (stranger,) = await house.handed_over()
        for _ in range(4):
            house.inboxes[stranger.destination].offer(stranger)
        await house.store.record([item("a")])
        assert await house.names() == ["stranger"] * 4
        house.clock.now += 1.0
        assert (await house.next()).item_id == "a"
    assert 0.0 < min(house.runner.sleeps) <= 1.0


def test_a_database_is_no_network_user_before_it_is_asked() -> None:
    """Construction touches nothing, so that a start without Redis is a start."""
    with closing(open_remote(RedisAddress("192.0.2.1"), timeout_s=1.0, connections=1)) as database:
        assert isinstance(database, Database)

"""What could not be carried is kept for a person, bounded, and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import redis

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database, Server
from actors.dedup_store.keys import DEAD_KEEP_S, DEAD_MOST
from actors.dedup_store.scripts import load_scripts
from actors.items import make_agent_item
from actors.messages import AgentMessage, DeadLetter, Done, Receipt, Refused, Retry
from actors.store import Record
from tests.dedup_store.house import House, item
from tests.support.redis_client import open_both

DAY_S = 24 * 3600


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def both(request: pytest.FixtureRequest) -> tuple[redis.Redis, Server]:
    """A client to look with, and the store that it looks into."""
    is_memory = request.param == "memory"
    return open_both(None if is_memory else request.getfixturevalue("redis_address"))


@pytest.fixture
def client(both: tuple[redis.Redis, Server]) -> Iterator[redis.Redis]:
    """A client to look with."""
    with closing(both[0]) as client:
        yield client


@pytest.fixture
def house(both: tuple[redis.Redis, Server]) -> Iterator[House]:
    """A house on the store that the client looks into."""
    with closing(Database(both[1], load_scripts(), kind="redis")) as database:
        yield House(database)


def letter(name: str) -> DeadLetter:
    return DeadLetter(name, "NotificationPoller", "Malformed", "no author", '{"uri": "at://x"}', 2)


def read_letter(client: redis.Redis, house: House, letter_id: str) -> Mapping[str, str]:
    """As a person reads it."""
    found: Any = client.hgetall(f"{house.keys.prefix}dead:{letter_id}")
    return dict(found)


async def test_a_refused_entry_is_kept_whole(client: redis.Redis, house: House) -> None:
    """With what it was, why it died, and how often it was tried; the next one goes on."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk")])
        await house.store.settle((await house.next()).entry_id, Retry(0.0, "busy"))
        house.clock.now += 60.0
        again = await house.next()
        await house.store.settle(again.entry_id, Refused("BlockedActor", "The user blocked us."))
        assert await house.names() == ["b"]
    found = read_letter(client, house, "a")
    assert found["payload"].startswith('{"version":1,"payload":{"message_id":"a"')
    assert {key: found[key] for key in found if key not in {"payload", "recorded_at"}} == {
        "letter_id": "a",
        "source": "GenesysSender",
        "conversation": "talk",
        "code": "BlockedActor",
        "why": "The user blocked us.",
        "attempts": "2",
        "died_at": f"{house.clock.now:.6f}",
    }
    assert house.gauge.read().dead_letters == 1


async def test_a_dead_letter_is_kept_once(client: redis.Redis, house: House) -> None:
    """The same broken thing comes with every poll."""
    async with house.open():
        for _ in range(3):
            await house.store.record(dead_letters=[letter("x"), letter("x")])
        assert house.gauge.read().dead_letters == 1
        assert (await house.store.record([item("x")])).new == frozenset()
    assert read_letter(client, house, "x")["payload"] == '{"uri": "at://x"}'


async def test_a_letter_is_kept_also_if_its_id_is_marked_with_it(
    client: redis.Redis, house: House
) -> None:
    """A sweep marks all that it has met, what it could not read included."""
    async with house.open():
        await house.store.record(seen=["x"], dead_letters=[letter("x")])
        await house.store.record(seen=["y"])
        await house.store.record(dead_letters=[letter("y")])
    assert read_letter(client, house, "x") != {}
    assert read_letter(client, house, "y") == {}


async def test_dead_letters_go_after_30_days(client: redis.Redis, house: House) -> None:
    """From the list with the next one, and by themselves."""
    async with house.open():
        await house.store.record(dead_letters=[letter("old")])
        left_s: Any = client.ttl(f"{house.keys.prefix}dead:old")
        assert DEAD_KEEP_S - 5 <= left_s <= DEAD_KEEP_S
        house.clock.now += 31 * DAY_S
        await house.store.record(dead_letters=[letter("new")])
        await house.quiet()
        assert house.gauge.read().dead_letters == 1
    assert client.zrange(f"{house.keys.prefix}dead", 0, -1) == ["new"]
    assert read_letter(client, house, "old") == {}


@pytest.mark.redis
async def test_no_more_than_10000_dead_letters_are_kept(redis_address: RedisAddress) -> None:
    """The oldest make room."""
    client, server = open_both(redis_address)
    with closing(client), closing(Database(server, load_scripts(), kind="redis")) as database:
        house = House(database)
        async with house.open():
            for start in range(0, DEAD_MOST, 1010):
                house.clock.now += 1.0
                letters = [letter(f"{start + n:05}") for n in range(1010)]
                await house.store.record(dead_letters=letters)
            await house.quiet()
        assert house.gauge.read().dead_letters == DEAD_MOST
        assert read_letter(client, house, "00099") == {}
        assert read_letter(client, house, "00100") != {}
        assert client.zcard(f"{house.keys.prefix}dead") == DEAD_MOST


def make_foreign(house: House, name: str, old: str, new: str) -> Command:
    """The recording of an item as another release would write it."""
    made = house.commands.make(Record((item(name, "talk"),)), house.clock.now)
    changed = tuple(argument.replace(old, new) for argument in made.arguments)
    assert changed != made.arguments
    return Command(changed)


async def test_an_agent_is_told_of_a_message_that_this_release_cannot_read(
    client: redis.Redis, house: House
) -> None:
    """Whom the receipts are for can be read even if the rest cannot: one for each that it is of."""
    image = AgentMessage("m2", "public", "did:plc:customer", "", "2026-01-01T00:00:00Z")
    message = replace(image, message_id="m1", text="Hi", together=(image,))
    made = house.commands.make(Record((make_agent_item(message),)), house.clock())
    arguments = tuple(one.replace('"version":1', '"version":2') for one in made.arguments)
    await house.database.execute([Command(arguments)])
    async with house.open():
        receipts = [(await house.next()).payload, (await house.next()).payload]
    for receipt, message_id in zip(receipts, ("m1", "m2"), strict=True):
        assert isinstance(receipt, Receipt)
        assert (receipt.message_id, receipt.recipient_did) == (message_id, "did:plc:customer")
        assert (receipt.status, receipt.code) == ("Failed", "GeneralError")
    assert read_letter(client, house, "agent:m1")["attempts"] == "0"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"kind":"receipt"', '"kind":"hologram"', "hologram"),
        ('"version":1', '"version":2', "version 2"),
        ('"status":"Delivered"', '"status":7', "status"),
        ('{"version":1', 'no JSON"', "not JSON"),
    ],
)
async def test_what_this_release_cannot_read_becomes_a_dead_letter(
    client: redis.Redis, house: House, old: str, new: str, why: str
) -> None:
    """It is kept as it was, with the reason, and what waits behind it goes on."""
    await house.ask_all([Record((item("before", "talk"),))])
    await house.database.execute([make_foreign(house, "foreign", old, new)])
    async with house.open():
        await house.store.record([item("after", "talk")])
        before = await house.next()
        await house.store.settle(before.entry_id, Done())
        assert (await house.next()).item_id == "after"
    found = read_letter(client, house, "foreign")
    assert found["code"] == "Unreadable"
    assert why in found["why"]
    assert new in found["payload"]
    state = house.gauge.read()
    assert (state.depth, state.dead_letters) == (1, 1)
    assert len(house.in_hand) == 1

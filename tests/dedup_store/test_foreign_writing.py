"""Whatever another program or a person has written into the store, DedupStore goes on."""

from __future__ import annotations

import pytest

from actors.dead_letters import KeptLetter
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.messages import Done
from runtime.errors import Malformed
from tests.dedup_store.house import NEW_YEAR_2026, House, item

DEEP = "[" * 100_000
ELEMENTS = [
    "",
    "no element",
    "1 0",
    "1 0 \n{}\n",
    "1 0 nan\n{}\nx",
    "1 0 inf\n{}\nx",
    "1 0 0x10\n{}\nx",
    "-1 0 1\n{}\nx",
    f"{'9' * 5000} 0 1\n{{}}\nx",
    "٣ 0 1\n{}\nx",
    "\x00\ufffd\n\n",
]


async def write(house: House, *arguments: str) -> None:
    """As somebody else would."""
    await house.database.execute([Command(arguments)])


@pytest.mark.parametrize("element", ELEMENTS)
async def test_what_is_no_element_is_a_dead_letter_and_stops_nothing(
    database: Database, element: str
) -> None:
    """Before, between and behind the entries of a conversation; the others are carried in order."""
    house = House(database)
    queue = house.keys.queue("GenesysSender", "talk")
    async with house.open(dispatcher=False):
        await house.store.record([item("a", "talk"), item("b", "talk")])
        assert await house.names() == ["a"]
    house = House(database, namespace=house.keys.namespace)
    await write(house, "LPUSH", queue, element)
    await write(house, "LINSERT", queue, "AFTER", element, f"{element}!")
    async with house.open():
        for name in ("a", "b"):
            entry = await house.next()
            assert entry.item_id == name
            await house.store.settle(entry.entry_id, Done())
        await house.store.record([item("c", "talk")])
        assert (await house.next()).item_id == "c"
        letters = await house.store.list_letters()
        assert len(letters) == 2
        kept = [await house.store.read_letter(one) for one in letters]
    assert all(isinstance(one, KeptLetter) for one in kept)
    assert {one.payload for one in kept if one is not None} == {element, f"{element}!"}
    assert house.runner.failures == []


@pytest.mark.parametrize(
    "payload", [DEEP, '{"a":' * 5000, "null", '{"version":true,"payload":[]}', "sealed:1:x:y"]
)
async def test_a_payload_that_nobody_can_read_is_a_dead_letter(
    database: Database, payload: str
) -> None:
    """However it is nested; what stands behind it is carried."""
    house = House(database)
    queue = house.keys.queue("GenesysSender", "talk")
    await write(house, "RPUSH", queue, f"1 0 {NEW_YEAR_2026 - 1e6}\n{payload}\nx")
    await write(house, "ZADD", house.keys.prefix + "ready:GenesysSender", "1", "talk")
    async with house.open():
        await house.store.record([item("b", "talk")])
        assert (await house.next()).item_id == "b"
        assert await house.store.list_letters() == ("x",)


async def test_what_is_no_dead_letter_is_not_listed(database: Database) -> None:
    """And reading it says so. The others are there."""
    house = House(database)
    dead = f"{house.keys.prefix}dead"
    for name, fields in (
        ("odd", ["attempts", "many", "payload", "p"]),
        ("half", ["letter_id", "half", "payload", "p"]),
    ):
        await write(house, "HSET", f"{dead}:{name}", "letter_id", name, *fields)
        await write(house, "ZADD", dead, str(NEW_YEAR_2026), name)
    async with house.open():
        letters = await house.store.list_letters()
        assert await house.store.read_envelopes(letters) == ()
        for name in letters:
            with pytest.raises(Malformed, match="no dead letter"):
                await house.store.read_letter(name)

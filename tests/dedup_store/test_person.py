"""What a person may do with dead letters: list, read, put back and drop them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from actors.dead_letters import Envelope, Replayed
from actors.dedup_store.address import RedisAddress
from actors.dedup_store.commands import Command
from actors.dedup_store.opening import open_remote
from actors.messages import (
    DeadLetter,
    Done,
    JournalEntry,
    JournalItem,
    PostReference,
    Refused,
    Retry,
    ThreadReference,
)
from actors.store import StoreUnavailable
from tests.dedup_store.house import House, item

DAY_S = 24 * 3600
REFERENCE = ThreadReference(
    PostReference("at://post", "bafy1"), PostReference("at://root", "bafy2"), "did:plc:author"
)


def letter(name: str, source: str = "SearchPoller") -> DeadLetter:
    return DeadLetter(name, source, "Malformed", f"no author in {name}", f'"{name}"', 2)


async def bury(house: House, name: str, conversation: str = "talk") -> JournalEntry:
    """Have an entry refused after one attempt; the house is open and its journal was empty."""
    await house.store.record([item(name, conversation)])
    await house.store.settle((await house.next()).entry_id, Retry(0.0, "busy"))
    entry = await house.next()
    await house.store.settle(entry.entry_id, Refused("Blocked", "The user blocked us."))
    return entry


# --- looking ---------------------------------------------------------------------------------


async def test_the_latest_to_die_is_listed_first(house: House) -> None:
    """Those that are older than 30 days are not listed, whether or not they lie there still."""
    async with house.open():
        assert await house.store.list_letters() == ()
        for name in ("old", "b", "a"):
            await house.store.record(dead_letters=[letter(name)])
            house.clock.now += 15 * DAY_S
        house.clock.now -= 14 * DAY_S
        assert await house.store.list_letters() == ("a", "b")


async def test_a_letter_of_the_journal_is_read_whole(house: House) -> None:
    """Its envelope says what became of it and when; the payload is the journal's."""
    async with house.open():
        recorded_at = house.clock.now
        entry = await bury(house, "a")
        found = await house.store.read_letter("a")
        assert found is not None
        assert found.payload.startswith('{"version":1,"payload":{"message_id":"a"')
        assert found.envelope == Envelope(
            letter_id="a",
            source="GenesysSender",
            conversation="talk",
            code="Blocked",
            why="The user blocked us.",
            attempts=2,
            recorded_at=entry.recorded_at,
            died_at=recorded_at,
        )
        assert await house.store.read_envelopes(["a"]) == (found.envelope,)


async def test_envelopes_come_in_the_order_asked_for(house: House) -> None:
    """Those that are gone are left out."""
    async with house.open():
        await house.store.record(dead_letters=[letter(name) for name in "abc"])
        found = await house.store.read_envelopes(["c", "x", "a"])
        assert [one.letter_id for one in found] == ["c", "a"]
        assert found[0].why == "no author in c"
        assert await house.store.read_envelopes([]) == ()
        assert await house.store.read_letter("x") is None


# --- putting back ----------------------------------------------------------------------------


async def test_an_entry_that_died_is_put_back_as_new(house: House) -> None:
    """Recorded now and without attempts, at the end of its conversation, although it was seen."""
    async with house.open():
        first = await bury(house, "a")
        await house.store.record([item("b", "talk")])
        b = await house.next()
        house.clock.now += DAY_S
        assert await house.store.replay_letter("a") is Replayed.APPENDED
        assert await house.store.list_letters() == ()
        assert await house.store.read_letter("a") is None
        assert await house.names() == []
        await house.store.settle(b.entry_id, Done())
        again = await house.next()
        state = house.gauge.read()
    assert (again.item_id, again.conversation, again.attempts) == ("a", "talk", 0)
    assert again.payload == first.payload
    assert again.entry_id != first.entry_id
    assert again.recorded_at == pytest.approx(house.clock.now, abs=0.001)
    assert (state.depth, state.dead_letters) == (1, 0)


async def test_putting_back_twice_does_nothing_twice(house: House) -> None:
    """An answer may have been lost, or two persons may be at it."""
    async with house.open():
        await bury(house, "a")
        replies = [await house.store.replay_letter("a") for _ in range(2)]
        assert replies == [Replayed.APPENDED, Replayed.GONE]
        assert await house.names() == ["a"]
        assert (await house.store.record([item("a")])).new == frozenset()


async def test_what_was_put_back_may_die_again(house: House) -> None:
    """Then it is a letter again, which may be put back again."""
    async with house.open():
        await bury(house, "a")
        for _ in range(2):
            assert await house.store.replay_letter("a") is Replayed.APPENDED
            await house.store.settle((await house.next()).entry_id, Refused("Again", "no"))
        found = await house.store.read_envelopes(await house.store.list_letters())
    assert [(one.code, one.attempts) for one in found] == [("Again", 1)]


async def test_what_is_put_back_stays_seen_for_another_30_days(house: House) -> None:
    """Else a poller would find it again while it is being carried, or soon after."""
    async with house.open():
        await bury(house, "a")
        house.clock.now += 29 * DAY_S
        await house.store.replay_letter("a")
        house.clock.now += 2 * DAY_S
        await house.store.record(seen=["x"])
        assert await house.store.find_unseen(["a"]) == frozenset()


async def test_what_a_poller_could_not_read_is_recorded_under_its_own_id(house: House) -> None:
    """With the references that go with it."""
    async with house.open():
        await house.store.record(dead_letters=[letter("hash")])
        replayed = await house.store.replay_letter(
            "hash", item("post", "thread"), references=[REFERENCE]
        )
        assert replayed is Replayed.APPENDED
        entry = await house.next()
        assert (entry.item_id, entry.payload) == ("post", item("post").payload)
        assert await house.store.list_letters() == ()
        assert await house.store.find_reference("at://post") == REFERENCE
        assert (await house.store.record([item("post")])).new == frozenset()


async def test_what_was_taken_in_another_way_is_not_doubled(house: House) -> None:
    """The letter has nothing more to give and goes."""
    async with house.open():
        await house.store.record([item("post")], dead_letters=[letter("hash")])
        assert await house.store.replay_letter("hash", item("post")) is Replayed.KNOWN
        assert await house.names() == ["post"]
        assert await house.store.list_letters() == ()


async def test_a_letter_with_the_id_of_the_item_does_not_bar_it(house: House) -> None:
    """The mark of that id is the letter's own."""
    async with house.open():
        await house.store.record(dead_letters=[letter("post")])
        replies = [await house.store.replay_letter("post", item("post")) for _ in range(2)]
        assert replies == [Replayed.APPENDED, Replayed.GONE]
        assert await house.names() == ["post"]


async def test_two_letters_of_one_post_give_one_entry(house: House) -> None:
    """Whichever is put back first."""
    async with house.open():
        await house.store.record(dead_letters=[letter("hash 1"), letter("hash 2")])
        replies = [
            await house.store.replay_letter(name, item("post")) for name in ("hash 2", "hash 1")
        ]
        assert replies == [Replayed.APPENDED, Replayed.KNOWN]
        assert await house.names() == ["post"]


async def test_nothing_is_put_back_of_which_somebody_was_told(house: House) -> None:
    """An agent who got a Failed receipt may have sent the message again."""
    async with house.open():
        await house.store.record([item("receipt")], dead_letters=[letter("hash")])
        told = await house.store.replay_letter("hash", item("agent"), unless_seen="receipt")
        assert told is Replayed.TOLD
        assert await house.names() == ["receipt"]
        assert await house.store.list_letters() == ("hash",)
        assert await house.store.find_unseen(["agent"]) == {"agent"}
        untold = await house.store.replay_letter("hash", item("agent"), unless_seen="another")
        assert untold is Replayed.APPENDED


async def test_items_recorded_with_the_letter_keep_their_order(house: House) -> None:
    """What is put back is later than all that is in the journal."""
    async with house.open():
        await bury(house, "a")
        await house.store.record([item(name, "other") for name in "bcd"])
        await house.store.replay_letter("a")
        entries = await house.handed_over()
    assert [one.item_id for one in entries] == ["b", "a"]
    assert entries[0].recorded_at < entries[1].recorded_at


# --- dropping --------------------------------------------------------------------------------


async def test_a_dropped_letter_is_gone(house: House) -> None:
    """The others stay; its thing stays seen, so that no poll brings it back."""
    async with house.open():
        await house.store.record(dead_letters=[letter("a"), letter("b")])
        assert await house.store.drop_letter("a") is True
        assert await house.store.drop_letter("a") is False
        assert await house.store.list_letters() == ("b",)
        assert await house.store.read_letter("a") is None
        await house.quiet()
        assert house.gauge.read().dead_letters == 1
        await house.store.record(dead_letters=[letter("a")])
        assert await house.store.list_letters() == ("b",)


# --- beside a connector that runs ------------------------------------------------------------


async def test_another_process_sees_the_new_count_with_its_next_recording(house: House) -> None:
    """``/health`` counts what is there, not what it knew."""
    person = House(house.database, namespace=house.keys.namespace)
    async with house.open(), person.open(dispatcher=False):
        await bury(house, "a")
        await bury(house, "b")
        assert house.gauge.read().dead_letters == 2
        await person.store.drop_letter("a")
        await person.store.replay_letter("b")
        assert house.gauge.read().dead_letters == 2
        await house.store.record([item("next")])
        await house.quiet()
        assert house.gauge.read().dead_letters == 0


# --- a store in trouble ----------------------------------------------------------------------


@pytest.fixture
def full_house(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> Iterator[tuple[House, redis.Redis]]:
    """A house on the real server, which has room until the test says otherwise."""
    with closing(open_remote(redis_address, timeout_s=5.0, connections=1)) as database:
        yield House(database), redis_client
    redis_client.config_set("maxmemory", "0")


@pytest.mark.redis
@pytest.mark.parametrize(("letter_id", "put"), [("a", None), ("hash", item("post"))])
async def test_a_full_store_puts_nothing_back_and_loses_nothing(
    full_house: tuple[House, redis.Redis], letter_id: str, put: JournalItem | None
) -> None:
    """The letter stays whole and the journal as it was; dropping makes room all the same."""
    house, client = full_house
    async with house.open():
        await bury(house, "a")
        await house.store.record(dead_letters=[letter("hash")])
        before = await house.store.read_letter(letter_id)
        client.config_set("maxmemory", "1mb")
        with pytest.raises(StoreUnavailable, match="OOM"):
            await house.store.replay_letter(letter_id, put)
        assert await house.store.read_letter(letter_id) == before
        assert set(await house.store.list_letters()) == {"a", "hash"}
        assert await house.store.find_unseen(["post"]) == {"post"}
        assert await house.store.drop_letter("a") is True
        assert await house.store.list_letters() == ("hash",)
        client.config_set("maxmemory", "0")
        await house.store.record(seen=["x"])
        await house.quiet()
        assert (house.gauge.is_available, house.gauge.read().depth) == (True, 0)
        assert await house.names() == []


@pytest.mark.redis
async def test_10000_letters_are_listed_and_read_in_parts(
    full_house: tuple[House, redis.Redis],
) -> None:
    """As many as are kept."""
    house, _ = full_house
    async with house.open():
        for start in range(0, 10_000, 1000):
            await house.store.record(dead_letters=[letter(f"{start + n:05}") for n in range(1000)])
            house.clock.now += 1.0
        ids = await house.store.list_letters()
        assert list(ids) == sorted(ids, reverse=True)
        read = [
            one.letter_id
            for start in range(0, len(ids), 1000)
            for one in await house.store.read_envelopes(ids[start : start + 1000])
        ]
    assert len(ids) == 10_000
    assert tuple(read) == ids


async def test_a_letter_whose_content_is_gone_does_not_stop_the_list(house: House) -> None:
    """It has its own time to live, and its id goes with the next letter."""
    async with house.open():
        await house.store.record(dead_letters=[letter("a"), letter("b")])
        key = house.keys.dead_letter("a")
        await house.database.execute([Command(("DEL", key))])
        found = await house.store.read_envelopes(await house.store.list_letters())
    assert [one.letter_id for one in found] == ["b"]

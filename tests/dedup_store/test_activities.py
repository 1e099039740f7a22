"""Where something happened lately is remembered for a day, and told newest first."""

from __future__ import annotations

import pytest
import redis

from actors.dedup_store.codec import decode_activity, encode_activity
from actors.dedup_store.commands import Command
from actors.dedup_store.keys import ACTIVE_KEEP_S, ACTIVE_MOST
from actors.messages import DeadLetter, Done, Retry
from actors.store import Activity, Record
from tests.dedup_store import version_1
from tests.dedup_store.house import House, item

HOUR_S = 3600.0


def talk(name: str, genesys_id: str = "g") -> Activity:
    return Activity(name, "conversation", genesys_id)


@pytest.mark.parametrize("name", ["agent:1", "a\nb", 'quote "', "日本語 🎉", "half \ud83d"])
def test_an_activity_is_read_as_it_was_written(name: str) -> None:
    """On one line, the same every time."""
    activity = Activity(name, "message", name)
    assert decode_activity(encode_activity(activity)) == activity
    assert "\n" not in encode_activity(activity)


def test_an_activity_that_an_older_release_wrote_is_read() -> None:
    """It is asked about after the upgrade, which is a gap itself."""
    root = "at://did:plc:bob/app.bsky.feed.post/3lroot"
    activity = Activity(f"thread:{root}", "message", "message-3")
    assert decode_activity(version_1.ACTIVITY) == activity
    assert encode_activity(activity) == version_1.ACTIVITY


async def test_recordings_and_settlings_note_where_something_happens(house: House) -> None:
    """The newest comes first."""
    async with house.open():
        await house.store.record([item("a")], active=[talk("agent:1")])
        entry = await house.next()
        house.clock.now += 1
        await house.store.settle(entry.entry_id, Done(), active=[talk("dm:2")])
        assert await house.store.find_active(10) == (talk("dm:2"), talk("agent:1"))
        assert await house.store.find_active(1) == (talk("dm:2"),)
        house.clock.now += 1
        await house.store.record(active=[talk("agent:1")])
        assert await house.store.find_active(10) == (talk("agent:1"), talk("dm:2"))


async def test_of_one_conversation_the_newest_way_to_ask_counts(house: House) -> None:
    """Each post of a thread is one; with the last one it is asked for."""
    async with house.open():
        for genesys_id in "abc":
            await house.store.record(active=[talk("thread:1", genesys_id), talk(genesys_id)])
            house.clock.now += 1
        found = await house.store.find_active(10)
    assert [one for one in found if one.conversation == "thread:1"] == [talk("thread:1", "c")]
    assert len(found) == 4


async def test_a_settling_that_is_repeated_notes_nothing(house: House) -> None:
    """The first one did."""
    async with house.open():
        await house.store.record([item("a")])
        entry = await house.next()
        await house.store.settle(entry.entry_id, Retry(60.0, "busy"))
        await house.store.settle(entry.entry_id, Done(), active=[talk("late")])
        assert await house.store.find_active(10) == ()


async def test_after_a_day_it_is_forgotten(house: House) -> None:
    """With a recording, at most once an hour."""
    async with house.open():
        await house.store.record(active=[talk("old")])
        house.clock.now += ACTIVE_KEEP_S - HOUR_S
        await house.store.record(active=[talk("new")])
        house.clock.now += HOUR_S
        await house.store.record(active=[talk("newer")])
        assert await house.store.find_active(10) == (talk("newer"), talk("new"))


async def test_no_more_are_kept_than_can_be_of_use(house: House) -> None:
    """The newest ones, from one hour to the next."""
    async with house.open():
        await house.store.record()
        for number in range(3):
            house.clock.now += 1
            active = tuple(talk(f"{number} {n}") for n in range(ACTIVE_MOST // 2))
            await house.ask_all([Record(active=active)])
        house.clock.now += HOUR_S
        await house.store.record(active=[talk("last")])
        found = await house.store.find_active(10 * ACTIVE_MOST)
    assert len(found) == ACTIVE_MOST
    assert found[0] == talk("last")
    assert not any(one.conversation.startswith("0 ") for one in found[: ACTIVE_MOST // 2])


async def test_what_another_release_wrote_is_passed_over(house: House) -> None:
    """It is asked for by those that can be read."""
    async with house.open():
        await house.store.record(active=[talk("known")])
        written = encode_activity(talk("unknown")).replace('"version":1', '"version":9')
        later = str(house.clock.now + 1)
        await house.database.execute([Command(("ZADD", house.keys.active, later, written))])
        assert await house.store.find_active(10) == (talk("known"),)


async def test_what_comes_again_is_no_activity(house: House) -> None:
    """However often somebody sends a captured webhook, its conversation stays where it was."""
    async with house.open():
        await house.store.record([item("a")], active=[talk("agent:1")])
        house.clock.now += 1
        await house.store.record([item("b")], active=[talk("agent:2")])
        house.clock.now += 1
        await house.store.record([item("a")], active=[talk("agent:1")])
        assert await house.store.find_active(10) == (talk("agent:2"), talk("agent:1"))


@pytest.mark.redis
async def test_what_comes_again_writes_nothing(
    redis_house: House, redis_client: redis.Redis
) -> None:
    """A server that makes each write durable waits for its disk; a stranger must not have it."""
    letter = DeadLetter("webhook:x", "WebhookReceiver", "too_deep", "it is deep", "[[")
    house = redis_house
    async with house.open():

        async def record() -> int:
            await house.store.record([item("a")], dead_letters=[letter], active=[talk("agent:1")])
            changes = redis_client.info("persistence")["rdb_changes_since_last_save"]
            return int(changes)

        await record()
        written = await record()
        house.clock.now += 1
        assert await record() == written

"""What is recorded is handed over once, in order, until it is settled."""

from __future__ import annotations

import pytest
import trio

from actors.dedup_store.actor import DedupStore
from actors.messages import (
    Author,
    DeadLetter,
    Destination,
    Done,
    KnownPost,
    PostReference,
    Receipt,
    Retry,
    ThreadReference,
)
from actors.store import POSTS_KEEP_S, POSTS_MOST, FindUnseen, Record, Settle, StoreRequest, Value
from tests.dedup_store.house import NEW_YEAR_2026, House, item

SENDER = Destination.GENESYS_SENDER


async def test_an_item_is_handed_over_as_it_was_recorded(house: House) -> None:
    """Item id, conversation and payload arrive whole; it is the first attempt."""
    async with house.open():
        recorded = await house.store.record([item("a", "talk")])
        entry = await house.next()
    assert recorded.new == {"a"}
    assert (entry.item_id, entry.conversation, entry.attempts) == ("a", "talk", 0)
    assert entry.payload == item("a").payload
    assert entry.recorded_at == pytest.approx(house.clock.now, abs=0.001)


async def test_an_item_is_recorded_once(house: House) -> None:
    """A second recording is ignored, within one request and between requests."""
    async with house.open():
        first = await house.store.record([item("a"), item("a"), item("b")])
        second = await house.store.record([item("b"), item("c")])
        assert first.new == {"a", "b"}
        assert second.new == {"c"}
        assert await house.names() == ["a", "b", "c"]


async def test_a_settled_item_is_not_recorded_again(house: House) -> None:
    """What is done stays seen."""
    async with house.open():
        await house.store.record([item("a")])
        await house.store.settle((await house.next()).entry_id, Done())
        assert (await house.store.record([item("a")])).new == frozenset()
        await house.quiet()
    assert house.gauge.read().depth == 0


async def test_one_conversation_has_one_entry_in_hand(house: House) -> None:
    """The next one comes when the one before is settled, in the order of recording."""
    async with house.open():
        await house.store.record([item(name, "talk") for name in "abc"])
        seen = []
        for _ in range(3):
            entry = await house.next()
            assert await house.handed_over() == []
            seen.append(entry.item_id)
            await house.store.settle(entry.entry_id, Done())
    assert seen == ["a", "b", "c"]
    assert len(house.in_hand) == 0


async def test_conversations_are_handed_over_oldest_first(house: House) -> None:
    """Within one recording and between two, whatever the conversations are called."""
    async with house.open():
        await house.store.record([item("1", "z"), item("2", "a"), item("3", "m")])
        await house.store.record([item("4", "b")])
        assert await house.names() == ["1", "2", "3", "4"]


async def test_no_more_is_in_hand_than_the_limit(house: House) -> None:
    """The rest stays in the store, and comes as what is in hand is settled."""
    async with house.open():
        await house.store.record([item(str(n)) for n in range(10)])
        entries = await house.handed_over()
        assert [entry.item_id for entry in entries] == ["0", "1", "2", "3"]
        await house.store.settle(entries[2].entry_id, Done())
        assert await house.names() == ["4"]
    assert house.gauge.read().depth == 9


async def test_destinations_do_not_wait_for_each_other(house: House) -> None:
    """Each has its own room, and its own order for a conversation of the same name."""
    async with house.open():
        await house.store.record(
            [item(str(n), "same") for n in range(3)]
            + [item("other", "same", Destination.BLUESKY_SENDER)]
        )
        assert await house.names() == ["0"]
        assert await house.names(Destination.BLUESKY_SENDER) == ["other"]


async def test_a_retried_entry_comes_again_when_due_and_blocks_only_its_conversation(
    house: House,
) -> None:
    """It keeps its place, counts its attempts, and lets other conversations pass."""
    async with house.open(dispatcher=False):
        await house.store.record([item("a1", "a"), item("a2", "a"), item("b1", "b")])
        a1, b1 = await house.handed_over()
        await house.store.settle(a1.entry_id, Retry(60.0, "busy"))
        await house.store.settle(b1.entry_id, Done())
        assert await house.handed_over() == []
        house.clock.now += 59.9
        await house.store.record([item("c1", "c")])
        assert await house.names() == ["c1"]
        house.clock.now += 0.1
        await house.store.record([item("d1", "d")])
        again, d1 = await house.handed_over()
        assert (again.item_id, again.attempts) == ("a1", 1)
        assert d1.item_id == "d1"
        await house.store.settle(again.entry_id, Done())
        assert await house.names() == ["a2"]


async def test_what_is_due_is_handed_over_although_nobody_asks_for_anything(house: House) -> None:
    """The dispatcher wakes by itself at the due time."""
    async with house.open():
        await house.store.record([item("a")])
        entry = await house.next()
        house.clock.now += 100.0
        await house.store.settle(entry.entry_id, Retry(0.05, "busy"))
        await house.quiet()
        house.clock.now += 0.05
        assert (await house.next()).attempts == 1
    assert 0.0 < min(house.runner.sleeps) <= 0.05


async def test_fresh_conversations_do_not_starve_behind_retried_ones(house: House) -> None:
    """Order is by when each could first be handed over, so retries cannot crowd others out."""
    async with house.open():
        await house.store.record([item(f"bad {n}") for n in range(4)])
        for entry in await house.handed_over():
            await house.store.settle(entry.entry_id, Retry(10.0, "busy"))
        house.clock.now += 5.0
        await house.store.record([item("fresh 1"), item("fresh 2")])
        first, second = await house.handed_over()
        house.clock.now += 20.0
        await house.store.settle(first.entry_id, Retry(10.0, "busy"))
        await house.store.record([item("fresh 3")])
        await house.store.settle(second.entry_id, Done())
        order = await house.names()
        assert order == ["bad 0", "bad 1", "bad 2", "bad 3"]


async def test_what_an_entry_caused_enters_the_journal_with_its_settling(house: House) -> None:
    """Items, references and values are there when the settling is answered."""
    post = PostReference("at://did:plc:bot/app.bsky.feed.post/1", "cid")
    reference = ThreadReference(post, post, "did:plc:bot")
    async with house.open():
        await house.store.record([item("agent", destination=Destination.BLUESKY_SENDER)])
        entry = await house.next(Destination.BLUESKY_SENDER)
        await house.store.settle(
            entry.entry_id,
            Done(),
            items=[item("receipt")],
            references=[reference],
            values=[Value("contact", "did:plc:customer", "{}")],
        )
        assert await house.names() == ["receipt"]
        assert await house.store.find_reference(post.uri) == reference
        assert await house.store.read("contact", "did:plc:customer") == "{}"


async def test_settling_twice_is_settling_once(house: House) -> None:
    """The second time changes nothing: not the next entry, and no second receipt."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk")])
        (entry,) = await house.handed_over()
        for _ in range(2):
            await house.store.settle(entry.entry_id, Done(), items=[item("receipt")])
        assert await house.names() == ["b", "receipt"]
    assert house.gauge.read().depth == 2


async def test_a_late_repeat_of_a_retry_does_not_touch_the_next_attempt(house: House) -> None:
    """An entry id names one delivery: what was said of the first is not said of the second."""
    async with house.open():
        await house.store.record([item("a")])
        first = await house.next()
        await house.store.settle(first.entry_id, Retry(0.0, "busy"))
        second = await house.next()
        await house.store.settle(first.entry_id, Retry(0.0, "busy"))
        await house.store.record([item("b")])
        assert await house.names() == ["b"]
        await house.store.settle(second.entry_id, Done())
    assert house.gauge.read().depth == 1


async def test_an_effect_is_answered_for_although_the_store_lost_the_entry(house: House) -> None:
    """A store that forgot everything still takes what the entry caused."""
    async with house.open():
        await house.store.settle("7.0/BlueskySender/agent:1", Done(), items=[item("receipt")])
        assert (await house.next()).item_id == "receipt"


async def test_an_amended_entry_keeps_its_place_and_its_attempts(house: House) -> None:
    """The new payload is what the next delivery carries."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk")])
        entry = await house.next()
        amended = Receipt("a", "did:plc:customer", "Failed", "GeneralError", "Zürich 🎉\n!")
        await house.store.amend(entry, amended)
        await house.store.settle(entry.entry_id, Retry(0.0, "busy"))
        again = await house.next()
        assert (again.item_id, again.payload, again.attempts) == ("a", amended, 1)


async def test_amending_a_settled_entry_changes_nothing(house: House) -> None:
    """The entry behind it keeps its own payload."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk")])
        entry = await house.next()
        await house.store.settle(entry.entry_id, Done())
        await house.store.amend(entry, Receipt("x", "y", "Delivered"))
        following = await house.next()
        await house.store.settle(following.entry_id, Retry(0.0, "busy"))
        assert (await house.next()).payload == item("b").payload


async def test_any_text_may_be_an_id_or_a_conversation(house: House) -> None:
    """Line breaks, spaces, slashes, other scripts, and half a surrogate pair."""
    names = ["a\nb", "c d", "e/f/g", "日本語 🎉", "half \ud83d", "7.0/x", "{", "%s\0"]
    async with house.open():
        recorded = await house.store.record([item(name, name) for name in names])
        assert recorded.new == set(names)
        for name in names:
            entry = await house.next()
            readable = name.encode("utf-8", "replace").decode()
            assert (entry.item_id, entry.conversation) == (readable, readable)
            await house.store.settle(entry.entry_id, Done())
        assert await house.store.find_unseen(names) == frozenset()
        await house.quiet()
    assert house.gauge.read().depth == 0


async def test_unseen_ids_are_told_from_seen_ones(house: House) -> None:
    """Recorded, marked and buried ids are seen."""
    letter = DeadLetter("broken", "DMPoller", "Malformed", "no text", "{}")
    async with house.open():
        await house.store.record([item("a")], seen=["b"], dead_letters=[letter])
        assert await house.store.find_unseen(["a", "b", "broken", "c", "d"]) == {"c", "d"}
        assert await house.store.find_unseen([]) == frozenset()
        assert (await house.store.record([item("b")])).new == frozenset()


async def test_marks_are_kept_30_days_after_they_were_last_made(house: House) -> None:
    """A marked id is forgotten later than one that nobody marked again; none within an hour."""
    day = 24 * 3600
    async with house.open():
        await house.store.record([item("a"), item("b")])
        house.clock.now += 20 * day
        await house.store.record(seen=["a"])
        house.clock.now += 10 * day + 1
        assert await house.store.find_unseen(["a", "b"]) == frozenset()
        await house.store.record(seen=["c"])
        assert await house.store.find_unseen(["a", "b", "c"]) == {"b"}


async def test_a_thousand_marks_fit_into_one_request(house: House) -> None:
    """There is no limit that a long page meets."""
    ids = [str(n) for n in range(2_345)]
    async with house.open():
        await house.store.record(seen=ids)
        assert await house.store.find_unseen(ids) == frozenset()


async def test_values_are_kept_and_replaced(house: House) -> None:
    """Spaces do not share names; what was never kept is not there."""
    async with house.open():
        await house.store.save(Value("cursor", "dm", "1"))
        await house.store.save(Value("cursor", "dm", "2"))
        await house.store.save(Value("session", "dm", ""))
        assert await house.store.read("cursor", "dm") == "2"
        assert await house.store.read("session", "dm") == ""
        assert await house.store.read("contact", "dm") is None


async def test_a_value_may_have_a_life_time(house: House) -> None:
    """It is gone after it; milliseconds count."""
    async with house.open():
        await house.store.save(Value("session", "s", "x", keep_s=0.001))
        with trio.fail_after(5):
            while await house.store.read("session", "s") is not None:
                pass


async def test_a_value_that_is_kept_for_no_time_is_deleted(house: House) -> None:
    """Together with what is recorded, and whether it was there or not."""
    async with house.open():
        await house.store.save(Value("cursor", "gap", "1"))
        deleted = Value("cursor", "gap", "", keep_s=0)
        for _ in range(2):
            await house.store.record([item("a")], values=[deleted])
            assert await house.store.read("cursor", "gap") is None


async def test_of_an_earliest_value_the_smaller_number_stays(house: House) -> None:
    """Whoever comes first; what is no number is replaced."""
    async with house.open():
        for text, kept in (("50.5", "50.5"), ("60", "50.5"), ("9.25", "9.25"), ("9.250", "9.25")):
            await house.store.save(Value("cursor", "gap", text, earliest=True))
            assert await house.store.read("cursor", "gap") == kept
        await house.store.save(Value("cursor", "gap", "soon"))
        await house.store.save(Value("cursor", "gap", "7", keep_s=60, earliest=True))
        assert await house.store.read("cursor", "gap") == "7"


async def test_requests_that_wait_together_do_not_mix_their_answers(house: House) -> None:
    """One that cannot be written fails alone."""
    bad = Settle("no entry id", Done())
    record, find = Record((item("a"),)), FindUnseen(("a", "b"))
    requests: list[StoreRequest] = [record, bad, find]
    await house.ask_all(requests)
    assert (await record.reply.wait(0, who="")).new == {"a"}
    assert await find.reply.wait(0, who="") == {"b"}
    with pytest.raises(Exception, match="no entry id"):
        await bad.reply.wait(0, who="")
    assert len(house.worker.failures) == 1


async def test_a_new_incarnation_does_not_hand_over_what_is_in_hand(house: House) -> None:
    """The actor that has it may still be at work."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk"), item("c")])
        held = await house.handed_over()
        assert [entry.item_id for entry in held] == ["a", "c"]
    async with house.open():
        await house.store.record([item("d")])
        assert await house.names() == ["d"]
        await house.store.settle(held[0].entry_id, Done())
        assert await house.names() == ["b"]


async def test_a_new_process_gets_what_the_dead_one_had_in_hand(house: House) -> None:
    """Nothing is to be claimed: the entries still head their conversations."""
    async with house.open():
        await house.store.record([item("a", "talk"), item("b", "talk"), item("c")])
        assert len(await house.handed_over()) == 2
    heir = House(house.database, namespace=house.keys.namespace)
    async with heir.open():
        assert [(await heir.next()).item_id for _ in range(2)] == ["a", "c"]


async def test_namespaces_do_not_see_each_other(house: House) -> None:
    """Two connectors may share one Redis."""
    other = House(house.database)
    async with house.open(), other.open():
        await house.store.record([item("a")])
        assert (await other.store.record([item("a")])).new == {"a"}


def test_a_house_makes_incarnations_of_the_actor(house: House) -> None:
    """An incarnation asks nothing of the store before it runs."""
    assert isinstance(house.create(house.worker), DedupStore)
    assert house.gauge.read().status == "unavailable"


def known(name: str) -> KnownPost:
    uri = f"at://did:plc:alice/app.bsky.feed.post/{name}"
    return KnownPost(uri, uri, Author("did:plc:alice", "alice.test"), NEW_YEAR_2026)


async def test_known_posts_come_newest_first_with_the_time_of_their_first_recording(
    house: House,
) -> None:
    """Recording or settling keeps them in the same step; a repeat does not make them younger."""
    async with house.open():
        await house.store.record([item("a")], posts=[known("1")])
        house.clock.now += 10
        await house.store.settle((await house.next()).entry_id, Done(), posts=[known("2")])
        house.clock.now += 10
        await house.store.record(posts=[known("1")])
        everything = await house.store.find_posts(NEW_YEAR_2026)
        assert [(one.post, one.recorded_s) for one in everything] == [
            (known("2"), NEW_YEAR_2026 + 10),
            (known("1"), NEW_YEAR_2026),
        ]
        assert [one.post for one in await house.store.find_posts(NEW_YEAR_2026 + 1)] == [known("2")]
    assert house.store.posts_told == 3


async def test_known_posts_are_forgotten_in_time(house: House) -> None:
    """A recording drops those of more than a week ago, and what is more than the most."""
    async with house.open():
        await house.store.record(posts=[known(str(number)) for number in range(POSTS_MOST + 5)])
        house.clock.now += 3601
        await house.store.record([item("a")], posts=[known("late")])
        assert len(await house.store.find_posts(0)) == POSTS_MOST
        house.clock.now += POSTS_KEEP_S - 1
        await house.store.record([item("b")])
        assert [one.post for one in await house.store.find_posts(0)] == [known("late")]

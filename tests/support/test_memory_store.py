"""The double keeps the promises of the requests that it answers."""

from __future__ import annotations

import pytest
import trio

from actors.items import make_contact_item
from actors.messages import (
    Author,
    DeadLetter,
    Destination,
    Done,
    JournalItem,
    PostReference,
    Refused,
    Retry,
    ThreadReference,
)
from actors.store import SEEN_KEEP_S, Activity, StoreUnavailable, Value
from tests.support.memory_store import MemoryStore

ALICE = Author("did:plc:alice", "alice.test")
BOB = Author("did:plc:bob", "bob.test")


def contact(author: Author, number: int) -> JournalItem:
    return make_contact_item(author, f"post:{number}")


async def test_an_item_is_recorded_once(autojump_clock: trio.abc.Clock) -> None:
    """A second recording of the same id adds nothing and is not new."""
    memory = MemoryStore()
    first = await memory.store.record([contact(ALICE, 1)])
    second = await memory.store.record([contact(ALICE, 1), contact(ALICE, 2)])
    assert first.new == {"contact:post:1"}
    assert second.new == {"contact:post:2"}
    assert memory.items == ["contact:post:1", "contact:post:2"]


async def test_a_seen_mark_is_forgotten_after_thirty_days_unless_renewed(
    autojump_clock: trio.abc.Clock,
) -> None:
    """``seen`` marks and renews without delivering anything."""
    memory = MemoryStore()
    await memory.store.record(seen=["a", "b"])
    await trio.sleep(SEEN_KEEP_S - 1)
    await memory.store.record(seen=["b"])
    await trio.sleep(2)
    assert await memory.store.find_unseen(["a", "b"]) == {"a"}
    assert memory.items == []


async def test_one_entry_per_conversation_is_deliverable(autojump_clock: trio.abc.Clock) -> None:
    """The next one follows when the first is settled; a retried one keeps its place."""
    memory = MemoryStore()
    await memory.store.record([contact(ALICE, 1), contact(ALICE, 2), contact(BOB, 3)])
    first, bobs = memory.deliverable(Destination.CONTACT_RESOLVER)
    assert (first.item_id, bobs.item_id) == ("contact:post:1", "contact:post:3")
    await memory.store.settle(first.entry_id, Retry(1.0, "busy"))
    assert memory.deliverable(Destination.CONTACT_RESOLVER)[0].attempts == 1
    await memory.store.settle(first.entry_id, Done(), items=[contact(BOB, 4)])
    await memory.store.settle(first.entry_id, Refused("x", "y"), items=[contact(BOB, 5)])
    assert memory.items == ["contact:post:2", "contact:post:3", "contact:post:4"]
    assert [outcome for _, outcome in memory.settled] == [Done()]


async def test_values_references_and_letters_are_kept(autojump_clock: trio.abc.Clock) -> None:
    """A value can end; a dead letter is kept once; an amended entry carries the new payload."""
    memory = MemoryStore()
    post = PostReference("at://did:plc:alice/app.bsky.feed.post/1", "cid")
    reference = ThreadReference(post, post, ALICE.did)
    letter = DeadLetter("letter:1", "NotificationPoller", "Malformed", "no uri", "{}")
    await memory.store.record(
        [contact(ALICE, 1)],
        values=[Value("cursor", "a", "1"), Value("cursor", "b", "2", keep_s=5)],
        references=[reference],
        dead_letters=[letter, letter],
    )
    await memory.store.amend(memory.entries["1-0"], contact(BOB, 1).payload)
    await trio.sleep(6)
    assert await memory.store.read("cursor", "a") == "1"
    assert await memory.store.read("cursor", "b") is None
    assert await memory.store.find_reference(post.uri) == reference
    assert memory.letters == {"letter:1": letter}
    assert memory.payloads == [contact(BOB, 1).payload]


async def test_values_are_deleted_or_the_earliest_stays(autojump_clock: trio.abc.Clock) -> None:
    """What is kept for no time is not there; of an earliest one the smaller number is."""
    memory = MemoryStore()
    for text in ("10", "9.5", "11"):
        await memory.store.save(Value("cursor", "a", text, earliest=True))
    assert await memory.store.read("cursor", "a") == "9.5"
    await memory.store.save(Value("cursor", "a", "", keep_s=0))
    assert await memory.store.read("cursor", "a") is None
    assert memory.values == {}


async def test_of_each_conversation_the_newest_activity_is_told_first(
    autojump_clock: trio.abc.Clock,
) -> None:
    """With a recording as with a settling."""
    memory = MemoryStore()
    first, second, third = (
        Activity(name, "message", genesys_id)
        for name, genesys_id in (("a", "1"), ("b", "2"), ("a", "3"))
    )
    await memory.store.record([contact(ALICE, 1)], active=[first, second])
    await memory.store.settle("1-0", Done(), active=[third])
    assert await memory.store.find_active(10) == (third, second)
    assert await memory.store.find_active(1) == (third,)


async def test_a_lost_answer_took_effect_and_an_absent_store_did_nothing(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Both look the same to the asker."""
    memory = MemoryStore()
    memory.lost_answers = 1
    with pytest.raises(StoreUnavailable):
        await memory.store.record([contact(ALICE, 1)])
    memory.away = True
    with pytest.raises(StoreUnavailable):
        await memory.store.record([contact(ALICE, 2)])
    assert memory.items == ["contact:post:1"]

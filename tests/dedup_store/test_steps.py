"""DedupStore tells each step of a message: once, in order, and without a word of it."""

from __future__ import annotations

import dataclasses

import pytest

from actors.bluesky.refusals import Refusal
from actors.dedup_store.commands import Command
from actors.dedup_store.in_hand import InHand
from actors.dedup_store.telling import Telling
from actors.items import (
    make_agent_item,
    make_contact_item,
    make_post_item,
    make_reactions_item,
    make_receipt_item,
)
from actors.messages import (
    AgentMessage,
    Author,
    Destination,
    Done,
    InboundPost,
    JournalEntry,
    JournalItem,
    PostReference,
    ReactionCounts,
    Receipt,
    RecordPlan,
    Refused,
    Retry,
)
from actors.reasons import NO_COMMAND
from actors.steps import Step, StepName, find_message, tell_all
from actors.store import Record, Settle
from tests.dedup_store.house import NEW_YEAR_2026, House, item

SECRET = "my card number is 4711"
ALICE = Author("did:plc:alice", "alice.example", "Alice")
POST = InboundPost(
    post=PostReference("at://did:plc:alice/app.bsky.feed.post/3l", "cid"),
    root=PostReference("at://did:plc:alice/app.bsky.feed.post/3l", "cid"),
    parent_uri=None,
    author=ALICE,
    text=SECRET,
    created_at="2025-12-31T23:59:30.000Z",
    url="https://bsky.app/profile/alice.example/post/3l",
    reason="mention",
)
ANSWER = AgentMessage(
    "m1", "public", ALICE.did, SECRET, "2025-12-31T23:59:50.000Z", conversation_id="c"
)


def names_of(steps: list[Step]) -> list[tuple[StepName, str]]:
    """Which steps of which messages."""
    return [(step.name, step.message) for step in steps]


async def test_a_message_that_arrives_is_told_in_three_steps(house: House) -> None:
    """Recorded, delivered, done; each with its own time, and with when it was written."""
    post = make_post_item(POST)
    async with house.open():
        house.clock.now += 1
        await house.store.record([post])
        await house.quiet()
        house.clock.now += 2
        await house.store.settle((await house.next()).entry_id, Done())
    recorded, delivered, done = house.steps
    assert names_of(house.steps) == [
        ("recorded", post.item_id),
        ("delivered", post.item_id),
        ("done", post.item_id),
    ]
    assert [step.at - NEW_YEAR_2026 for step in house.steps] == [1, 1, 3]
    assert recorded.written_at == NEW_YEAR_2026 - 30
    for step in house.steps:
        assert step.recorded_at == pytest.approx(NEW_YEAR_2026 + 1, abs=0.001)
        assert (step.kind, step.item_id) == ("inbound_post", post.item_id)
        assert (step.destination, step.conversation) == (post.destination, post.conversation)
        assert (step.attempts, step.code, step.why) == (0, None, None)
        assert step.written_at == recorded.written_at
    assert delivered.recorded_at == done.recorded_at


async def test_a_retry_and_a_refusal_say_why(house: House) -> None:
    """The retry ends the first delivery, the refusal the second one."""
    async with house.open():
        await house.store.record([item("a")])
        await house.store.settle((await house.next()).entry_id, Retry(0.0, "busy"))
        await house.store.settle((await house.next()).entry_id, Refused("Gone", "it is deleted"))
    told = [(step.name, step.attempts, step.code, step.why) for step in house.steps]
    assert told == [
        ("recorded", 0, None, None),
        ("delivered", 0, None, None),
        ("retried", 0, None, "busy"),
        ("delivered", 1, None, None),
        ("refused", 1, "Gone", "it is deleted"),
    ]


async def test_what_is_recorded_again_is_not_told(house: House) -> None:
    """Within one request, between requests, and as what a settling causes."""
    async with house.open(dispatcher=False):
        await house.store.record([item("a"), item("a"), item("b")])
        await house.store.record([item("b"), item("c")])
        entry = await house.next()
        await house.store.settle(entry.entry_id, Done(), items=[item("c"), item("d")])
    recorded = [step.item_id for step in house.steps if step.name == "recorded"]
    assert recorded == ["a", "b", "c", "d"]


async def test_what_is_settled_again_is_not_told(house: House) -> None:
    """Neither the second settling of a delivery, nor one of an entry that nobody has."""
    async with house.open():
        await house.store.record([item("a")])
        entry = await house.next()
        for _ in range(2):
            await house.store.settle(entry.entry_id, Done())
        await house.store.settle("7.0/GenesysSender/other", Done())
    assert [step.name for step in house.steps] == ["recorded", "delivered", "done"]


async def test_a_settling_whose_answer_was_lost_is_told_once(house: House) -> None:
    """The store says that it was settled before; the one who asks hears of it only now."""
    async with house.open():
        await house.store.record([item("a")])
        entry = await house.next()
        command = house.commands.make(Settle(entry.entry_id, Done()), house.clock())
        await house.database.execute([command])
        assert "done" not in [step.name for step in house.steps]
        await house.store.settle(entry.entry_id, Done())
        await house.quiet()
    assert [step.name for step in house.steps] == ["recorded", "delivered", "done"]


async def test_a_crash_of_dedup_store_doubles_no_step(house: House) -> None:
    """What was told of an entry outlives the one who told it: the next one goes on from there."""
    async with house.open():
        await house.store.record([item("a")])
        entry = await house.next()
    async with house.open():
        await house.quiet()
        await house.store.settle(entry.entry_id, Done())
    assert [step.name for step in house.steps] == ["recorded", "delivered", "done"]


async def test_a_recording_whose_answer_was_lost_is_told_as_delivered(house: House) -> None:
    """Repeated, it is not new any more; the delivery says when it was recorded."""
    async with house.open():
        command = house.commands.make(Record((item("a"),)), house.clock())
        await house.database.execute([command])
        house.clock.now += 1
        await house.store.record([item("a")])
        await house.store.settle((await house.next()).entry_id, Done())
    assert [step.name for step in house.steps] == ["delivered", "done"]


async def test_a_recording_is_told_before_its_delivery_whichever_is_heard_of_first() -> None:
    """Two units ask at once; the one that hands over may have its answer first."""
    in_hand, steps = InHand(), list[Step]()
    telling = Telling(steps.append, in_hand, lambda: NEW_YEAR_2026)
    request = Record((item("a"), item("b")))
    with telling.under_way([request], NEW_YEAR_2026):
        telling.delivered(make_entry("a", recorded_at=NEW_YEAR_2026 + 1e-6))
        telling.answered(request, [1, 2], NEW_YEAR_2026)
    assert names_of(steps) == [
        ("recorded", "a"),
        ("delivered", "a"),
        ("recorded", "b"),
    ]


async def test_a_delivery_during_a_second_recording_tells_no_second_recording() -> None:
    """It was recorded before that, and told then."""
    in_hand, steps = InHand(), list[Step]()
    telling = Telling(steps.append, in_hand, lambda: NEW_YEAR_2026)
    request = Record((item("a"),))
    with telling.under_way([request], NEW_YEAR_2026):
        telling.delivered(make_entry("a", recorded_at=NEW_YEAR_2026 - 60))
        telling.answered(request, [], NEW_YEAR_2026)
    assert names_of(steps) == [("delivered", "a")]


async def test_receipt_and_contact_bear_the_id_of_their_message(house: House) -> None:
    """So one id follows a message through all actors."""
    post = make_post_item(POST)
    contact = make_contact_item(ALICE, post.item_id)
    answer = make_agent_item(ANSWER)
    receipt = make_receipt_item(Receipt("m1", ALICE.did, "Delivered"))
    async with house.open():
        await house.store.record([post, contact, answer, receipt])
        await house.quiet()
    messages = {step.item_id: step.message for step in house.steps}
    assert messages == {
        post.item_id: post.item_id,
        contact.item_id: post.item_id,
        answer.item_id: "agent:m1",
        receipt.item_id: "agent:m1",
    }


async def test_messages_that_go_out_together_have_steps_of_their_own(house: House) -> None:
    """Those that were taken in behind the first: handed over, and closed, with it."""
    second = dataclasses.replace(ANSWER, message_id="m2", sent_at="2025-12-31T23:59:55.000Z")
    sender = Destination.BLUESKY_SENDER
    async with house.open():
        await house.store.record([make_agent_item(ANSWER), make_agent_item(second)])
        entry = await house.next(sender)
        _, behind = await house.store.read_queue(entry.entry_id, 2)
        planned = dataclasses.replace(ANSWER, plan=RecordPlan(()), together=(second,))
        for _ in range(2):
            await house.store.amend(entry, planned, [behind.entry_id])
        await house.store.settle(entry.entry_id, Retry(0.0, "busy"))
        await house.store.settle((await house.next(sender)).entry_id, Done())
    assert [step.name for step in house.steps if step.message == "agent:m1"] == [
        "recorded",
        "delivered",
        "retried",
        "delivered",
        "done",
    ]
    others = [step for step in house.steps if step.message == "agent:m2"]
    assert [step.name for step in others] == [
        "recorded",
        "delivered",
        "retried",
        "delivered",
        "done",
    ]
    assert {step.written_at for step in others} == {NEW_YEAR_2026 - 5}


async def test_what_this_release_cannot_read_is_told_as_refused(house: House) -> None:
    """It is in no actor's hands, and yet nobody looks for it in vain."""
    readable = house.commands.make(Record((item("a"),)), house.clock())
    arguments = (one.replace('"receipt"', '"hologram"') for one in readable.arguments)
    await house.database.execute([Command(tuple(arguments))])
    async with house.open():
        await house.quiet()
    (refused,) = house.steps
    assert (refused.name, refused.item_id, refused.kind) == ("refused", "a", "hologram")
    assert refused.code == "Unreadable"


async def test_what_goes_out_with_an_unreadable_answer_is_told_as_refused_too(house: House) -> None:
    """A later release began an answer for two messages, and this one cannot read it."""
    second = dataclasses.replace(ANSWER, message_id="m2")
    both = make_agent_item(dataclasses.replace(ANSWER, together=(second,)))
    written = house.commands.make(Record((both,)), house.clock())
    arguments = (one.replace('"agent_message"', '"hologram"') for one in written.arguments)
    await house.database.execute([Command(tuple(arguments))])
    async with house.open():
        await house.quiet()
    refused = [step.message for step in house.steps if step.name == "refused"]
    assert refused == ["agent:m1", "agent:m2"]


async def test_no_step_holds_a_text_or_a_handle(house: House) -> None:
    """Whatever happens to a message, the stream says nothing of what is in it."""
    items = [make_post_item(POST), make_agent_item(ANSWER)]
    async with house.open():
        await house.store.record(items)
        await house.store.settle((await house.next()).entry_id, Retry(0.0, "busy"))
        await house.store.settle((await house.next()).entry_id, Done())
        answer = await house.next(Destination.BLUESKY_SENDER)
        await house.store.settle(answer.entry_id, Refused("Gone", "it is deleted"))
    assert len(house.steps) == 8
    shown = repr(house.steps)
    assert SECRET not in shown
    assert ALICE.handle not in shown


async def test_a_reason_is_told_and_kept_without_words_of_the_message(house: House) -> None:
    """Only the receipt repeats what the agent typed."""
    refusal = Refusal(NO_COMMAND, typed=SECRET, commands="There are !like and !repost.")
    async with house.open():
        await house.store.record([item("a")])
        entry_id = (await house.next()).entry_id
        await house.store.settle(entry_id, Refused(refusal.code, refusal.why))
        (letter,) = await house.store.read_envelopes(["a"])
    assert SECRET in refusal.sentence
    assert letter.why == house.steps[-1].why
    assert letter.why == "!… is not a command, and nothing was posted. There are !like and !repost."


async def test_only_an_author_s_own_time_counts_as_written(house: House) -> None:
    """Counts and receipts have none, and what is shown as context is as old as it is."""
    context = dataclasses.replace(POST, reason="context")
    counts = ReactionCounts(POST.post.uri, 1, 0, 0, POST.created_at)
    broken = dataclasses.replace(
        POST, created_at="yesterday", post=PostReference("at://x/y/z", "cid")
    )
    items: list[JournalItem] = [
        make_post_item(context),
        make_reactions_item(counts),
        make_receipt_item(Receipt("m1", ALICE.did, "Delivered")),
        make_post_item(broken),
    ]
    async with house.open():
        await house.store.record(items)
        await house.quiet()
    assert {step.written_at for step in house.steps} == {None}


def test_any_id_names_its_message() -> None:
    """Also those that only look like another one's."""
    assert find_message("receipt:receipt:x") == "agent:receipt:x"
    assert find_message("contact:dm:c:m") == "dm:c:m"
    assert find_message("post:contact:x") == "post:contact:x"


def test_several_listeners_hear_each_step_in_turn() -> None:
    """Each of all, in the order in which they were given."""
    heard: list[str] = []
    step = Step("done", "a", "a", "receipt", Destination.GENESYS_SENDER, "a", 0, 0, None, 0)
    tell_all(lambda one: heard.append(f"1 {one.name}"), lambda one: heard.append("2"))(step)
    assert heard == ["1 done", "2"]


def make_entry(name: str, recorded_at: float) -> JournalEntry:
    """As it is handed over the first time."""
    one = item(name)
    return JournalEntry(
        f"1.0/{one.destination}/{one.conversation}",
        one.item_id,
        one.destination,
        one.conversation,
        one.payload,
        attempts=0,
        recorded_at=recorded_at,
    )

"""After a gap, what agents wrote in it is found and recorded once, and nothing else."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.genesys.gap import MISSED_SINCE, RETRIES_S, make_missed_since
from actors.genesys.inquiry import AT_ONCE
from actors.genesys.reconciler import (
    LOOK_EVERY_S,
    MOST_ACTIVITIES,
    MOST_CONVERSATIONS,
    PORTION_S,
    SECOND_LOOK_S,
)
from actors.messages import AgentMessage, Receipt
from actors.store import Activity, Record, Value
from tests.genesys.fake_conversations import CUSTOMER, POST, Written
from tests.genesys.fake_platform import FakeGenesys
from tests.genesys.reconciling import WINDOW_S, Return
from tests.genesys.webhook_desk import Desk, make_body
from tests.support.memory_store import MemoryStore, virtual_wall_clock

GAP_S = 600.0


async def test_a_missed_private_message_is_recorded_as_its_webhook_would_have_been(
    back: Return, autojump_clock: MockClock
) -> None:
    """With the same item id and in the same conversation of the journal."""
    written = back.write("m", back.talk(1), ago_s=300, text="We will call you.")
    await back.miss(GAP_S)
    await back.run()
    (entry,) = back.memory.entries.values()
    assert (entry.item_id, entry.conversation) == ("agent:m", "agent:conversation-1")
    assert entry.payload == AgentMessage(
        message_id="m",
        channel="private",
        recipient_did=CUSTOMER,
        text="We will call you.",
        sent_at="2025-12-31T23:55:00.000Z",
        conversation_id="conversation-1",
    )
    assert written.as_data()["normalizedMessage"].keys().isdisjoint({"conversationId"})
    assert back.is_done
    assert back.context.handled == 1
    noted = Activity("agent:conversation-1", "conversation", "conversation-1")
    assert back.memory.active[-1] == noted


@pytest.mark.parametrize("text", ["Thanks", "!like", "word " * 200])
async def test_a_missed_public_reply_names_its_post_whatever_it_says(
    back: Return, text: str, autojump_clock: MockClock
) -> None:
    """An ordinary text, a command and a long one."""
    back.write("m", back.talk(1), ago_s=300, text=text).public = True
    await back.miss(GAP_S)
    await back.run()
    (message,) = back.memory.payloads
    assert isinstance(message, AgentMessage)
    assert (message.channel, message.text) == ("public", text)
    assert (message.reply_to_uri, message.root_uri) == (POST, POST)


async def test_a_post_that_became_a_conversation_is_asked_about_by_its_message(
    back: Return, autojump_clock: MockClock
) -> None:
    """It is known by the id that Genesys gave the post."""
    now = virtual_wall_clock()
    back.conversations.add(Written("post", "conversation-1", now - 900, direction="inbound"))
    back.memory.active = [Activity("thread:x", "message", "post")]
    back.write("m", "conversation-1", ago_s=300)
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == ["agent:m"]


async def test_a_post_that_became_none_is_no_trouble(
    back: Return, autojump_clock: MockClock
) -> None:
    """It has no conversation, or Genesys does not know the message any more."""
    back.conversations.add(Written("post", None, virtual_wall_clock(), direction="inbound"))
    back.memory.active = [Activity(f"thread:{one}", "message", one) for one in ("post", "gone")]
    await back.miss(GAP_S)
    await back.run()
    assert back.is_done
    assert back.context.skips == {}
    assert back.context.failures == []


async def test_a_conversation_is_asked_about_once_however_it_is_known(
    back: Return, autojump_clock: MockClock
) -> None:
    """By its own id and by two of its posts."""
    for name in ("post-1", "post-2"):
        sent_at = virtual_wall_clock() - 900
        back.conversations.add(Written(name, "conversation-1", sent_at, direction="inbound"))
        back.memory.active.append(Activity(f"thread:{name}", "message", name))
    back.talk(1)
    await back.miss(GAP_S)
    await back.run()
    assert back.genesys.paths().count("GET messages/conversation-1") == 1


async def test_the_webhook_that_comes_late_takes_no_second_effect(
    back: Return, autojump_clock: MockClock
) -> None:
    """Nor does the message that came before it was looked for."""
    for name in ("late", "early"):
        back.write(name, back.talk(1), ago_s=300, text=name)
    desk = Desk(memory=back.memory)
    await desk.deliver(make_body(id="early"))
    await back.miss(GAP_S)
    await back.run()
    await desk.deliver(make_body(id="late"))
    assert back.memory.items == ["agent:early", "agent:late"]
    assert [call.body for call in back.genesys.calls if call.method == "POST"] == [["late"]]


async def test_what_has_an_outcome_is_left(back: Return, autojump_clock: MockClock) -> None:
    """A final receipt, or a status that says so; a customer's message and an event as well."""
    conversation_id = back.talk(1)
    for status in ("delivery-success", "delivery-failed", "read", "published", "removed"):
        back.write(status, conversation_id, ago_s=300).status = status
    receipt = {"type": "Receipt", "status": "Failed", "isFinalReceipt": True}
    back.write("told", conversation_id, ago_s=300).receipts = [receipt]
    on_its_way = {"type": "Receipt", "status": "Sent", "isFinalReceipt": False}
    back.write("untold", conversation_id, ago_s=300).receipts = [on_its_way]
    for status in ("received", "queued"):
        customers = back.write(f"customer's {status}", conversation_id, ago_s=300)
        customers.direction, customers.status = "inbound", status
    typing = {"type": "Event", "events": [{"eventType": "Typing"}]}
    back.write("typing", conversation_id, ago_s=300).normalized = typing
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == ["agent:untold"]
    assert back.context.skips == {}


@pytest.mark.parametrize("status", ["queued", "sent", "failed"])
async def test_what_has_no_outcome_is_carried(
    back: Return, status: str, autojump_clock: MockClock
) -> None:
    """Whatever the platform calls a message that no webhook took."""
    back.write("m", back.talk(1), ago_s=300).status = status
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == ["agent:m"]


async def test_what_was_refused_by_the_connector_itself_is_not_fetched(
    back: Return, autojump_clock: MockClock
) -> None:
    """It has a receipt under way, although it was never to be carried."""
    back.write("message-1", back.talk(1), ago_s=300)
    await Desk(memory=back.memory).deliver(make_body(type="Structured"))
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == ["receipt:message-1"]
    assert "POST messages/bulk" not in back.genesys.paths()


async def test_messages_of_all_conversations_are_recorded_in_one_step_oldest_first(
    back: Return, autojump_clock: MockClock
) -> None:
    """So the order within each holds."""
    first, second = back.talk(1), back.talk(2)
    for ago_s, conversation_id in ((100, first), (400, second), (200, first), (300, second)):
        back.write(str(ago_s), conversation_id, ago_s=ago_s, text=str(ago_s))
    await back.miss(GAP_S)
    await back.run()
    assert back.texts == ["400", "300", "200", "100"]
    recordings = [one for one in back.memory.requests if isinstance(one, Record) and one.items]
    assert len(recordings) == 1


async def test_what_is_found_first_does_not_wait_for_a_thousand_conversations(
    back: Return, autojump_clock: MockClock
) -> None:
    """Each takes a moment, all together minutes, in which an agent's answer may become too old."""
    for number in range(100):
        back.write(str(number), back.talk(number), ago_s=300)
    back.genesys.latency_s = 1.0
    await back.miss(GAP_S)
    async with back.running():
        await trio.sleep(2 * PORTION_S)
        early = list(back.memory.items)
        await trio.sleep(600 + SECOND_LOOK_S)
    assert 0 < len(early) < 20
    assert len(back.memory.items) == 100
    assert back.is_done


async def test_it_looks_back_a_little_behind_the_gap_and_no_further(
    back: Return, autojump_clock: MockClock
) -> None:
    """The last retry of an earlier message may have fallen into it."""
    conversation_id = back.talk(1)
    back.write("in time", conversation_id, ago_s=GAP_S + RETRIES_S - 10)
    back.write("before", conversation_id, ago_s=GAP_S + RETRIES_S + 10)
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == ["agent:in time"]
    assert back.context.skips == {}
    assert [call.body for call in back.genesys.calls if call.method == "POST"] == [["in time"]]


async def test_what_is_older_than_the_window_is_left_counted_and_told(
    back: Return, autojump_clock: MockClock
) -> None:
    """It would only confuse the customer now."""
    conversation_id = back.talk(1)
    back.write("old", conversation_id, ago_s=WINDOW_S + 60)
    back.write("older", conversation_id, ago_s=WINDOW_S + 120)
    back.write("new", conversation_id, ago_s=WINDOW_S - 60)
    await back.miss(2 * WINDOW_S)
    await back.run()
    assert back.memory.items == ["agent:new"]
    assert [call.body for call in back.genesys.calls if call.method == "POST"] == [["new"]]
    assert back.context.skips == {"too_old_to_reconcile": 2}
    told, again = back.log.of("reconciled")
    assert told.fields["skipped"] == {"too_old_to_reconcile": 2}
    assert (again.fields["messages"], again.fields["done"]) == (0, True)


async def test_a_message_whose_time_the_list_does_not_say_is_judged_by_itself(
    back: Return, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """The time of the message itself is always there."""
    details = Written.as_details
    monkeypatch.setattr(
        Written,
        "as_details",
        lambda one: {k: v for k, v in details(one).items() if k != "messageTime"},
    )
    conversation_id = back.talk(1)
    back.write("before", conversation_id, ago_s=3 * WINDOW_S)
    back.write("old", conversation_id, ago_s=WINDOW_S + 60)
    back.write("new", conversation_id, ago_s=60)
    await back.miss(2 * WINDOW_S)
    await back.run()
    assert back.memory.items == ["agent:new"]
    assert back.context.skips == {"too_old_to_reconcile": 1}


async def test_what_cannot_be_carried_is_told_to_the_agent_and_kept(
    back: Return, autojump_clock: MockClock
) -> None:
    """As if the webhook had come."""
    conversation_id = back.talk(1)
    back.write("odd", conversation_id, ago_s=300).normalized = {"type": "Unknown"}
    back.write("buttons", conversation_id, ago_s=300).normalized = {"type": "Structured"}
    back.write("good", conversation_id, ago_s=300)
    await back.miss(GAP_S)
    await back.run()
    assert set(back.memory.items) == {"receipt:odd", "receipt:buttons", "agent:good"}
    failed = [one.code for one in back.memory.payloads if isinstance(one, Receipt)]
    assert failed == ["UnsupportedMessage"] * 2
    assert list(back.memory.letters) == ["webhook:odd"]
    assert back.context.skips == {"unknown_type": 1, "structured": 1}


async def test_many_messages_of_one_conversation_are_asked_for_in_parts(
    back: Return, autojump_clock: MockClock
) -> None:
    """No request asks for more than a hundred."""
    conversation_id = back.talk(1)
    for number in range(2 * AT_ONCE + 1):
        back.write(f"{number:03}", conversation_id, ago_s=300 - number / 10)
    await back.miss(GAP_S)
    await back.run()
    assert back.memory.items == [f"agent:{number:03}" for number in range(2 * AT_ONCE + 1)]
    asked = [len(call.body) for call in back.genesys.calls if call.method == "POST"]
    assert asked == [AT_ONCE, AT_ONCE, 1]


async def test_at_most_so_many_conversations_are_asked_about_the_latest_first(
    back: Return, autojump_clock: MockClock
) -> None:
    """The rest is counted and told."""
    for number in range(MOST_CONVERSATIONS + 7):
        back.write(str(number), back.talk(number), ago_s=300)
    await back.miss(GAP_S)
    await back.run(1000)
    assert len(back.memory.items) == MOST_CONVERSATIONS
    assert set(back.memory.items).isdisjoint(f"agent:{number}" for number in range(7))
    assert back.context.skips == {"conversation_left_out": 7}
    (told,) = back.log.of("conversations left out")
    assert (told.level, told.fields["conversations"]) == ("warning", 7)
    assert back.context.acquired == len(back.genesys.calls)


async def test_many_posts_crowd_out_no_conversation(
    back: Return, autojump_clock: MockClock
) -> None:
    """However much was written since by people whom no agent has answered."""
    back.write("m", back.talk(1), ago_s=300)
    for number in range(MOST_ACTIVITIES - 1):
        back.memory.active.append(Activity(f"thread:{number}", "message", f"post-{number}"))
    await back.miss(GAP_S)
    await back.run(1000)
    assert back.memory.items == ["agent:m"]
    assert len(back.genesys.calls) == 2 + MOST_CONVERSATIONS - 1


async def test_without_a_gap_nothing_is_asked(back: Return, autojump_clock: MockClock) -> None:
    """The store is looked into now and then, for what another process noticed."""
    back.write("m", back.talk(1), ago_s=300)
    async with back.running():
        await trio.sleep(1)
        assert back.genesys.calls == []
        await back.memory.store.save(make_missed_since(virtual_wall_clock() - GAP_S))
        await trio.sleep(LOOK_EVERY_S)
        assert back.memory.items == ["agent:m"]
    assert len(back.memory.requests) < 12


async def test_it_can_be_turned_off(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """Then neither the platform nor the store is asked."""
    back = Return(client, memory, genesys, window_s=0)
    back.write("m", back.talk(1), ago_s=300)
    await back.miss(GAP_S)
    memory.requests.clear()
    await back.run(3 * LOOK_EVERY_S)
    assert memory.requests == []
    assert genesys.calls == []


async def test_it_works_on_duty_only(back: Return, autojump_clock: MockClock) -> None:
    """Of two processes one looks; after a pause it looks anew."""
    back.duty.end()
    back.write("m", back.talk(1), ago_s=300)
    await back.miss(GAP_S)
    back.memory.requests.clear()
    async with back.running():
        await trio.sleep(2 * LOOK_EVERY_S)
        assert back.memory.requests == []
        back.duty.begin(trio.current_time() + 10)
        await trio.sleep(1)
        assert back.memory.items == ["agent:m"]
        await trio.sleep(100)
        back.memory.requests.clear()
        back.write("n", "conversation-1", ago_s=10)
        await back.miss(30)
        await trio.sleep(2 * LOOK_EVERY_S)
        assert len(back.memory.requests) == 1
        back.duty.begin(float("inf"))
        await trio.sleep(1)
        assert back.memory.items == ["agent:m", "agent:n"]


async def test_a_second_gap_during_the_first_is_looked_into_as_well(
    back: Return, autojump_clock: MockClock
) -> None:
    """What was asked before it began says nothing about it."""
    back.write("first", back.talk(1), ago_s=300)
    await back.miss(GAP_S)

    def miss_again(call: object) -> None:
        if "bulk" in str(call) and len(back.conversations.messages) == 1:
            back.write("second", "conversation-1", ago_s=0)
            back.memory.values["cursor", MISSED_SINCE] = Value(
                "cursor", MISSED_SINCE, str(virtual_wall_clock())
            )
            vars(back.memory)["_value_until"]["cursor", MISSED_SINCE] = float("inf")

    back.genesys.before = miss_again
    await back.run(LOOK_EVERY_S + 2 * SECOND_LOOK_S + 2)
    assert back.memory.items == ["agent:first", "agent:second"]
    assert back.is_done


@pytest.mark.parametrize("text", ["", "soon", "nan", "-inf"])
async def test_a_time_that_cannot_be_read_is_long_ago(
    back: Return, text: str, autojump_clock: MockClock
) -> None:
    """Then the window alone decides."""
    conversation_id = back.talk(1)
    back.write("new", conversation_id, ago_s=WINDOW_S - 60)
    back.write("old", conversation_id, ago_s=WINDOW_S + 60)
    await back.memory.store.save(Value("cursor", MISSED_SINCE, text))
    await back.run()
    assert back.memory.items == ["agent:new"]
    assert back.is_done


async def test_whenever_it_is_killed_the_next_one_finds_the_rest_and_nothing_twice(
    client: GenesysClient, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """Killed after each step in turn, until there is no step left to be killed after."""
    for steps in range(1000):
        memory = MemoryStore()
        back = Return(client, memory, genesys)
        for number in range(3):
            back.write(str(number), back.talk(number), ago_s=300 - number)
        await back.miss(GAP_S)
        async with back.running():
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            was_done = len(memory.items) == 3
        heir = Return(client, memory, genesys)
        await heir.run(100)
        assert memory.items == ["agent:0", "agent:1", "agent:2"]
        assert heir.is_done
        if was_done:
            break
    assert 20 < steps < 999


async def test_what_becomes_known_only_after_the_gap_is_looked_into_as_well(
    back: Return, autojump_clock: MockClock
) -> None:
    """It was taken in just before the gap, and settled after it; an agent was quicker than that."""
    back.write("m", "conversation-1", ago_s=300)
    await back.miss(GAP_S)
    async with back.running():
        await trio.sleep(1)
        assert (back.memory.items, back.is_done) == ([], False)
        back.talk(1)
        await trio.sleep(SECOND_LOOK_S)
    assert back.memory.items == ["agent:m"]
    assert back.is_done


async def test_a_lost_answer_of_the_store_doubles_nothing(
    back: Return, autojump_clock: MockClock
) -> None:
    """Each request to it may be repeated."""
    back.write("m", back.talk(1), ago_s=300)
    await back.miss(GAP_S)
    back.memory.lost_answers = 10
    await back.run(30 + SECOND_LOOK_S)
    assert back.memory.items == ["agent:m"]
    assert back.is_done
    assert back.memory.lost_answers == 0

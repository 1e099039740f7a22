"""Where a customer wrote is noted with the way to ask Genesys about it, when it was taken in."""

from __future__ import annotations

import httpx
import pytest
from trio.testing import MockClock

from actors.genesys.activities import make_activities
from actors.messages import Json, Receipt
from actors.recent import Recent
from actors.store import Activity
from tests.genesys.fake_platform import error
from tests.genesys.sender_bench import Bench, make_message, make_post, make_uri


@pytest.mark.parametrize("contacts", [None, Recent()])
async def test_a_post_is_noted_by_the_id_that_genesys_gave_it(
    bench: Bench, contacts: Recent | None, autojump_clock: MockClock
) -> None:
    bench.contacts = contacts
    bench.add(make_post(1), make_post(2))
    await bench.send()
    assert set(bench.memory.active) == {
        Activity(f"thread:{make_uri(number)}", "message", f"genesys-{make_uri(number)}")
        for number in (1, 2)
    }


async def test_a_direct_message_is_noted_by_its_conversation_if_that_is_named(
    bench: Bench, autojump_clock: MockClock
) -> None:
    named = {"id": "genesys-message-1", "conversationId": "conversation-1"}
    bench.genesys.faults = [httpx.Response(202, json=named)]
    bench.add(make_message(1))
    await bench.send()
    bench.add(make_message(2))
    await bench.send()
    assert bench.memory.active == [
        Activity("dm:convo-1", "conversation", "conversation-1"),
        Activity("dm:convo-2", "message", "genesys-message-2"),
    ]


async def test_what_was_not_taken_in_and_receipts_are_not_noted(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(400, "invalid.value")]
    bench.add(make_message(1))
    await bench.send()
    bench.add(Receipt("agent-1", "did:plc:9", "Delivered"))
    await bench.send()
    assert bench.memory.active == []


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": 7}, {"conversationId": None}])
def test_an_answer_without_names_says_nothing(answer: Json) -> None:
    assert make_activities("dm:1", answer) == ()

"""Direct messages and receipts go one by one, and one that is refused stops nobody."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.genesys.delivery import PATIENCE
from actors.items import (
    make_agent_item,
    make_failure,
)
from actors.messages import (
    AgentMessage,
    Author,
    Destination,
    Done,
    Receipt,
    Refused,
    ResolveContact,
)
from runtime.rate import Rate
from tests.genesys.fake_platform import FakeGenesys, error
from tests.genesys.sender_bench import Bench, make_message
from tests.support.memory_store import MemoryStore


async def test_direct_messages_and_receipts_go_singly(
    bench: Bench, autojump_clock: MockClock
) -> None:
    receipt = Receipt("agent-1", "did:plc:9", "Failed", "RecipientOptedOut", "They closed DMs.")
    bench.add(make_message(1), receipt, make_message(2))
    await bench.send()
    assert sorted(bench.genesys.paths()) == ["POST open/message"] * 2 + ["POST open/receipt"]
    assert bench.genesys.receipts == [
        {
            "id": "agent-1",
            "channel": {"to": {"id": "did:plc:9"}, "time": "2026-01-01T00:00:00.000Z"},
            "status": "Failed",
            "isFinalReceipt": True,
            "reasons": [{"code": "RecipientOptedOut", "message": "They closed DMs."}],
        }
    ]
    assert set(bench.outcomes().values()) == {Done()}


async def test_a_refused_receipt_is_a_dead_letter_and_stops_nobody(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.culprits = {"agent-1"}
    bench.add(Receipt("agent-1", "did:plc:9", "Delivered"), make_message(1))
    bench.genesys.before = None
    await bench.send()
    outcomes = bench.outcomes()
    refused = outcomes["receipt:agent-1"]
    assert isinstance(refused, Refused)
    assert refused.code == "bad.request"
    assert outcomes["dm:convo-1:message-1"] == Done()
    assert bench.memory.entries == {}


async def test_a_receipt_for_a_message_that_genesys_does_not_know_is_a_dead_letter(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(404, "not.found")]
    bench.add(Receipt("agent-1", "did:plc:9", "Delivered"))
    await bench.send()
    assert isinstance(bench.outcomes()["receipt:agent-1"], Refused)


async def test_a_refused_direct_message_is_a_dead_letter(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.culprits = {"message-1"}
    bench.add(make_message(1), make_message(2))
    await bench.send()
    outcomes = bench.outcomes()
    assert isinstance(outcomes["dm:convo-1:message-1"], Refused)
    assert outcomes["dm:convo-2:message-2"] == Done()


async def test_what_is_not_for_genesys_is_a_dead_letter(
    bench: Bench, autojump_clock: MockClock
) -> None:
    message = AgentMessage("m", "private", "did:plc:1", "hi", "2026-01-01T00:00:00.000Z")
    for item in (make_agent_item(message), make_failure("m", "did:plc:1", "GeneralError", "no")):
        payload = ResolveContact(Author("did:plc:1", "a.test"))
        if isinstance(item.payload, AgentMessage):
            bench.memory.add(dataclasses.replace(item, destination=Destination.GENESYS_SENDER))
        else:
            bench.memory.add(dataclasses.replace(item, payload=payload))
    await bench.send()
    codes = {outcome.code for outcome in bench.outcomes().values() if isinstance(outcome, Refused)}
    assert codes == {"Malformed"}
    assert len(bench.outcomes()) == 2


async def test_a_conflict_may_pass_and_is_not_waited_for_for_ever(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_message(1))
    for attempt in range(PATIENCE + 1):
        assert bench.outcomes() == {}, attempt
        bench.genesys.faults = [error(409, "request.conflict")]
        await bench.send()
    (outcome,) = bench.outcomes().values()
    assert isinstance(outcome, Refused)
    assert outcome.code == "request.conflict"


async def test_a_slow_answer_holds_up_no_more_than_its_place(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    bench = Bench(client, memory, genesys, concurrency=2)
    settled_at: dict[str, float] = {}
    original = genesys.__call__

    async def answer(request: httpx.Request) -> httpx.Response:
        response = await original(request)
        if b"message-0" in request.content:
            await trio.sleep(20)
        settled_at[request.content.decode()[:200]] = trio.current_time()
        return response

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        vars(client)["_http"] = http
        bench.add(*map(make_message, range(5)))
        await bench.send()
    assert sorted(settled_at.values()) == [0.0, 0.0, 0.0, 0.0, 20.0]


async def test_the_actors_own_rate_is_kept(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    bench = Bench(client, memory, genesys, rate=Rate(2, 60.0))
    bench.add(*map(make_message, range(5)))
    await bench.send()
    assert bench.context.acquired == 5
    assert trio.current_time() == pytest.approx(120.0)

"""The sender under the real supervisor: what it raises has the effect that is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.messages import Destination, Done, JournalEntry, Receipt, Refused, Retry
from actors.settlement import bury
from actors.store import Settle
from runtime.actor import ActorSpec, Context
from runtime.mailbox import Mailbox
from tests.genesys.fake_platform import CLIENT_SECRET, FakeGenesys, error
from tests.genesys.sender_bench import Bench, make_message, make_post, make_uri
from tests.runtime.scripted import GENEROUS, World, post
from tests.support.memory_store import MemoryStore


def make_spec(bench: Bench, concurrency: int = 1) -> ActorSpec[JournalEntry]:
    name = Destination.GENESYS_SENDER.value

    def create(context: Context) -> object:
        return bench.create(context)

    return ActorSpec(
        name,
        create,
        GENEROUS,
        mailbox=Mailbox[JournalEntry](name, 256),
        concurrency=concurrency,
        batch=50,
        deadline_s=120.0,
        on_poison=partial(bury, bench.memory.store),
    )


async def deliver_again(bench: Bench, spec: ActorSpec[JournalEntry]) -> None:
    """The journal's part: what was put off comes again when its time has come."""

    async def deliver(entry_id: str, after_s: float) -> None:
        await trio.sleep(after_s)
        post(spec, bench.memory.entries[entry_id])

    dealt_with = 0
    async with trio.open_nursery() as nursery:
        while True:
            for request in bench.memory.requests[dealt_with:]:
                if isinstance(request, Settle) and isinstance(request.outcome, Retry):
                    nursery.start_soon(deliver, request.entry_id, request.outcome.after_s)
            dealt_with = len(bench.memory.requests)
            await trio.sleep(1)


@asynccontextmanager
async def answering_after(
    bench: Bench, genesys: FakeGenesys, delay_s: float
) -> AsyncIterator[list[int]]:
    """A platform that takes its time. Yields how many requests were under way at each arrival."""
    counts: list[int] = []
    under_way = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way
        if request.url.path.startswith("/oauth"):
            return await genesys(request)
        under_way += 1
        counts.append(under_way)
        try:
            await trio.sleep(delay_s)
            return await genesys(request)
        finally:
            under_way -= 1

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        vars(bench.client)["_http"] = http
        yield counts


async def test_wrong_credentials_show_as_failed_with_the_action_and_lose_nothing(
    bench: Bench, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    genesys.secret = "another"
    spec = make_spec(bench)
    world = World(spec)
    async with world.running():
        post(spec, *bench.add(*map(make_post, range(20)), *map(make_message, range(20))))
        await trio.sleep(3600)
        shown = world.actor(spec.name)
        assert shown.state == "failed"
        assert shown.last_error is not None
        assert "GC_CC_CLIENT_SECRET" in (shown.last_error.action or "")
        assert genesys.logins <= 7
        assert bench.memory.settled == []
        genesys.secret = CLIENT_SECRET
        await trio.sleep(4000)
        assert bench.memory.entries == {}
        assert world.actor(spec.name).state == "running"
    assert set(bench.outcomes().values()) == {Done()}
    assert set(genesys.ingested.values()) == set(genesys.private.values()) == {1}


async def test_an_entry_that_crashes_its_sender_is_buried_alone(
    bench: Bench, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    def crash(call: object) -> None:
        if "message-7" in str(call):
            raise RuntimeError("a defect")

    genesys.before = crash
    spec = make_spec(bench)
    async with World(spec).running():
        post(spec, *bench.add(*map(make_post, range(5)), *map(make_message, range(10))))
        await trio.sleep(600)
        assert bench.memory.entries == {}
    outcomes = bench.outcomes()
    buried = outcomes.pop("dm:convo-7:message-7")
    assert isinstance(buried, Refused)
    assert buried.code == "Poisonous"
    assert set(outcomes.values()) == {Done()}
    assert genesys.ingested == {make_uri(number): 1 for number in range(5)}
    assert genesys.private == {f"message-{number}": 1 for number in range(10) if number != 7}


async def test_what_may_not_be_sent_shows_as_failed_until_mended_and_everything_else_flows(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """Three direct messages that need a permission used to occupy both workers for good."""
    genesys.denied = {"open/message": "conversation:message:receive"}
    bench = Bench(client, memory, genesys, concurrency=2)
    spec = make_spec(bench, concurrency=2)
    world = World(spec)
    async with world.running(), trio.open_nursery() as nursery:
        nursery.start_soon(deliver_again, bench, spec)
        post(spec, *bench.add(*map(make_message, range(3))))
        await trio.sleep(5)
        for number in range(100):
            receipt = Receipt(f"agent-{number}", "did:plc:9", "Delivered")
            post(spec, *bench.add(make_post(number), receipt))
            await trio.sleep(10)
            assert len(memory.entries) == 3
            shown = world.actor(spec.name)
            assert shown.state == "failed"
            assert shown.last_error is not None
            assert "conversation:message:receive" in (shown.last_error.action or "")
        genesys.denied = {}
        await trio.sleep(150)
        assert memory.entries == {}
        assert world.actor(spec.name).state == "running"
        nursery.cancel_scope.cancel()
    assert set(genesys.private.values()) == set(genesys.ingested.values()) == {1}
    assert world.actor(spec.name).restarts == 0


async def test_a_platform_that_hangs_shows_within_one_time_out(
    client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    bench = Bench(client, memory, genesys, concurrency=2)
    spec = make_spec(bench, concurrency=2)
    world = World(spec)
    async with answering_after(bench, genesys, float("inf")) as counts, world.running():
        post(spec, *bench.add(*map(make_message, range(50))))
        await trio.sleep(30.5)
        shown = world.actor(spec.name)
        assert shown.state == "backing_off"
        assert shown.last_error is not None
        assert "no answer within 30 s" in shown.last_error.message
        assert all(entry.attempts == 1 for entry in memory.entries.values())
    assert len(counts) == 2


@pytest.mark.parametrize("concurrency", [1, 2, 4])
async def test_the_concurrency_is_that_of_all_workers_together_and_is_used(
    concurrency: int,
    client: GenesysClient,
    memory: MemoryStore,
    genesys: FakeGenesys,
    autojump_clock: MockClock,
) -> None:
    """Even a burst that one worker took alone is sent with all places."""
    bench = Bench(client, memory, genesys, concurrency=concurrency)
    spec = make_spec(bench, concurrency=concurrency)
    async with answering_after(bench, genesys, 0.5) as counts, World(spec).running():
        for burst in (40, 120):
            names = range(len(counts), len(counts) + burst)
            receipts = (Receipt(f"agent-{name}", "did:plc:9", "Delivered") for name in names)
            post(spec, *bench.add(*receipts))
            await trio.sleep(burst / concurrency * 0.5 + 0.6)
            assert memory.entries == {}
    assert max(counts) == concurrency


async def test_to_wait_for_a_place_is_no_reason_to_be_called_stuck(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_message(1))
    await bench.places.acquire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.send)
        await trio.sleep(60)
        assert bench.context.progressed >= 10
        assert bench.genesys.calls == []
        bench.places.release()
    assert bench.genesys.private == {"message-1": 1}


async def test_a_place_is_given_back_whatever_happens(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(503, "x"), error(404, "x"), error(403, "x"), error(400, "x")]
    for number in range(4):
        bench.add(make_message(number))
        await bench.send()
        await trio.sleep(90)
    with trio.CancelScope() as scope:
        scope.cancel()
        await bench.send()
    assert bench.places.value == 1

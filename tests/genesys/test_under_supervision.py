"""The sender under the real supervisor: what it raises has the effect that is meant."""

from __future__ import annotations

from functools import partial

import trio
from trio.testing import MockClock

from actors.messages import Destination, Done, JournalEntry, Refused
from actors.settlement import bury
from runtime.actor import ActorSpec, Context
from runtime.mailbox import Mailbox
from tests.genesys.fake_platform import CLIENT_SECRET, FakeGenesys
from tests.genesys.sender_bench import Bench, make_message, make_post, make_uri
from tests.runtime.scripted import GENEROUS, World, post


def make_spec(bench: Bench) -> ActorSpec[JournalEntry]:
    name = Destination.GENESYS_SENDER.value

    def create(context: Context) -> object:
        return bench.create(context)

    return ActorSpec(
        name,
        create,
        GENEROUS,
        mailbox=Mailbox[JournalEntry](name, 64),
        batch=50,
        on_poison=partial(bury, bench.memory.store),
    )


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
        assert genesys.logins <= 61
        assert bench.memory.settled == []
        genesys.secret = CLIENT_SECRET
        await trio.sleep(600)
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

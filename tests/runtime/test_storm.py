"""An hour in which everything goes wrong at random: what the runtime promises holds throughout."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import ActorSpec
from runtime.backoff import RestartPolicy
from tests.runtime.scripted import World
from tests.runtime.storm import DEADLINE_S, RATE, Message, Storm, is_poison

HOUR_S = 3600.0
POLICY = RestartPolicy()
WORKERS = {"Serial": (1, 1), "Several": (3, 1), "Batches": (2, 4)}
SILENT_S = POLICY.backoff_max_s + DEADLINE_S + 32.0
"""The longest that an actor may be without an incarnation, or with one that is past its time."""


@pytest.mark.parametrize("seed", range(2))
async def test_an_hour_of_storm_breaks_no_promise(seed: int, autojump_clock: MockClock) -> None:
    """Every message takes effect as often as it must, in order; nobody else is disturbed."""
    storm = Storm(random.Random(seed), spared=("Bystander",))  # noqa: S311 - dice
    workers = [
        storm.make_worker(name, concurrency=concurrency, batch=batch)
        for name, (concurrency, batch) in WORKERS.items()
    ]
    pollers = [
        storm.make_poller(f"Poller-{worker.name}-{number}", worker)
        for worker in workers
        for number in (1, 2)
    ]
    specs = [*workers, *pollers, storm.make_bystander("Bystander")]
    world = World(*specs, policy=POLICY, seed=seed)
    async with world.running():
        for _ in range(int(HOUR_S)):
            await trio.sleep(1.0)
            _check_now(world, specs)
        storm.is_over = True
        await trio.sleep(20 * POLICY.backoff_max_s)
        storm.is_stopping = True
        in_flight = _list_in_flight(world, workers)
    assert storm.ledger.wrongs == []
    assert min(storm.met[kind] for kind in storm.met) > 10
    assert len(storm.met) == 7
    _check_rates(storm)
    _check_starts(world, specs)
    for worker in workers:
        _check_messages(storm, worker.name, in_flight[worker.name])


def _check_now(world: World, specs: Sequence[ActorSpec[Message]]) -> None:
    shown = world.supervisor.statistics()
    assert [actor.name for actor in shown] == [spec.name for spec in specs]
    for actor in shown:
        assert actor.busy <= actor.concurrency
        assert actor.state in {"running", "backing_off", "failed", "stuck"}
        assert actor.mailbox is None or actor.mailbox.depth <= actor.mailbox.capacity
        assert len(actor.units) == actor.concurrency
    bystander = shown[-1]
    assert (bystander.state, bystander.restarts) == ("running", 0)
    # One task for each unit, its nurseries, and what it does: a crash leaves none behind.
    assert trio.lowlevel.current_statistics().tasks_living < 60


def _list_in_flight(world: World, workers: Sequence[ActorSpec[Message]]) -> dict[str, int]:
    """How many messages are on their way at the end, at most."""
    return {
        worker.name: worker.concurrency * worker.batch
        + (worker.mailbox.statistics().depth if worker.mailbox else 0)
        for worker in workers
    }


def _check_messages(storm: Storm, name: str, in_flight: int) -> None:
    ledger = storm.ledger
    sent = ledger.sent[name]
    assert len(sent) > 300
    assert len(set(sent)) == len(sent)
    open_ends = [one for one in sent if not ledger.effects[one] and one not in ledger.buried]
    assert len(open_ends) <= in_flight, "messages are lost"
    for message in set(sent) - set(open_ends):
        if message in ledger.buried:
            assert ledger.buried[message] == ledger.crashed[message] >= POLICY.poison_after
            assert ledger.effects[message] == ledger.repeated[message]
        else:
            assert not is_poison(message)
            assert ledger.effects[message] == 1 + ledger.repeated[message]
            assert ledger.crashed[message] < POLICY.poison_after
    assert any(is_poison(message) for message in ledger.buried)
    if WORKERS[name] == (1, 1):
        _check_order(sent, ledger.order[name])


def _check_order(sent: Sequence[Message], handled: Sequence[Message]) -> None:
    """One worker that takes one message at a time keeps the order in which they were put in."""
    places = {message: place for place, message in enumerate(sent)}
    order = [places[message] for message in handled]
    assert order == sorted(order)


def _check_rates(storm: Storm) -> None:
    for name, times in storm.ledger.asked.items():
        for first, last in zip(times, times[RATE.count :], strict=False):
            assert last - first >= RATE.per_s - 1e-6, f"{name} asked too often at {first}"


def _check_starts(world: World, specs: Sequence[ActorSpec[Message]]) -> None:
    """Every crash is followed by a start in time, and nobody starts without one."""
    for spec in specs:
        shown = world.actor(spec.name)
        started = world.log.of("actor started", spec.name)
        units = Counter(str(event.fields["unit"]) for event in started)
        assert len(units) == spec.concurrency
        assert sum(units.values()) - len(units) >= shown.restarts
        for crash in world.log.of("actor crashed", spec.name):
            followed = any(crash.at < event.at <= crash.at + SILENT_S for event in started)
            assert followed or crash.at > HOUR_S, f"{spec.name} stayed away after {crash.at}"

"""Whatever happens in whatever order, whoever leads: each item is handed over until it is settled,
once, in order, and by the leader only."""

from __future__ import annotations

import math
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from actors.dead_letters import DropLetter, ReplayLetter
from actors.dedup_store.address import RedisAddress
from actors.dedup_store.codec import EntryId
from actors.dedup_store.database import Database
from actors.dedup_store.exchange import Exchange
from actors.dedup_store.lease import Lease
from actors.dedup_store.scripts import load_scripts
from actors.messages import Destination, Done, JournalEntry, Outcome, Receipt, Refused, Retry
from actors.store import Amend, Deposed, ReadQueue, Record, Settle, StoreRequest
from runtime.duty import Duty
from tests.dedup_store.house import Clock, House, item
from tests.support.redis_client import open_both

LIMIT = 2
DESTINATIONS = (Destination.GENESYS_SENDER, Destination.BLUESKY_SENDER)

Place = tuple[Destination, str]
Names = st.sampled_from([f"item {n}" for n in range(40)])
Items = st.builds(item, Names, st.sampled_from("abcd"), st.sampled_from(DESTINATIONS))
Outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Done()),
    st.builds(Retry, st.sampled_from([0.0, 5.0, 60.0]), st.just("busy")),
    st.just(Refused("GeneralError", "never")),
)


@dataclass
class Waiting:
    """An entry as it should be."""

    item_id: str
    sequence: int
    payload: object
    attempts: int = 0
    due: float = 0.0


class Journal(RuleBasedStateMachine):
    """The journal and what it should be, side by side."""

    def __init__(self, address: RedisAddress | None) -> None:
        super().__init__()
        self.client, server = open_both(address)
        self.database = Database(server, load_scripts(), kind="memory")
        self.namespace = uuid.uuid4().hex
        self.clock = Clock()
        self.house = self.make_house()
        self.sleepers: list[tuple[House, list[JournalEntry]]] = []
        self.seen: set[str] = set()
        self.queues: dict[Place, list[Waiting]] = {}
        self.held: dict[Place, JournalEntry] = {}
        self.past: list[JournalEntry] = []
        self.letters: dict[str, tuple[Place, object]] = {}
        self.sequence = 0

    @initialize()
    def start(self) -> None:
        """The first process leads, and its dispatcher asks at start."""
        self.lead()

    # --- what happens ----------------------------------------------------------------------

    @rule(items=st.lists(Items, min_size=1, max_size=6))
    def record(self, items: list[Any]) -> None:
        """A poller found something."""
        request = Record(tuple(items), term=self.term)
        self.ask(request)
        new = self.append(items)
        assert trio.run(answer_of, request).new == new
        self.check()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=Outcomes, caused=st.lists(Items, max_size=2))
    def settle(self, data: st.DataObject, outcome: Outcome, caused: list[Any]) -> None:
        """An actor is done with an entry."""
        entry = data.draw(st.sampled_from(list(self.held.values())))
        self.ask(Settle(entry.entry_id, outcome, tuple(caused), term=self.term))
        del self.held[place_of(entry)]
        self.close(entry, outcome)
        self.append(caused)
        self.check()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=Outcomes)
    def settle_and_lose_the_answer(self, data: st.DataObject, outcome: Outcome) -> None:
        """It takes effect, and nobody here knows."""
        entry = data.draw(st.sampled_from(list(self.held.values())))
        self.send(Settle(entry.entry_id, outcome))
        self.close(entry, outcome)

    @precondition(lambda self: self.past)
    @rule(data=st.data(), outcome=Outcomes, caused=st.lists(Items, max_size=1))
    def settle_once_more(self, data: st.DataObject, outcome: Outcome, caused: list[Any]) -> None:
        """Somebody is late. What is not in hand any more is not touched."""
        entry = data.draw(st.sampled_from(self.past))
        held = self.held.get(place_of(entry))
        if held is not None and held.entry_id == entry.entry_id:
            return
        self.ask(Settle(entry.entry_id, outcome, tuple(caused), term=self.term))
        self.close(entry, outcome)
        self.append(caused)
        self.check()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), sentence=st.text(max_size=5), repeated=st.booleans())
    def amend(self, data: st.DataObject, sentence: str, *, repeated: bool) -> None:
        """A sender fixes its plan, perhaps for several entries, and perhaps asks twice."""
        entry = data.draw(st.sampled_from(list(self.held.values())))
        payload = Receipt(entry.item_id, "did", "Failed", "GeneralError", sentence)
        head = self.head_of(entry)
        queue = self.queues[place_of(entry)]
        behind = queue[1 : 1 + data.draw(st.integers(0, 3))] if head is not None else []
        absorbed = tuple(str(EntryId(one.sequence, 0, *place_of(entry))) for one in behind)
        for _ in range(2 if repeated else 1):
            request = Amend(entry.entry_id, entry.item_id, payload, absorbed, self.term)
            self.ask(request)
            assert trio.run(answer_of, request) is (head is not None)
        if head is not None:
            head.payload = payload
            del queue[1 : 1 + len(behind)]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), most=st.integers(1, 4))
    def read_queue(self, data: st.DataObject, most: int) -> None:
        """A sender looks at what waits behind an entry."""
        entry = data.draw(st.sampled_from(list(self.held.values())))
        request = ReadQueue(entry.entry_id, most)
        self.ask(request)
        queue = self.queues[place_of(entry)] if self.head_of(entry) is not None else []
        found = trio.run(answer_of, request)
        assert [one.payload for one in found] == [one.payload for one in queue[:most]]

    @precondition(lambda self: self.letters)
    @rule(data=st.data(), elsewhere=st.booleans())
    def put_back(self, data: st.DataObject, *, elsewhere: bool) -> None:
        """A person has a dead letter tried again, in this process or in another."""
        name = data.draw(st.sampled_from(sorted(self.letters)))
        (self.send if elsewhere else self.ask)(ReplayLetter(name))
        place, payload = self.letters.pop(name)
        self.wait(place, name, payload)
        self.dispatch()

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """A person does not want it any more."""
        name = data.draw(st.sampled_from(sorted(self.letters)))
        self.ask(DropLetter(name))
        del self.letters[name]

    @rule(seconds=st.sampled_from([0.5, 5.0, 60.0]))
    def pass_time(self, seconds: float) -> None:
        """The dispatcher looks when something is due."""
        self.house.clock.now += seconds
        self.dispatch()

    @rule()
    def restart(self) -> None:
        """kill -9, and a new process."""
        self.house = self.make_house()
        self.held.clear()
        self.lead()

    @rule()
    def fall_asleep(self) -> None:
        """The leader stands still for longer than its lease lasts, and another one leads."""
        self.sleepers.append((self.house, list(self.held.values())))
        self.restart()

    @precondition(lambda self: self.sleepers)
    @rule(data=st.data(), outcome=Outcomes, items=st.lists(Items, max_size=2))
    def wake_up(self, data: st.DataObject, outcome: Outcome, items: list[Any]) -> None:
        """A leader of old wants to go on: it changes nothing, and steps down."""
        old, held = self.sleepers.pop()
        if data.draw(st.booleans()):
            trio.run(make_exchange(old).deliver)
        request: StoreRequest = Record(tuple(items), term=old.lease_term)
        if held:
            entry = data.draw(st.sampled_from(held))
            request = Settle(entry.entry_id, outcome, tuple(items), term=old.lease_term)
        trio.run(old.ask_all, [request])
        with pytest.raises(Deposed):
            trio.run(answer_of, request)
        trio.run(make_exchange(old).deliver)
        assert all(inbox.receive_nowait() is None for inbox in old.inboxes.values())

    @rule(items=st.lists(Items, min_size=1, max_size=3))
    def record_in_another_process(self, items: list[Any]) -> None:
        """A standby takes webhooks, too; the leader hears of it."""
        trio.run(self.make_house().ask_all, [Record(tuple(items))])
        self.append(items)
        self.dispatch()

    @rule()
    def forget_scripts(self) -> None:
        """The server was restarted."""
        self.client.script_flush()

    # --- what should be --------------------------------------------------------------------

    def append(self, items: list[Any]) -> set[str]:
        """Expect these behind the others. Returns those that are new."""
        new = set()
        for one in items:
            if one.item_id not in self.seen:
                self.seen.add(one.item_id)
                new.add(one.item_id)
                self.wait((one.destination, one.conversation), one.item_id, one.payload)
        return new

    def wait(self, place: Place, item_id: str, payload: object) -> None:
        """Expect an entry behind the others, as new."""
        self.sequence += 1
        self.queues.setdefault(place, []).append(Waiting(item_id, self.sequence, payload))

    def head_of(self, entry: JournalEntry) -> Waiting | None:
        """What this delivery is of, if it was not settled."""
        queue = self.queues.get(place_of(entry))
        name = EntryId.parse(entry.entry_id)
        if queue and (queue[0].sequence, queue[0].attempts) == (name.sequence, name.attempts):
            return queue[0]
        return None

    def close(self, entry: JournalEntry, outcome: Outcome) -> None:
        """Expect what settling does."""
        head = self.head_of(entry)
        if head is None:
            return
        if isinstance(outcome, Retry):
            head.attempts += 1
            head.due = self.house.clock.now + outcome.after_s
        else:
            self.queues[place_of(entry)].pop(0)
            if isinstance(outcome, Refused):
                self.letters[head.item_id] = (place_of(entry), head.payload)

    def check(self) -> None:
        """What was handed over is what should be, and there is nothing more to hand over."""
        for destination in DESTINATIONS:
            inbox = self.house.inboxes[destination]
            for entry in iter(inbox.receive_nowait, None):
                place = place_of(entry)
                assert place not in self.held
                head = self.queues[place][0]
                assert (entry.item_id, entry.attempts) == (head.item_id, head.attempts)
                assert entry.payload == head.payload
                assert head.due <= self.house.clock.now
                self.held[place] = entry
                self.past.append(entry)
            held = {place for place in self.held if place[0] is destination}
            ready = {
                place
                for place, queue in self.queues.items()
                if place[0] is destination and queue and queue[0].due <= self.house.clock.now
            }
            assert len(held) == min(LIMIT, len(held | ready))

    @invariant()
    def nothing_is_in_hand_that_is_not_held(self) -> None:
        """The table forgets nothing and keeps nothing."""
        assert len(self.house.in_hand) == len(self.held)

    def teardown(self) -> None:
        """In the end everything arrives."""
        with closing(self.client), closing(self.database):
            self.finish()

    def finish(self) -> None:
        """Settle all that there is."""
        for _ in range(300):
            if not any(self.queues.values()):
                break
            self.house.clock.now += 60.0
            self.dispatch()
            for entry in list(self.held.values()):
                self.ask(Settle(entry.entry_id, Done(), term=self.term))
                del self.held[place_of(entry)]
                self.close(entry, Done())
                self.check()
        assert not any(self.queues.values())
        self.dispatch()
        state = self.house.gauge.read()
        assert (state.depth, state.oldest_recorded_at) == (0, None)
        assert state.dead_letters == len(self.letters)

    # --- asking ----------------------------------------------------------------------------

    def ask(self, request: StoreRequest) -> None:
        """As a worker does, each time a new incarnation."""
        trio.run(self.house.ask_all, [request])

    def send(self, request: StoreRequest) -> None:
        """As another process does."""
        command = self.house.commands.make(request, self.house.clock.now)
        trio.run(self.house.database.execute, [command])

    def dispatch(self) -> None:
        """As the dispatcher does when it wakes."""
        house = self.house
        trio.run(make_exchange(house).deliver)
        self.check()

    # --- processes -------------------------------------------------------------------------

    @property
    def term(self) -> int | None:
        """The duty of the one who leads."""
        return self.house.lease_term

    def make_house(self) -> House:
        """A process that does not lead."""
        house = House(self.database, limit=LIMIT, namespace=self.namespace, lease=Lease(Duty()))
        house.clock = self.clock
        return house

    def lead(self) -> None:
        """Let the house take the lease, whoever had it, and ask for what there is."""
        token = uuid.uuid4().hex
        command = self.house.commands.lead(token, self.clock(), lasts_s=0.0)
        trio.run(self.house.database.execute, [command])
        assert self.house.lease is not None
        self.house.lease.take(token, math.inf)
        self.dispatch()


def place_of(entry: JournalEntry) -> Place:
    return entry.destination, entry.conversation


def make_exchange(house: House) -> Exchange:
    return Exchange(
        house.database,
        house.commands,
        house.routes,
        house.in_hand,
        house.gauge,
        house.clock,
        house.steps.append,
        house.lease,
    )


async def answer_of(request: StoreRequest) -> Any:  # noqa: ANN401 - of either
    return await request.reply.wait(0, who="DedupStore")


HARD = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_journal_keeps_its_promises() -> None:
    """On the store in memory."""

    class InMemory(Journal):
        def __init__(self) -> None:
            super().__init__(None)

    run_state_machine_as_test(InMemory, settings=HARD)


@pytest.mark.redis
def test_the_journal_keeps_its_promises_on_a_real_server(redis_address: RedisAddress) -> None:
    """On a redis-server."""

    class OnServer(Journal):
        def __init__(self) -> None:
            super().__init__(redis_address)

    run_state_machine_as_test(OnServer, settings=HARD)

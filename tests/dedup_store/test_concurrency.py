"""Many units at once on one store: still once each, and in order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing, suppress

import pytest
import trio

from actors.dedup_store.answers import Result
from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database, Server
from actors.dedup_store.scripts import load_scripts
from actors.messages import Done, JournalEntry, Retry
from actors.store import StoreUnavailable
from tests.dedup_store.house import House, item
from tests.support.redis_client import open_both

CONVERSATIONS = 12
ITEMS = 10


class LossyDatabase(Database):
    """Loses an answer now and then, before or after the commands took effect."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        super().__init__(server, load_scripts(), kind="redis")
        self._rng = rng

    async def execute(self, commands: Sequence[Command]) -> list[Result]:
        """As usual, or with a fault."""
        chance = self._rng.random()
        if chance < 0.1:
            raise StoreUnavailable("lost before it was sent")
        results = await super().execute(commands)
        if chance < 0.2:
            raise StoreUnavailable("lost after it took effect")
        return results


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def server(request: pytest.FixtureRequest) -> Server:
    """Of either store."""
    is_memory = request.param == "memory"
    _, server = open_both(None if is_memory else request.getfixturevalue("redis_address"))
    return server


class Senders:
    """Actors that take, fail, stop in the middle, and settle."""

    def __init__(self, house: House, rng: random.Random) -> None:
        self.house = house
        self.rng = rng
        self.done: dict[str, list[int]] = defaultdict(list)
        self.at_work: Counter[str] = Counter()
        self.finished = trio.Event()

    async def send(self) -> None:
        """Work until everything is done."""
        while True:
            entry = await self.house.inboxes[item("x").destination].receive()
            self.at_work[entry.conversation] += 1
            assert self.at_work[entry.conversation] == 1, "two of one conversation at once"
            await trio.lowlevel.checkpoint()
            retries = self.rng.random() < 0.3
            if not retries:
                self.done[entry.conversation].append(int(entry.item_id.split("/")[1]))
            self.at_work[entry.conversation] -= 1
            if not retries and self.rng.random() < 0.2:
                # Given up in the middle of asking: the supervisor hands the message over again.
                with trio.move_on_after(0.0001), suppress(StoreUnavailable):
                    await self.house.store.settle(entry.entry_id, Done())
            await self.settle(entry, retries=retries)

    async def settle(self, entry: JournalEntry, *, retries: bool) -> None:
        """Repeat until it is answered."""
        while True:
            try:
                outcome = Retry(0.0, "busy") if retries else Done()
                await self.house.store.settle(entry.entry_id, outcome)
            except StoreUnavailable:
                continue
            break
        if sum(map(len, self.done.values())) == CONVERSATIONS * ITEMS:
            self.finished.set()


async def record(house: House, conversation: int) -> None:
    """A poller that sees everything again and again."""
    for number in range(ITEMS):
        page = [item(f"{conversation}/{n}", str(conversation)) for n in range(number + 1)]
        while True:
            try:
                await house.store.record(page)
            except StoreUnavailable:
                continue
            break


@pytest.mark.parametrize("seed", range(4))
async def test_each_is_done_once_and_in_order(server: Server, seed: int) -> None:
    """With three workers, lost answers, retries, repeated recordings and abandoned requests."""
    rng = random.Random(seed)  # noqa: S311 - chance, not secrets
    with closing(LossyDatabase(server, rng)) as database:
        house = House(database, limit=5, batch=8)
        house.runner = type(house.runner)("DedupStore", back_off_s=0.001)
        senders = Senders(house, rng)
        with trio.fail_after(60):
            async with house.open(workers=3), trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(senders.send)
                for conversation in range(CONVERSATIONS):
                    nursery.start_soon(record, house, conversation)
                await senders.finished.wait()
                nursery.cancel_scope.cancel()
    assert senders.done == {str(n): list(range(ITEMS)) for n in range(CONVERSATIONS)}

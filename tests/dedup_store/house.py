"""DedupStore with its mailbox, its routes and a store behind it, without a supervisor."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
import trio.testing

from actors.dedup_store.actor import DedupStore
from actors.dedup_store.commands import Commands
from actors.dedup_store.database import Database
from actors.dedup_store.gauge import StoreGauge
from actors.dedup_store.in_hand import InHand, Route
from actors.dedup_store.keys import Keys
from actors.dedup_store.lease import Lease
from actors.dedup_store.scripts import load_scripts
from actors.dedup_store.sealing import Sealer
from actors.messages import Destination, JournalEntry, JournalItem, Receipt
from actors.steps import Step
from actors.store import Store, StoreRequest
from runtime.mailbox import Mailbox
from runtime.pause import Pauses
from tests.support.context import FakeContext
from tests.support.silence import Silence

NEW_YEAR_2026 = 1_767_225_600.0


class Clock:
    """Unix time that only the test moves."""

    def __init__(self) -> None:
        self.now = NEW_YEAR_2026

    def __call__(self) -> float:
        return self.now


class House:
    """All that DedupStore is given, and what a test asks of it.

    Args:
        database: where the store is. Its keys are not shared with any other house, unless
            ``namespace`` is that of another.
        limit: how many entries each destination may have in hand.
        batch: how many requests share a round trip.
        lease: its part in who leads, if it takes any.
        state_key: as ``STATE_KEY``.
    """

    def __init__(
        self,
        database: Database,
        *,
        limit: int = 4,
        batch: int = 64,
        namespace: str | None = None,
        lease: Lease | None = None,
        state_key: str | None = None,
    ) -> None:
        self.database = database
        self.keys = Keys(namespace or uuid.uuid4().hex)
        self.scripts = load_scripts()
        self.commands = Commands(
            self.keys, self.scripts, Sealer.parse(self.keys.namespace, state_key)
        )
        self.clock = Clock()
        self.in_hand = InHand()
        self.gauge = StoreGauge(database.kind, database.warning)
        self.inboxes = {one: Mailbox[JournalEntry](one, limit) for one in Destination}
        self.routes = {one: Route(inbox, limit) for one, inbox in self.inboxes.items()}
        self.requests = Mailbox[StoreRequest]("DedupStore", 1000)
        self.store = Store(self.requests, answer_within_s=30.0)
        self.runner = FakeContext("DedupStore", back_off_s=0.01)
        self.worker = FakeContext("DedupStore")
        self.lease = lease
        self.pauses = Pauses()
        self.steps: list[Step] = []
        self._batch = batch
        self._dispatches = False

    @property
    def lease_term(self) -> int | None:
        """The duty on which the leader writes, if it has a lease."""
        return None if self.lease is None else self.lease.duty.term

    def create(self, context: FakeContext) -> DedupStore:
        """One incarnation."""
        return DedupStore(
            context,
            database=self.database,
            commands=self.commands,
            routes=self.routes,
            in_hand=self.in_hand,
            gauge=self.gauge,
            clock=self.clock,
            log=Silence(),
            told=self.steps.append,
            lease=self.lease,
            pauses=self.pauses,
        )

    async def work(self) -> None:
        """What a worker does: take what waits, together."""
        actor = self.create(self.worker)
        while True:
            waiting = [await self.requests.receive()]
            while len(waiting) < self._batch:
                request = self.requests.receive_nowait()
                if request is None:
                    break
                waiting.append(request)
            await actor.handle_batch(waiting)

    @asynccontextmanager
    async def open(self, *, workers: int = 1, dispatcher: bool = True) -> AsyncIterator[None]:
        """Run it, until the block ends."""
        self._dispatches = dispatcher
        async with trio.open_nursery() as nursery:
            for _ in range(workers):
                nursery.start_soon(self.work)
            if dispatcher:
                nursery.start_soon(self.create(self.runner).run)
            yield
            nursery.cancel_scope.cancel()

    async def next(self, destination: Destination = Destination.GENESYS_SENDER) -> JournalEntry:
        """The next entry that is handed over."""
        with trio.fail_after(10):
            return await self.inboxes[destination].receive()

    async def quiet(self) -> None:
        """Return when there is nothing more to hand over and everybody waits."""
        with trio.fail_after(10):
            await trio.testing.wait_all_tasks_blocked()
            while self.in_hand.is_asking or (self._dispatches and self.in_hand.is_wanted):
                await trio.testing.wait_all_tasks_blocked()

    async def handed_over(
        self, destination: Destination = Destination.GENESYS_SENDER
    ) -> list[JournalEntry]:
        """All that waits in the mailbox once it is quiet; taken out."""
        await self.quiet()
        inbox = self.inboxes[destination]
        return list(iter(inbox.receive_nowait, None))

    async def names(self, destination: Destination = Destination.GENESYS_SENDER) -> list[str]:
        """The item ids of what is handed over now."""
        return [entry.item_id for entry in await self.handed_over(destination)]

    async def ask_all(self, requests: Sequence[StoreRequest]) -> None:
        """Send requests that wait together."""
        await self.create(self.worker).handle_batch(requests)


def item(
    name: str,
    conversation: str | None = None,
    destination: Destination = Destination.GENESYS_SENDER,
) -> JournalItem:
    """An item whose id and payload tell ``name``; by default a conversation of its own."""
    return JournalItem(
        item_id=name,
        destination=destination,
        conversation=conversation or f"of {name}",
        payload=Receipt(name, "did:plc:customer", "Delivered"),
    )

"""A contact resolver, its store, and the contacts of the platform."""

from __future__ import annotations

from typing import Any

from actors.genesys.client import GenesysClient
from actors.genesys.contact_resolver import ContactResolver
from actors.genesys.delivery import Persistence
from actors.items import make_contact_item
from actors.messages import (
    Author,
    Destination,
    JournalEntry,
    Outcome,
)
from runtime.backoff import RestartPolicy
from tests.genesys.fake_platform import SOURCE, FakeGenesys
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock


class Register:
    """A resolver with its store, and the contacts of the platform."""

    def __init__(self, client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys) -> None:
        self.client = client
        self.memory = memory
        self.genesys = genesys
        self.context = FakeContext("ContactResolver")
        self.resolver = self.create()
        self._asked = 0

    def create(self, division_id: str = "division-1") -> ContactResolver:
        """A new incarnation."""
        return ContactResolver(
            self.context,
            self.memory.store,
            self.client,
            Persistence(RestartPolicy(), 7 * 86_400.0, virtual_wall_clock),
            source_id=str(SOURCE["id"]),
            division_id=division_id,
        )

    def ask(self, author: Author) -> None:
        self._asked += 1
        self.memory.add(make_contact_item(author, f"post:{self._asked}"))

    async def resolve(self, *authors: Author) -> None:
        """Ask for these, and let the resolver deal once with all that wait."""
        for author in authors:
            self.ask(author)
        for entry in self.waiting():
            await self.resolver.handle(entry)

    def waiting(self) -> list[JournalEntry]:
        return self.memory.deliverable(Destination.CONTACT_RESOLVER)

    def last_outcome(self) -> Outcome:
        return self.memory.settled[-1][1]

    def only_contact(self) -> dict[str, Any]:
        (contact,) = self.genesys.contacts.values()
        return contact

    def paths(self) -> list[str]:
        """What was called since the last time this was asked."""
        paths = self.genesys.paths()
        self.genesys.calls.clear()
        return paths

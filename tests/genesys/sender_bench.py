"""A sender on a bench: its journal, the platform it sends to, and what to send."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.closures import Closures
from actors.genesys.delivery import Persistence
from actors.genesys.endpoints import Endpoints
from actors.genesys.genesys_sender import GenesysSender
from actors.items import (
    make_direct_message_item,
    make_post_item,
    make_reactions_item,
    make_receipt_item,
)
from actors.messages import (
    Author,
    Destination,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    Outcome,
    PostReference,
    ReactionCounts,
    Receipt,
)
from actors.recent import Recent
from runtime.actor import Context
from runtime.backoff import RestartPolicy
from runtime.rate import Rate
from tests.genesys.fake_platform import FakeGenesys
from tests.support.context import GENEROUS, FakeContext
from tests.support.memory_store import MemoryStore, virtual_wall_clock

KEEP_S = 7 * 86_400.0


def make_uri(number: int) -> str:
    return f"at://did:plc:alice/app.bsky.feed.post/{number}"


def make_post(number: int, **changes: object) -> InboundPost:
    reference = PostReference(make_uri(number), f"cid-{number}")
    post = InboundPost(
        post=reference,
        root=reference,
        parent_uri=None,
        author=Author(f"did:plc:{number}", f"user{number}.test"),
        text=f"post {number}",
        created_at="2026-01-01T00:00:00.000Z",
        url=f"https://bsky.app/{number}",
        reason="mention",
    )
    return dataclasses.replace(post, **changes)  # type: ignore[arg-type]


def make_message(number: int) -> InboundDirectMessage:
    author = Author(f"did:plc:{number}", f"user{number}.test")
    sent_at = "2026-01-01T00:00:00.000Z"
    return InboundDirectMessage(f"message-{number}", f"convo-{number}", author, "hi", sent_at)


def make_reactions(number: int, likes: int = 1, second: int = 0) -> ReactionCounts:
    counted_at = f"2026-01-01T00:00:{second:02}.000Z"
    return ReactionCounts(make_uri(number), likes, 2, 3, counted_at)


class Bench:
    """A sender with its journal, and the platform it sends to."""

    def __init__(
        self,
        client: GenesysClient,
        memory: MemoryStore,
        genesys: FakeGenesys,
        *,
        contacts: Recent | None = None,
        batch_limit: int = 50,
        concurrency: int = 1,
        rate: Rate = GENEROUS,
    ) -> None:
        self.client = client
        self.genesys = genesys
        self.memory = memory
        self.context = FakeContext("GenesysSender", concurrency=concurrency, rate=rate)
        self.settled = Recent(1000)
        self.closures = Closures()
        self.places = trio.Semaphore(concurrency)
        self.contacts = contacts
        self.batch_limit = batch_limit

    def create(self, context: Context | None = None) -> GenesysSender:
        """A new incarnation, in the bench's own context or in another."""
        return GenesysSender(
            context or self.context,
            self.memory.store,
            self.client,
            Endpoints("topic-1", "rule-1", "integration-1"),
            Persistence(RestartPolicy(), KEEP_S, virtual_wall_clock),
            batch_limit=self.batch_limit,
            settled=self.settled,
            closures=self.closures,
            places=self.places,
            contacts=self.contacts,
        )

    def add(
        self, *payloads: InboundPost | InboundDirectMessage | ReactionCounts | Receipt
    ) -> list[JournalEntry]:
        makers = {
            InboundPost: make_post_item,
            InboundDirectMessage: make_direct_message_item,
            ReactionCounts: make_reactions_item,
            Receipt: make_receipt_item,
        }
        return [
            self.memory.add(makers[type(payload)](payload))  # type: ignore[operator]
            for payload in payloads
        ]

    async def send(self, entries: Sequence[JournalEntry] | None = None) -> None:
        """Give the sender one batch: these entries, or all that wait."""
        if entries is None:
            entries = self.memory.deliverable(Destination.GENESYS_SENDER)
        await self.create().handle_batch(entries)

    def outcomes(self) -> dict[str, Outcome]:
        """How the closed entries ended, by item id."""
        return {entry.item_id: outcome for entry, outcome in self.memory.settled}

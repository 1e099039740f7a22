"""GenesysSender: carries posts, reactions, direct messages and receipts into Genesys Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, assert_never

import trio

from actors.genesys.bulk import Part, group, make_body, make_part
from actors.genesys.client import GenesysClient
from actors.genesys.closing import Closer, Closing
from actors.genesys.closures import Closures
from actors.genesys.delivery import PATIENCE, Persistence, run_all
from actors.genesys.endpoints import Endpoints
from actors.genesys.gate import Gate, NotTried
from actors.genesys.models import find_ingested
from actors.messages import (
    AgentMessage,
    Done,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    Json,
    Outcome,
    ReactionCounts,
    Receipt,
    Refused,
    ResolveContact,
)
from actors.recent import Recent
from actors.store import Store, StoreUnavailable
from actors.translation.open_message import (
    make_private_message,
    make_receipt,
)
from runtime.actor import Context
from runtime.errors import Effect, Malformed, Rejected, Retryable

_INGESTION_SETTINGS = ("GC_SOCIAL_TOPIC_ID", "GC_SOCIAL_RULE_ID")


class GenesysSender:
    """Sends what waits, and settles each entry as soon as its own outcome is known.

    Every request may be repeated: a message keeps its ``messageId``, a receipt its id and status.
    An endpoint that is refused, for want of a permission or by a wrong setting, is tried now and
    then and holds up nothing that goes elsewhere; meanwhile the actor shows ``failed``.

    Args:
        batch_limit: the most posts in one bulk request.
        settled: what was settled lately, shared by the workers: of a batch that comes again after
            a crash, only the rest is sent.
        closures: the endpoints that are refused, shared by all units.
        places: for the requests under way, shared by the workers.
        contacts: whose contacts were asked for lately; ``None`` if there are to be no contacts.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        client: GenesysClient,
        endpoints: Endpoints,
        persistence: Persistence,
        *,
        batch_limit: int,
        settled: Recent,
        closures: Closures,
        places: trio.Semaphore,
        contacts: Recent | None,
    ) -> None:
        self._context = context
        self._store = store
        self._endpoints = endpoints
        self._persistence = persistence
        self._batch_limit = batch_limit
        self._closures = closures
        self._gate = Gate(context, client, persistence.policy, closures, places)
        self._closer = Closer(context, store, settled=settled, contacts=contacts)

    async def run(self) -> None:
        """Show as long as it lasts that an endpoint is refused. Nothing is in hand here."""
        await self._closures.show(self._context)

    async def handle_batch(self, messages: Sequence[JournalEntry]) -> None:
        """Send these entries, which are of different conversations.

        Once the platform turns out to be in trouble, the rest is put off without being tried.
        What was put off most often goes last, and in any order: whatever it is that the platform
        chokes on, it cannot keep the others from going.

        If cancelled, what was not settled is delivered and sent again.

        Raises:
            AuthRejected: the login is refused. The entries concerned are not settled.
            ExceptionGroup: of such errors and of defects, if there are several.
        """
        entries = [entry for entry in messages if not self._closer.is_closed(entry)]
        troubles: list[Retryable] = []
        jobs = [
            (max(self._rank(part.entry) for part in parts), partial(self._ingest, parts, troubles))
            for parts in group(await self._make_parts(entries), self._batch_limit)
        ]
        jobs += [
            (self._rank(entry), partial(self._send_single, entry, troubles))
            for entry in entries
            if not isinstance(entry.payload, (InboundPost, ReactionCounts))
        ]
        jobs.sort(key=itemgetter(0))
        await run_all([job for _, job in jobs], at_once=self._context.concurrency)
        if troubles:
            await self._context.back_off(max(troubles, key=lambda one: one.after_s or 0.0))

    def _rank(self, entry: JournalEntry) -> tuple[int, float]:
        return entry.attempts, self._context.rng.random() if entry.attempts else 0.0

    async def _make_parts(self, entries: Sequence[JournalEntry]) -> list[Part]:
        parts: list[Part] = []
        for entry in entries:
            if not isinstance(entry.payload, (InboundPost, ReactionCounts)):
                continue
            if isinstance(entry.payload, ReactionCounts) and await self._is_outdated(
                entry, entry.payload
            ):
                await self._settle(entry, Done())
                self._context.skipped("outdated_reactions", message=entry.item_id)
                continue
            try:
                parts.append(make_part(entry, entry.payload, self._endpoints))
            except Malformed as error:
                await self._refuse(entry, error)
        return parts

    async def _is_outdated(self, entry: JournalEntry, counts: ReactionCounts) -> bool:
        """Whether nobody wants these counts any more: there are newer ones, or they are too old."""
        if self._persistence.clock() - entry.recorded_at > self._persistence.keep_s:
            return True
        while True:
            try:
                newest = await self._store.read("reactions", counts.post_uri)
            except StoreUnavailable as error:
                await self._context.back_off(error)
            else:
                return newest is not None and newest != counts.summary

    async def _ingest(self, parts: list[Part], troubles: list[Retryable]) -> None:
        """Send these in one request; halve it when it is refused, until the culprit is alone."""
        path = parts[0].path
        waiting = [parts]
        while waiting:
            together = waiting.pop()
            entries = [part.entry for part in together]
            body = make_body(together, self._endpoints)
            try:
                answer = await self._gate.post(
                    path, body, settings=_INGESTION_SETTINGS, troubles=troubles
                )
            except Rejected as error:
                if len(together) == 1:
                    await self._reject(together[0].entry, error)
                else:
                    half = len(together) // 2
                    waiting += [together[half:], together[:half]]
            except Retryable as error:
                await self._put_off(entries, error)
            else:
                await self._confirm(together, answer)

    async def _confirm(self, parts: list[Part], answer: Json) -> None:
        """Close what the answer names. Its order means nothing."""
        named = find_ingested(answer)
        await self._closer.close(
            [
                self._closer.accept(part.entry, named[part.message_id])
                if part.message_id in named
                else self._doubt(part.entry)
                for part in parts
            ]
        )

    def _doubt(self, entry: JournalEntry) -> Closing:
        error = Retryable("the answer does not name this message", effect=Effect.UNKNOWN)
        self._context.failed(error)
        if entry.attempts < PATIENCE:
            return Closing(entry, self._persistence.put_off(self._context, entry, error))
        return Closing(entry, Refused("NotConfirmed", str(error)))

    async def _send_single(self, entry: JournalEntry, troubles: list[Retryable]) -> None:
        try:
            path, body, settings = self._make_request(entry)
            answer = await self._gate.post(path, body, settings=settings, troubles=troubles)
        except Malformed as error:
            await self._refuse(entry, error)
        except Rejected as error:
            await self._reject(entry, error)
        except Retryable as error:
            await self._put_off([entry], error)
        else:
            await self._closer.close([self._closer.accept(entry, answer)])

    def _make_request(self, entry: JournalEntry) -> tuple[str, dict[str, Any], tuple[str, ...]]:
        """The path, the body, and the settings to blame if the platform does not know the path.

        A receipt may be refused so for its own sake: for a message that Genesys does not know.
        """
        match entry.payload:
            case InboundDirectMessage() as message:
                path, body = self._endpoints.private_message, make_private_message(message)
                return path, body, ("GC_INTEGRATION_ID",)
            case Receipt() as receipt:
                body = make_receipt(receipt, self._persistence.clock())
                return self._endpoints.receipt, body, ()
            case InboundPost() | ReactionCounts() | AgentMessage() | ResolveContact() as other:
                raise Malformed(f"{other.kind} is nothing to send to Genesys by itself")
            case _:
                assert_never(entry.payload)

    async def _reject(self, entry: JournalEntry, error: Rejected) -> None:
        self._context.failed(error)
        await self._settle(entry, self._persistence.judge(self._context, entry, error))

    async def _refuse(self, entry: JournalEntry, error: Malformed) -> None:
        self._context.failed(error)
        await self._settle(entry, Refused("Malformed", str(error)))

    async def _put_off(self, entries: Sequence[JournalEntry], error: Retryable) -> None:
        put_off: Callable[[Context, JournalEntry, Retryable], Outcome]
        if isinstance(error, NotTried):
            put_off = self._persistence.postpone
        else:
            put_off = self._persistence.put_off
            self._context.failed(error)
        await self._closer.close(
            [Closing(entry, put_off(self._context, entry, error)) for entry in entries]
        )

    async def _settle(self, entry: JournalEntry, outcome: Outcome) -> None:
        await self._closer.close([Closing(entry, outcome)])

"""GenesysSender: carries posts, reactions, direct messages and receipts into Genesys Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, assert_never

import trio

from actors.genesys.activities import make_activities
from actors.genesys.bulk import Part, group, make_body, make_part
from actors.genesys.client import GenesysClient
from actors.genesys.closures import Closures
from actors.genesys.delivery import PATIENCE, Persistence, run_all
from actors.genesys.endpoints import Endpoints
from actors.genesys.gate import Gate, NotTried
from actors.genesys.models import find_ingested
from actors.items import make_contact_item
from actors.messages import (
    AgentMessage,
    Author,
    Done,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    JournalItem,
    Json,
    Outcome,
    ReactionCounts,
    Receipt,
    Refused,
    ResolveContact,
)
from actors.recent import Recent
from actors.settlement import settle
from actors.store import Activity, Store, StoreUnavailable
from actors.translation.open_message import (
    make_private_message,
    make_receipt,
)
from runtime.actor import Context
from runtime.errors import Effect, Malformed, Rejected, Retryable

_INGESTION_SETTINGS = ("GC_SOCIAL_TOPIC_ID", "GC_SOCIAL_RULE_ID")
_SETTLING_AT_ONCE = 64


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
        self._settled = settled
        self._closures = closures
        self._gate = Gate(context, client, persistence.policy, closures, places)
        self._contacts = contacts

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
        entries = [entry for entry in messages if _make_turn(entry) not in self._settled]
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
        jobs = [
            partial(self._finish, part.entry, named[part.message_id])
            if part.message_id in named
            else partial(self._doubt, part.entry)
            for part in parts
        ]
        await run_all(jobs, at_once=_SETTLING_AT_ONCE, first_alone=True)

    async def _doubt(self, entry: JournalEntry) -> None:
        error = Retryable("the answer does not name this message", effect=Effect.UNKNOWN)
        if entry.attempts < PATIENCE:
            await self._put_off([entry], error)
        else:
            self._context.failed(error)
            await self._settle(entry, Refused("NotConfirmed", str(error)))

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
            await self._finish(entry, answer)

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

    async def _finish(self, entry: JournalEntry, accepted: Json) -> None:
        """Close an entry that Genesys took in as ``accepted``."""
        payload = entry.payload
        if isinstance(payload, InboundPost | InboundDirectMessage):
            own = isinstance(payload, InboundPost) and payload.own
            await self._finish_message(entry, None if own else payload.author, accepted)
        else:
            await self._settle(entry, Done())
        self._context.succeeded()

    async def _finish_message(
        self, entry: JournalEntry, author: Author | None, accepted: Json
    ) -> None:
        active = make_activities(entry.conversation, accepted)
        if author is None or self._contacts is None:
            await self._settle(entry, Done(), active=active)
            return
        known = "\n".join((author.did, author.handle, author.display_name or ""))
        is_new = known not in self._contacts
        items = [make_contact_item(author, entry.item_id)] if is_new else []
        await self._settle(entry, Done(), items, active)
        self._contacts.add([known])

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
        jobs = [
            partial(self._settle, entry, put_off(self._context, entry, error)) for entry in entries
        ]
        await run_all(jobs, at_once=_SETTLING_AT_ONCE, first_alone=True)

    async def _settle(
        self,
        entry: JournalEntry,
        outcome: Outcome,
        items: Sequence[JournalItem] = (),
        active: Sequence[Activity] = (),
    ) -> None:
        await settle(self._store, self._context, entry, outcome, items=items, active=active)
        self._settled.add([_make_turn(entry)])


def _make_turn(entry: JournalEntry) -> str:
    """One delivery of an entry: after each ``Retry`` there is another."""
    return f"{entry.entry_id} {entry.attempts}"

"""GenesysSender: carries posts, direct messages and receipts into Genesys Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, assert_never

import trio

from actors.genesys.activities import make_activities
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
    Receipt,
    Refused,
    ResolveContact,
)
from actors.recent import Recent
from actors.settlement import settle
from actors.store import Activity, Store
from actors.translation.open_message import (
    make_private_message,
    make_public_message,
    make_receipt,
)
from runtime.actor import Context
from runtime.errors import Effect, Malformed, Rejected, Retryable

_INGESTION_SETTINGS = ("GC_SOCIAL_TOPIC_ID", "GC_SOCIAL_RULE_ID")
_SETTLING_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Post:
    """An entry with the body that it becomes."""

    entry: JournalEntry
    payload: InboundPost
    body: dict[str, Any]


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
            (max(self._rank(post.entry) for post in posts), partial(self._ingest, posts, troubles))
            for posts in await self._group_posts(entries)
        ]
        jobs += [
            (self._rank(entry), partial(self._send_single, entry, troubles))
            for entry in entries
            if not isinstance(entry.payload, InboundPost)
        ]
        jobs.sort(key=itemgetter(0))
        await run_all([job for _, job in jobs], at_once=self._context.concurrency)
        if troubles:
            await self._context.back_off(max(troubles, key=lambda one: one.after_s or 0.0))

    def _rank(self, entry: JournalEntry) -> tuple[int, float]:
        return entry.attempts, self._context.rng.random() if entry.attempts else 0.0

    async def _group_posts(self, entries: Sequence[JournalEntry]) -> list[list[_Post]]:
        """The posts as they go together.

        Those that failed before go apart: should one of them be what the platform chokes on, it
        does not take the new ones with it.
        """
        fresh: list[_Post] = []
        failed: list[_Post] = []
        for entry in entries:
            if isinstance(entry.payload, InboundPost):
                try:
                    post = _Post(entry, entry.payload, make_public_message(entry.payload))
                except Malformed as error:
                    await self._refuse(entry, error)
                else:
                    (failed if entry.attempts else fresh).append(post)
        size = self._batch_limit
        return [
            posts[start : start + size]
            for posts in (fresh, failed)
            for start in range(0, len(posts), size)
        ]

    async def _ingest(self, posts: list[_Post], troubles: list[Retryable]) -> None:
        """Send posts in one request; halve it when it is refused, until the culprit is alone."""
        path = self._endpoints.public_messages
        waiting = [posts]
        while waiting:
            part = waiting.pop()
            entries = [post.entry for post in part]
            bodies = [post.body for post in part]
            try:
                answer = await self._gate.post(
                    path, bodies, settings=_INGESTION_SETTINGS, troubles=troubles
                )
            except Rejected as error:
                if len(part) == 1:
                    await self._reject(part[0].entry, error)
                else:
                    half = len(part) // 2
                    waiting += [part[half:], part[:half]]
            except Retryable as error:
                await self._put_off(entries, error)
            else:
                await self._confirm(part, answer)

    async def _confirm(self, posts: list[_Post], answer: Json) -> None:
        """Close the posts that the answer names. Its order means nothing."""
        named = find_ingested(answer)
        jobs = [
            partial(self._finish, post.entry, named[post.payload.post.uri])
            if post.payload.post.uri in named
            else partial(self._doubt, post.entry)
            for post in posts
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
            case InboundPost() | AgentMessage() | ResolveContact() as other:
                raise Malformed(f"{other.kind} is nothing to send to Genesys by itself")
            case _:
                assert_never(entry.payload)

    async def _finish(self, entry: JournalEntry, accepted: Json) -> None:
        """Close an entry that Genesys took in as ``accepted``."""
        payload = entry.payload
        if isinstance(payload, InboundPost | InboundDirectMessage):
            await self._finish_message(entry, payload.author, accepted)
        else:
            await self._settle(entry, Done())
        self._context.succeeded()

    async def _finish_message(self, entry: JournalEntry, author: Author, accepted: Json) -> None:
        active = make_activities(entry.conversation, accepted)
        if self._contacts is None:
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

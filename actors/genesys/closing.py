"""Closing GenesysSender's entries: all of one answer in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors.genesys.activities import make_activities
from actors.genesys.delivery import raise_all
from actors.items import make_contact_item
from actors.messages import (
    Author,
    Done,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    JournalItem,
    Json,
    Outcome,
)
from actors.recent import Recent
from actors.settlement import settle_all
from actors.store import Activity, Settlement, Store
from runtime.actor import Context


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of an entry.

    ``counts`` says that the platform took it in. ``author`` is whose contact is asked for with it.
    """

    entry: JournalEntry
    outcome: Outcome
    items: tuple[JournalItem, ...] = ()
    active: tuple[Activity, ...] = ()
    counts: bool = False
    author: Author | None = None


class Closer:
    """Closes entries for one unit, and remembers which.

    Args:
        settled: what was closed lately, shared by all units.
        contacts: whose contacts were asked for lately; ``None`` if there are to be no contacts.
    """

    def __init__(
        self, context: Context, store: Store, *, settled: Recent, contacts: Recent | None
    ) -> None:
        self._context = context
        self._store = store
        self._settled = settled
        self._contacts = contacts

    def is_closed(self, entry: JournalEntry) -> bool:
        """Whether this delivery of it was closed lately."""
        return _make_turn(entry) in self._settled

    def accept(self, entry: JournalEntry, accepted: Json) -> Closing:
        """The closing of an entry that Genesys took in as ``accepted``."""
        payload = entry.payload
        if not isinstance(payload, InboundPost | InboundDirectMessage):
            return Closing(entry, Done(), counts=True)
        active = make_activities(entry.conversation, accepted)
        own = isinstance(payload, InboundPost) and payload.own
        if own or self._contacts is None or _describe(payload.author) in self._contacts:
            return Closing(entry, Done(), active=active, counts=True)
        items = (make_contact_item(payload.author, entry.item_id),)
        return Closing(entry, Done(), items, active, counts=True, author=payload.author)

    async def close(self, closings: Sequence[Closing]) -> None:
        """Close these, waiting for the store as long as it is away.

        If cancelled, what was not closed is delivered and sent again.

        Raises:
            Exception: what came of one of them; an ``ExceptionGroup`` if of several. The others
                are closed.
        """
        settlements = [
            Settlement(one.entry.entry_id, one.outcome, one.items, one.active) for one in closings
        ]
        errors = await settle_all(self._store, self._context, settlements)
        closed = [one for one, error in zip(closings, errors, strict=True) if error is None]
        self._settled.add(_make_turn(one.entry) for one in closed)
        if self._contacts is not None:
            authors = (one.author for one in closed if one.author is not None)
            self._contacts.add(_describe(author) for author in authors)
        count = sum(one.counts for one in closed)
        if count:
            self._context.succeeded(count)
        raise_all([error for error in errors if error is not None])


def _describe(author: Author) -> str:
    return "\n".join((author.did, author.handle, author.display_name or ""))


def _make_turn(entry: JournalEntry) -> str:
    """One delivery of an entry: after each ``Retry`` there is another."""
    return f"{entry.entry_id} {entry.attempts}"

"""What any actor may ask DedupStore, the one that remembers.

:class:`Store` is the asking side. Each method puts one request in DedupStore's mailbox and waits
for the answer, so that the requests of many actors share one round trip. All requests are
idempotent: one that was not answered may have taken effect, and may be asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

import trio

from actors.dead_letters import (
    DeadLetterRequest,
    DropLetter,
    Envelope,
    KeptLetter,
    ListLetters,
    ReadEnvelopes,
    ReadLetter,
    Replayed,
    ReplayLetter,
)
from actors.messages import (
    DeadLetter,
    JournalEntry,
    JournalItem,
    KnownPost,
    Outcome,
    Payload,
    ThreadReference,
)
from runtime.duty import Duty
from runtime.errors import Retryable
from runtime.mailbox import Mailbox, Reply, Unanswered

R = TypeVar("R")

SEEN_KEEP_S = 30 * 24 * 3600
"""For so long after it was last marked an id counts as seen; then it is new to the store."""

POSTS_KEEP_S = 7 * 24 * 3600
"""For so long after it was recorded a post is known."""

POSTS_MOST = 10_000
"""So many posts are known, the newest."""

Space: TypeAlias = Literal["cursor", "session", "contact", "reactions", "written"]
"""What a kept value is for: a poller's place, a login, the last state of a contact, the newest
counts of the reactions to a post, what the account wrote on Bluesky."""


class StoreUnavailable(Retryable):
    """The store cannot be reached, is full or refuses writes; the message says which."""


class Deposed(Retryable):
    """The request was the leader's to make, and another process leads now. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Value:
    """A small text kept under a name.

    ``keep_s`` is its life time in seconds, by default 400 days; 0 deletes it. An ``earliest`` one
    is a number, and does not replace a smaller one.
    """

    space: Space
    name: str
    text: str
    keep_s: float | None = None
    earliest: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """Something happens in a conversation, and how to ask Genesys about it.

    ``conversation`` is its name in the journal. ``genesys_id`` is that of a Genesys conversation
    or, as long as it is not known whether there is one, of a message: ``names`` tells which.
    """

    conversation: str
    names: Literal["conversation", "message"]
    genesys_id: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A known post, and when it was first recorded, in unix seconds."""

    post: KnownPost
    recorded_s: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a recording: the ids of the items that had never been seen before."""

    new: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """Append what was never seen, and move the poller's values with it, in one atomic step.

    ``seen`` are ids to be marked as seen (or marked again, so that they are not forgotten)
    without anything being delivered. They are marked last: an item or a dead letter of the same
    request with such an id is still new. ``active`` counts unless all items are known: what comes
    again writes nothing. ``term`` is the duty on which alone it may be done; ``None`` if anybody
    may do it at any time.
    """

    items: tuple[JournalItem, ...] = ()
    values: tuple[Value, ...] = ()
    seen: tuple[str, ...] = ()
    references: tuple[ThreadReference, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    active: tuple[Activity, ...] = ()
    posts: tuple[KnownPost, ...] = ()
    term: int | None = None
    reply: Reply[Recorded] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class Settle:
    """Close one entry, and append what it caused, in one atomic step. ``term``: as in Record."""

    entry_id: str
    outcome: Outcome
    items: tuple[JournalItem, ...] = ()
    references: tuple[ThreadReference, ...] = ()
    values: tuple[Value, ...] = ()
    active: tuple[Activity, ...] = ()
    posts: tuple[KnownPost, ...] = ()
    term: int | None = None
    reply: Reply[None] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class Settlement:
    """One of many entries that are closed together: as in :class:`Settle`."""

    entry_id: str
    outcome: Outcome
    items: tuple[JournalItem, ...] = ()
    active: tuple[Activity, ...] = ()


@dataclass(frozen=True, slots=True)
class Amend:
    """Replace the payload of an entry in hand, which keeps its place, in one atomic step.

    ``absorbed`` are the entries right behind it that the new payload answers for: they leave the
    journal in the same step. Answers whether the entry is still in hand; if it is not, nothing was
    done. ``term``: as in Record.
    """

    entry_id: str
    item_id: str
    payload: Payload
    absorbed: tuple[str, ...] = ()
    term: int | None = None
    reply: Reply[bool] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class ReadQueue:
    """Read an entry in hand as it is now, and what waits right behind it in its conversation.

    At most ``most`` in all. Nothing if the entry is not in hand any more. What cannot be read
    ends the list.
    """

    entry_id: str
    most: int
    reply: Reply[tuple[JournalEntry, ...]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class FindUnseen:
    """Which of these ids were never seen."""

    item_ids: tuple[str, ...]
    reply: Reply[frozenset[str]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class ReadValue:
    """Read a kept value; ``None`` if there is none."""

    space: Space
    name: str
    reply: Reply[str | None] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class FindReference:
    """Read what a reply to this post must name; ``None`` if the post is not remembered.

    What the predecessor remembered counts where there is nothing of our own.
    """

    uri: str
    reply: Reply[ThreadReference | None] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class FindInherited:
    """Which of these posts, by uri, the predecessor took in."""

    uris: tuple[str, ...]
    reply: Reply[frozenset[str]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class FindPosts:
    """The posts that were recorded since this unix time, the newest first."""

    since_s: float
    reply: Reply[tuple[Sighting, ...]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class FindActive:
    """The conversations in which something happened lately, newest first.

    Of each the newest :class:`Activity` counts; so many activities are looked at.
    """

    limit: int
    reply: Reply[tuple[Activity, ...]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class SetPaused:
    """Keep it that an actor is paused, or that it is not any more, and tell all processes."""

    actor: str
    is_on: bool
    reply: Reply[None] = field(default_factory=Reply, compare=False)


StoreRequest: TypeAlias = (
    Record
    | Settle
    | Amend
    | ReadQueue
    | FindUnseen
    | ReadValue
    | FindReference
    | FindInherited
    | FindActive
    | FindPosts
    | SetPaused
    | DeadLetterRequest
)


class Store:
    """The asking side of DedupStore.

    Every method raises :class:`StoreUnavailable` when the store is away or does not answer in
    time. A cancelled call may or may not have taken effect; asking again is harmless.

    Args:
        mailbox: DedupStore's mailbox.
        answer_within_s: how long one question may take, waiting for room included.
        duty: what is written through this store is the leader's to write: only on this duty, and
            else it raises :class:`Deposed`. ``None`` if any process may.

    Attributes:
        posts_told: how many known posts were given to be kept through this store. Who has read
            them reads them anew when it has changed, and asks nothing while it has not.
    """

    def __init__(
        self, mailbox: Mailbox[StoreRequest], *, answer_within_s: float, duty: Duty | None = None
    ) -> None:
        self._mailbox = mailbox
        self._answer_within_s = answer_within_s
        self._duty = duty
        self.posts_told = 0

    async def record(
        self,
        items: Iterable[JournalItem] = (),
        *,
        values: Iterable[Value] = (),
        seen: Iterable[str] = (),
        references: Iterable[ThreadReference] = (),
        dead_letters: Iterable[DeadLetter] = (),
        active: Iterable[Activity] = (),
        posts: Iterable[KnownPost] = (),
    ) -> Recorded:
        """Append what was never seen, and move the poller's values with it, atomically."""
        request = Record(
            tuple(items),
            tuple(values),
            tuple(seen),
            tuple(references),
            tuple(dead_letters),
            tuple(active),
            tuple(posts),
            self._term(),
        )
        return await self._ask_with_posts(request, request.reply)

    async def settle(
        self,
        entry_id: str,
        outcome: Outcome,
        *,
        items: Iterable[JournalItem] = (),
        references: Iterable[ThreadReference] = (),
        values: Iterable[Value] = (),
        active: Iterable[Activity] = (),
        posts: Iterable[KnownPost] = (),
    ) -> None:
        """Close one entry, and append what it caused, atomically. A settled one stays settled."""
        request = Settle(
            entry_id,
            outcome,
            tuple(items),
            tuple(references),
            tuple(values),
            tuple(active),
            tuple(posts),
            self._term(),
        )
        await self._ask_with_posts(request, request.reply)

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[Exception | None]:
        """Close several entries in one round trip, each of them atomically and for itself.

        Returns for each what :meth:`settle` would raise; ``None`` if it is closed.
        """
        term = self._term()
        requests = [
            Settle(one.entry_id, one.outcome, one.items, active=one.active, term=term)
            for one in settlements
        ]
        started = trio.current_time()
        sent = 0
        with trio.move_on_after(self._answer_within_s):
            for request in requests:
                await self._mailbox.send(request)
                sent += 1
        errors: list[Exception | None] = [
            await self._find_error(request.reply, started) for request in requests[:sent]
        ]
        return errors + [_make_full() for _ in requests[sent:]]

    async def amend(
        self, entry: JournalEntry, payload: Payload, absorbed: Iterable[str] = ()
    ) -> bool:
        """Replace the payload of an entry in hand, and take those behind it into it, atomically.

        Returns whether the entry is still in hand.
        """
        request = Amend(entry.entry_id, entry.item_id, payload, tuple(absorbed), self._term())
        return await self._ask(request, request.reply)

    async def read_queue(self, entry_id: str, most: int) -> tuple[JournalEntry, ...]:
        """An entry in hand as it is now, and what waits right behind it; ``most`` in all."""
        request = ReadQueue(entry_id, most)
        return await self._ask(request, request.reply)

    async def find_unseen(self, item_ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids were never seen."""
        request = FindUnseen(tuple(item_ids))
        return await self._ask(request, request.reply)

    async def read(self, space: Space, name: str) -> str | None:
        """Read a kept value."""
        request = ReadValue(space, name)
        return await self._ask(request, request.reply)

    async def save(self, value: Value) -> None:
        """Keep a value."""
        await self.record(values=(value,))

    async def find_reference(self, uri: str) -> ThreadReference | None:
        """What a reply to this post must name, if it is remembered."""
        request = FindReference(uri)
        return await self._ask(request, request.reply)

    async def find_inherited(self, uris: Iterable[str]) -> frozenset[str]:
        """Which of these posts the connector before this one took in, on the same Redis."""
        request = FindInherited(tuple(uris))
        return await self._ask(request, request.reply)

    async def find_active(self, limit: int) -> tuple[Activity, ...]:
        """The conversations in which something happened lately, newest first."""
        request = FindActive(limit)
        return await self._ask(request, request.reply)

    async def find_posts(self, since_s: float) -> tuple[Sighting, ...]:
        """The posts that were recorded since this unix time, the newest first."""
        request = FindPosts(since_s)
        return await self._ask(request, request.reply)

    async def set_paused(self, actor: str, *, is_on: bool) -> None:
        """Keep that an actor is paused, or not any more: for all processes and all to come."""
        request = SetPaused(actor, is_on)
        await self._ask(request, request.reply)

    async def list_letters(self) -> tuple[str, ...]:
        """The ids of all dead letters, the latest to die first."""
        request = ListLetters()
        return await self._ask(request, request.reply)

    async def read_envelopes(self, letter_ids: Iterable[str]) -> tuple[Envelope, ...]:
        """What is known of these dead letters; those that are gone are left out."""
        request = ReadEnvelopes(tuple(letter_ids))
        return await self._ask(request, request.reply)

    async def read_letter(self, letter_id: str) -> KeptLetter | None:
        """A dead letter whole."""
        request = ReadLetter(letter_id)
        return await self._ask(request, request.reply)

    async def replay_letter(
        self,
        letter_id: str,
        item: JournalItem | None = None,
        *,
        references: Iterable[ThreadReference] = (),
        unless_seen: str | None = None,
    ) -> Replayed:
        """Put a dead letter back into the journal, atomically. A second time it is gone."""
        request = ReplayLetter(letter_id, item, tuple(references), unless_seen)
        return await self._ask(request, request.reply)

    async def drop_letter(self, letter_id: str) -> bool:
        """Remove a dead letter for good. Returns whether there was one."""
        request = DropLetter(letter_id)
        return await self._ask(request, request.reply)

    def _term(self) -> int | None:
        return None if self._duty is None else self._duty.term

    async def _ask_with_posts(self, request: Record | Settle, reply: Reply[R]) -> R:
        try:
            return await self._ask(request, reply)
        finally:
            # Without an answer, too: it may have taken effect.
            self.posts_told += len(request.posts)

    async def _ask(self, request: StoreRequest, reply: Reply[R]) -> R:
        started = trio.current_time()
        with trio.move_on_after(self._answer_within_s) as waiting:
            await self._mailbox.send(request)
        if waiting.cancelled_caught:
            raise _make_full()
        return await self._wait(reply, started)

    async def _find_error(self, reply: Reply[None], started: float) -> Exception | None:
        try:
            await self._wait(reply, started)
        except Exception as error:  # noqa: BLE001 (whoever asked decides on it)
            return error
        return None

    async def _wait(self, reply: Reply[R], started: float) -> R:
        left_s = max(0.0, self._answer_within_s - (trio.current_time() - started))
        try:
            return await reply.wait(left_s, who="DedupStore")
        except Unanswered as error:
            raise StoreUnavailable(str(error)) from error


def _make_full() -> StoreUnavailable:
    return StoreUnavailable("DedupStore's mailbox is full: it is not keeping up")

"""DedupStore's memory without Redis, threads or tasks: a real ``Store``, answered at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import assert_never

import trio

from actors.dead_letters import (
    DropLetter,
    ListLetters,
    ReadEnvelopes,
    ReadLetter,
    ReplayLetter,
)
from actors.messages import (
    DeadLetter,
    Destination,
    Done,
    JournalEntry,
    JournalItem,
    KnownPost,
    Outcome,
    Payload,
    Refused,
    Retry,
    ThreadReference,
)
from actors.store import (
    SEEN_KEEP_S,
    Activity,
    Amend,
    Deposed,
    FindActive,
    FindInherited,
    FindPosts,
    FindReference,
    FindUnseen,
    ReadQueue,
    ReadValue,
    Record,
    Recorded,
    SetPaused,
    Settle,
    Sighting,
    Store,
    StoreRequest,
    StoreUnavailable,
    Value,
)
from runtime.clock import WallClock
from runtime.mailbox import Mailbox

NEW_YEAR_2026 = 1_767_225_600.0


def virtual_wall_clock() -> float:
    """Unix time that moves with trio's clock and starts at 2026-01-01T00:00:00Z with it."""
    return NEW_YEAR_2026 + trio.current_time()


class MemoryStore:
    """What DedupStore would remember, and the :class:`Store` to ask it with.

    Attributes:
        store: give this to the actor under test.
        requests: every request that came, oldest first.
        entries: the open journal by entry id, oldest first.
        settled: the closed entries with their outcome, oldest first.
        posts: when each known post was first recorded, in unix seconds.
        values: kept texts by ``(space, name)``; ``references`` by uri; ``letters`` by letter id.
        active: where something happened, newest last.
        inherited: posts that the predecessor took in, by uri.
        away: while true, every request is refused with :class:`StoreUnavailable`.
        deposed: while true, every change is refused with :class:`Deposed`.
        lost_answers: so many of the next requests take effect and are then answered
            with :class:`StoreUnavailable`.

    Args:
        clock: the wall clock for ``recorded_at``.
    """

    def __init__(self, clock: WallClock = virtual_wall_clock) -> None:
        self.store = Store(_AnsweringMailbox(self), answer_within_s=5.0)
        self.requests: list[StoreRequest] = []
        self.entries: dict[str, JournalEntry] = {}
        self.settled: list[tuple[JournalEntry, Outcome]] = []
        self.values: dict[tuple[str, str], Value] = {}
        self.references: dict[str, ThreadReference] = {}
        self.letters: dict[str, DeadLetter] = {}
        self.inherited: set[str] = set()
        self.active: list[Activity] = []
        self.posts: dict[KnownPost, float] = {}
        self.away = False
        self.deposed = False
        self.lost_answers = 0
        self._clock = clock
        self._seen_until: dict[str, float] = {}
        self._value_until: dict[tuple[str, str], float] = {}
        self._next_entry = 1

    @property
    def items(self) -> list[str]:
        """The item ids of the open entries, oldest first."""
        return [entry.item_id for entry in self.entries.values()]

    @property
    def payloads(self) -> list[Payload]:
        """What the open entries carry, oldest first."""
        return [entry.payload for entry in self.entries.values()]

    def is_seen(self, item_id: str) -> bool:
        """Whether this id was seen within the last 30 days."""
        return self._seen_until.get(item_id, float("-inf")) > trio.current_time()

    def forget(self, space: str, name: str) -> None:
        """Lose a kept value."""
        self.values.pop((space, name), None)

    def deliverable(self, destination: Destination) -> list[JournalEntry]:
        """The oldest open entry of each conversation for this actor, oldest first."""
        first: dict[str, JournalEntry] = {}
        for entry in self.entries.values():
            if entry.destination is destination:
                first.setdefault(entry.conversation, entry)
        return list(first.values())

    def add(self, item: JournalItem) -> JournalEntry:
        """Put an item in the journal, as if it had been recorded just now."""
        entry = JournalEntry(
            entry_id=f"{self._next_entry}-0",
            item_id=item.item_id,
            destination=item.destination,
            conversation=item.conversation,
            payload=item.payload,
            attempts=0,
            recorded_at=self._clock(),
        )
        self._next_entry += 1
        self.entries[entry.entry_id] = entry
        self._mark(item.item_id)
        return entry

    def take(self, request: StoreRequest) -> None:
        """Deal with one request and answer it, in one step."""
        self.requests.append(request)
        if self.away:
            request.reply.fail(StoreUnavailable("the store is away"))
            return
        if self.deposed and isinstance(request, Record | Settle | Amend):
            request.reply.fail(Deposed("another process has taken the lease"))
            return
        if self.lost_answers > 0:
            self.lost_answers -= 1
            # The first answer counts, so that of the request itself is lost.
            request.reply.fail(StoreUnavailable("the answer was lost"))
        match request:
            case Record():
                request.reply.answer(Recorded(self._record(request)))
            case Settle():
                self._settle(request)
                request.reply.answer(None)
            case Amend():
                request.reply.answer(self._amend(request))
            case ReadQueue():
                request.reply.answer(self._read_queue(request))
            case FindUnseen():
                unseen = (one for one in request.item_ids if not self.is_seen(one))
                request.reply.answer(frozenset(unseen))
            case ReadValue():
                request.reply.answer(self._read(request.space, request.name))
            case FindReference():
                request.reply.answer(self.references.get(request.uri))
            case FindInherited(uris=uris):
                request.reply.answer(frozenset(self.inherited.intersection(uris)))
            case FindActive():
                request.reply.answer(self._find_active(request.limit))
            case FindPosts(since_s=since_s):
                request.reply.answer(self._find_posts(since_s))
            case SetPaused():
                raise TypeError("no actor pauses another: only a person does")
            case ListLetters() | ReadEnvelopes() | ReadLetter() | ReplayLetter() | DropLetter():
                raise TypeError("no actor asks for dead letters: only a person does")
            case _:
                assert_never(request)

    def _record(self, request: Record) -> frozenset[str]:
        new = self._append(request.items)
        for letter in request.dead_letters:
            if not self.is_seen(letter.letter_id):
                self._mark(letter.letter_id)
                self.letters[letter.letter_id] = letter
        for item_id in request.seen:
            self._mark(item_id)
        self._keep(request.values, request.references, request.active, request.posts)
        return new

    def _settle(self, request: Settle) -> None:
        entry = self.entries.get(request.entry_id)
        if entry is None:
            return
        match request.outcome:
            case Retry():
                self.entries[entry.entry_id] = dataclasses.replace(
                    entry, attempts=entry.attempts + 1
                )
            case Done() | Refused():
                del self.entries[entry.entry_id]
                self.settled.append((entry, request.outcome))
            case _:
                assert_never(request.outcome)
        self._append(request.items)
        self._keep(request.values, request.references, request.active, request.posts)

    def _amend(self, request: Amend) -> bool:
        entry = self.entries.get(request.entry_id)
        if entry is None:
            return False
        self.entries[entry.entry_id] = dataclasses.replace(entry, payload=request.payload)
        for entry_id in request.absorbed:
            self.entries.pop(entry_id, None)
        return True

    def _read_queue(self, request: ReadQueue) -> tuple[JournalEntry, ...]:
        asked = self.entries.get(request.entry_id)
        if asked is None:
            return ()
        queue = [
            one
            for one in self.entries.values()
            if (one.destination, one.conversation) == (asked.destination, asked.conversation)
        ]
        return tuple(queue[: request.most])

    def _append(self, items: Iterable[JournalItem]) -> frozenset[str]:
        new: set[str] = set()
        for item in items:
            if not self.is_seen(item.item_id):
                self.add(item)
                new.add(item.item_id)
        return frozenset(new)

    def _find_posts(self, since_s: float) -> tuple[Sighting, ...]:
        known = (Sighting(post, at) for post, at in self.posts.items() if at >= since_s)
        return tuple(sorted(known, key=lambda one: -one.recorded_s))

    def _keep(
        self,
        values: Iterable[Value],
        references: Iterable[ThreadReference],
        active: Iterable[Activity],
        posts: Iterable[KnownPost],
    ) -> None:
        for post in posts:
            self.posts.setdefault(post, self._clock())
        for activity in active:
            self.active = [one for one in self.active if one != activity] + [activity]
        for value in values:
            key = (value.space, value.name)
            kept = self._read(value.space, value.name) if value.earliest else None
            if kept is not None and float(kept) <= float(value.text):
                continue
            if value.keep_s == 0:
                self.forget(value.space, value.name)
                continue
            self.values[key] = value
            keep_s = float("inf") if value.keep_s is None else value.keep_s
            self._value_until[key] = trio.current_time() + keep_s
        for reference in references:
            self.references[reference.post.uri] = reference

    def _find_active(self, limit: int) -> tuple[Activity, ...]:
        newest: dict[str, Activity] = {}
        for activity in self.active[::-1][:limit]:
            newest.setdefault(activity.conversation, activity)
        return tuple(newest.values())

    def _mark(self, item_id: str) -> None:
        self._seen_until[item_id] = trio.current_time() + SEEN_KEEP_S

    def _read(self, space: str, name: str) -> str | None:
        key = (space, name)
        if key not in self.values or self._value_until[key] <= trio.current_time():
            return None
        return self.values[key].text


class _AnsweringMailbox(Mailbox[StoreRequest]):
    """Answers within ``send``, so that no task has to run beside the test."""

    def __init__(self, memory: MemoryStore) -> None:
        super().__init__("DedupStore", 1)
        self._memory = memory

    async def send(self, message: StoreRequest) -> None:
        await trio.lowlevel.checkpoint()
        self._memory.take(message)

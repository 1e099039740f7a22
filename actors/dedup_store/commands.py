"""What each request is in Redis: the arguments that it sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self, assert_never

from actors.dead_letters import (
    DeadLetterRequest,
    DropLetter,
    ListLetters,
    ReadEnvelopes,
    ReadLetter,
    ReplayLetter,
)
from actors.dedup_store.arguments import (
    list_items,
    list_kept,
    list_letters,
    list_references,
    write_list,
    write_place,
    write_time,
)
from actors.dedup_store.codec import EntryId, seal_payload
from actors.dedup_store.keys import (
    ACTIVE_KEEP_S,
    ACTIVE_MOST,
    DEAD_KEEP_S,
    DEAD_MOST,
    ENTRY_KEEP_S,
    LEASE_HOLDS_S,
    LEASE_KEEP_S,
    LONGEST_KEEP_S,
    MISSED_AFTER_S,
    REFERENCE_KEEP_S,
    Keys,
    value_name,
)
from actors.dedup_store.scripts import Script, ScriptName
from actors.dedup_store.sealing import Sealer
from actors.messages import (
    Destination,
    Done,
    JournalItem,
    Refused,
    Retry,
)
from actors.store import (
    POSTS_KEEP_S,
    POSTS_MOST,
    SEEN_KEEP_S,
    Amend,
    FindActive,
    FindInherited,
    FindPosts,
    FindReference,
    FindUnseen,
    ReadQueue,
    ReadValue,
    Record,
    SetPaused,
    Settle,
    StoreRequest,
)

ENVELOPE_FIELDS = (
    "letter_id",
    "source",
    "conversation",
    "code",
    "why",
    "attempts",
    "recorded_at",
    "died_at",
)
"""Of the hash that a dead letter is (``bury`` in ``scripts/common.lua``), without its payload."""

_CLOCKS_APART_S = 5
"""So far the clocks of two processes on one store may be apart."""

_LIMITS = tuple(
    str(int(one))
    for one in (
        SEEN_KEEP_S,
        REFERENCE_KEEP_S,
        DEAD_KEEP_S,
        DEAD_MOST,
        ACTIVE_KEEP_S,
        POSTS_KEEP_S,
        ENTRY_KEEP_S,
        LONGEST_KEEP_S,
    )
)
"""How long and how many are kept, as ``scripts/common.lua`` takes them."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a round trip.

    ``reads`` says that it changes nothing and that its answer should be of after the others.
    """

    arguments: tuple[str, ...]
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much a destination can take: ``room`` more, none of a conversation that is ``held``."""

    destination: Destination
    room: int
    held: Collection[str]


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who asks, and when: ``fenced`` if it is to be done only for the leader."""

    now: float
    token: str = ""
    fenced: bool = False

    @classmethod
    def of(cls, request: Record | Settle | Amend, now: float, token: str) -> Self:
        """Who asks for this: for the leader only if it has a term, and if there is a leader."""
        return cls(now, token, fenced=bool(token) and request.term is not None)


class Commands:
    """Makes commands for one namespace.

    Args:
        keys: the namespace.
        scripts: see :func:`actors.dedup_store.scripts.load_scripts`.
        sealer: seals what these commands write, and opens what they read.
    """

    def __init__(self, keys: Keys, scripts: dict[ScriptName, Script], sealer: Sealer) -> None:
        self.bell = keys.bell
        self.sealer = sealer
        self.keys = keys
        self._scripts = scripts

    def make(
        self, request: StoreRequest, now: float, *, token: str = "", forget_old: bool = False
    ) -> Command:
        """The command for a request.

        Args:
            request: what is asked.
            now: unix seconds.
            token: of the lease that this process holds, or nothing. With it, a request that has
                a term is done only if the process is still the leader.
            forget_old: whether a recording also drops the marks that are past their time.

        Raises:
            Malformed: if it cannot be written.
        """
        match request:
            case Record():
                caller = _Caller.of(request, now, token)
                return self._record(request, caller, forget_old=forget_old)
            case Settle():
                return self._settle(request, _Caller.of(request, now, token))
            case Amend():
                entry_id = EntryId.parse(request.entry_id)
                absorbed = write_list(
                    (str(EntryId.parse(one).sequence),) for one in request.absorbed
                )
                place = (entry_id.destination, entry_id.conversation, request.item_id)
                payload = seal_payload(self.sealer, request.payload, *place)
                arguments = (*write_place(entry_id), payload, *absorbed)
                return self._call("amend", _Caller.of(request, now, token), arguments)
            case ReadQueue(entry_id=name, most=most):
                entry_id = EntryId.parse(name)
                queue = self.keys.queue(entry_id.destination, entry_id.conversation)
                return Command(("LRANGE", queue, "0", str(most - 1)), reads=True)
            case FindUnseen():
                return Command(("ZMSCORE", self.keys.seen, *request.item_ids), reads=True)
            case ReadValue():
                name = value_name(request.space, request.name)
                return Command(("GET", self.keys.value(name)), reads=True)
            case FindReference():
                return self._call("reference", _Caller(now), (request.uri,), reads=True)
            case FindInherited(uris=uris):
                asked = write_list((uri,) for uri in uris)
                return self._call("inherited", _Caller(now), asked, reads=True)
            case FindActive():
                last = str(request.limit - 1)
                return Command(("ZREVRANGE", self.keys.active, "0", last), reads=True)
            case FindPosts(since_s=since_s):
                range_ = ("+inf", write_time(since_s), "WITHSCORES", "LIMIT", "0", str(POSTS_MOST))
                return Command(("ZREVRANGEBYSCORE", self.keys.posts, *range_), reads=True)
            case SetPaused(actor=actor, is_on=is_on):
                return self._call("pause", _Caller(now), (actor, "1" if is_on else "0"))
            case _:
                return self._make_for_letters(request, now)

    def deliver(self, wanted: Sequence[Wanted], now: float, token: str = "") -> Command:
        """Ask for the heads of conversations; ``answers.read_delivery`` reads what comes.

        With a ``token`` they are for the process that holds this lease and no other.
        """
        arguments = [str(len(wanted))]
        for one in wanted:
            arguments += (one.destination, str(one.room), str(len(one.held)), *one.held)
        caller = _Caller(now, token, fenced=bool(token))
        return self._call("deliver", caller, arguments, reads=True)

    def lead(self, token: str, now: float, *, lasts_s: float) -> Command:
        """Take the lease if nobody has it; ``answers.read_claim`` reads what comes.

        Args:
            token: what it is to be held by, never used before.
            now: unix seconds.
            lasts_s: how long a lease holds that is not renewed.
        """
        times_ms = (str(int(1000 * one)) for one in (LEASE_KEEP_S, lasts_s, MISSED_AFTER_S))
        return self._call("lead", _Caller(now), (token, *times_ms))

    def renew(self, token: str) -> Command:
        """Renew a lease; the answer is how much others have recorded, or nothing if it is lost."""
        key = self.keys.lease(token)
        return Command(("GETEX", key, "PX", str(1000 * LEASE_KEEP_S)))

    def look_at(self, holder: str) -> Command:
        """Ask for the time to live of somebody's lease; ``answers.read_age`` reads what comes."""
        return Command(("PTTL", self.keys.lease(holder)), reads=True)

    def read_paused(self) -> Command:
        """Ask which actors are paused: a list of their names."""
        return Command(("SMEMBERS", self.keys.paused), reads=True)

    def hand_over(self, token: str, now: float) -> Command:
        """Give a lease up: the next one to ask gets it, and those who listen hear of it."""
        return self._call("hand_over", _Caller(now, token), (str(1000 * LEASE_KEEP_S),))

    def forget(
        self, entry_id: EntryId, element: str, items: Iterable[JournalItem], now: float
    ) -> Command:
        """Take an entry out of its queue that nobody has in hand; ``items`` come in its place.

        Answers 1, or 0 if it is not there any more, or -1 if it may be in hand.
        """
        arguments = (
            entry_id.destination,
            entry_id.conversation,
            str(entry_id.sequence),
            element,
            str(int(1000 * LEASE_HOLDS_S)),
            str(1000 * LEASE_KEEP_S),
            str(_CLOCKS_APART_S),
            *list_items(self.sealer, items),
        )
        return self._call("forget", _Caller(now), arguments)

    def probe(self, now: float) -> Command:
        """A write that fails when the store takes no writes."""
        return Command(("SET", self.keys.probe, write_time(now), "EX", "60"))

    def _record(self, request: Record, caller: _Caller, *, forget_old: bool) -> Command:
        arguments = [
            "1" if forget_old else "0",
            str(ACTIVE_MOST),
            str(POSTS_MOST),
            *list_items(self.sealer, request.items),
            *list_letters(self.sealer, request.dead_letters),
            *write_list((item_id,) for item_id in request.seen),
            *list_kept(self.sealer, request),
        ]
        return self._call("record", caller, arguments)

    def _settle(self, request: Settle, caller: _Caller) -> Command:
        entry_id = EntryId.parse(request.entry_id)
        match request.outcome:
            case Done():
                outcome = ("done", "", "", "", "0")
            case Retry(after_s=after_s):
                outcome = ("retry", write_time(caller.now + max(0.0, after_s)), "", "", "1")
            case Refused(code=code, why=why, tries=tries):
                outcome = ("refused", "", code, why, str(tries))
            case _:
                assert_never(request.outcome)
        arguments = [
            *write_place(entry_id),
            *outcome,
            *list_items(self.sealer, request.items),
            *list_kept(self.sealer, request),
        ]
        return self._call("settle", caller, arguments)

    def _make_for_letters(self, request: DeadLetterRequest, now: float) -> Command:
        match request:
            case ListLetters():
                oldest = write_time(now - DEAD_KEEP_S)
                listing = ("ZREVRANGEBYSCORE", self.keys.dead, "+inf", oldest)
                return Command(listing, reads=True)
            case ReadEnvelopes(letter_ids=letter_ids):
                asked = [
                    write_list((one,) for one in each) for each in (letter_ids, ENVELOPE_FIELDS)
                ]
                return self._call("envelopes", _Caller(now), chain(*asked), reads=True)
            case ReadLetter(letter_id=letter_id):
                key = self.keys.dead_letter(letter_id)
                return Command(("HMGET", key, *ENVELOPE_FIELDS, "payload"), reads=True)
            case ReplayLetter():
                return self._replay(request, now)
            case DropLetter(letter_id=letter_id):
                return self._call("drop", _Caller(now), (letter_id,))
            case _:
                assert_never(request)

    def _replay(self, request: ReplayLetter, now: float) -> Command:
        arguments = [
            request.letter_id,
            request.unless_seen or "",
            *list_items(self.sealer, [request.item] if request.item else []),
            *list_references(request.references),
        ]
        return self._call("replay", _Caller(now), arguments)

    def _call(
        self, name: ScriptName, caller: _Caller, arguments: Iterable[str], *, reads: bool = False
    ) -> Command:
        common = (
            write_time(caller.now),
            *_LIMITS,
            caller.token,
            "1" if caller.fenced else "",
        )
        head = ("EVALSHA", self._scripts[name].digest, "1", self.keys.prefix)
        return Command((*head, *common, *arguments), reads)

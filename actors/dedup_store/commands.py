"""What each request is in Redis: the arguments it sends, and the answer it reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from actors.dedup_store.codec import (
    EntryId,
    Head,
    decode_reference,
    encode_payload,
    encode_reference,
)
from actors.dedup_store.keys import (
    DEAD_KEEP_S,
    DEAD_MOST,
    REFERENCE_KEEP_S,
    Keys,
    value_name,
)
from actors.dedup_store.scripts import Script, ScriptName
from actors.messages import Destination, Done, JournalItem, Refused, Retry, ThreadReference
from actors.store import (
    SEEN_KEEP_S,
    Amend,
    FindReference,
    FindUnseen,
    ReadValue,
    Record,
    Recorded,
    Settle,
    StoreRequest,
    Value,
)
from runtime.errors import Malformed

Result: TypeAlias = Any
"""What Redis answered to one command: text, a number, nothing, or a list of such."""


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
class Delivery:
    """What may be handed over now, when more is due, and how much there is in all.

    Times are unix seconds.
    """

    heads: tuple[Head, ...]
    next_due: dict[Destination, float | None]
    depth: int
    oldest_recorded_at: float | None
    dead_letters: int


class Commands:
    """Makes commands for one namespace.

    Args:
        keys: the namespace.
        scripts: see :func:`actors.dedup_store.scripts.load_scripts`.
    """

    def __init__(self, keys: Keys, scripts: dict[ScriptName, Script]) -> None:
        self._keys = keys
        self._scripts = scripts

    def make(self, request: StoreRequest, now: float, *, forget_old: bool = False) -> Command:
        """The command for a request.

        Args:
            request: what is asked.
            now: unix seconds.
            forget_old: whether a recording also drops the marks that are past their time.

        Raises:
            Malformed: if it cannot be written.
        """
        match request:
            case Record():
                return self._record(request, now, forget_old=forget_old)
            case Settle():
                return self._settle(request, now)
            case Amend():
                entry_id = EntryId.parse(request.entry_id)
                arguments = (*_place(entry_id), encode_payload(request.payload))
                return self._call("amend", now, arguments)
            case FindUnseen():
                return Command(("ZMSCORE", self._keys.seen, *request.item_ids), reads=True)
            case ReadValue():
                name = value_name(request.space, request.name)
                return Command(("GET", self._keys.value(name)), reads=True)
            case FindReference():
                return Command(("GET", self._keys.reference(request.uri)), reads=True)
            case _:
                assert_never(request)

    def deliver(self, wanted: Sequence[Wanted], now: float) -> Command:
        """Ask for the heads of conversations; :func:`read_delivery` reads the answer."""
        arguments = [str(len(wanted))]
        for one in wanted:
            arguments += (one.destination, str(one.room), str(len(one.held)), *one.held)
        return self._call("deliver", now, arguments, reads=True)

    def probe(self, now: float) -> Command:
        """A write that fails when the store takes no writes."""
        return Command(("SET", self._keys.probe, _time(now), "EX", "60"))

    def _record(self, request: Record, now: float, *, forget_old: bool) -> Command:
        letters = request.dead_letters
        arguments = [
            "1" if forget_old else "0",
            *_items(request.items),
            *_many((item_id,) for item_id in request.seen),
            *_values(request.values),
            *_references(request.references),
            *_many(
                (one.letter_id, one.source, one.code, one.why, one.payload, str(one.attempts))
                for one in letters
            ),
        ]
        return self._call("record", now, arguments)

    def _settle(self, request: Settle, now: float) -> Command:
        entry_id = EntryId.parse(request.entry_id)
        match request.outcome:
            case Done():
                outcome = ("done", "", "", "")
            case Retry(after_s=after_s):
                outcome = ("retry", _time(now + max(0.0, after_s)), "", "")
            case Refused(code=code, why=why):
                outcome = ("refused", "", code, why)
            case _:
                assert_never(request.outcome)
        arguments = [
            *_place(entry_id),
            *outcome,
            *_items(request.items),
            *_values(request.values),
            *_references(request.references),
        ]
        return self._call("settle", now, arguments)

    def _call(
        self, name: ScriptName, now: float, arguments: Iterable[str], *, reads: bool = False
    ) -> Command:
        # The one place for what every script is given: a fencing token belongs here.
        common = (_time(now), SEEN_KEEP_S, REFERENCE_KEEP_S, DEAD_KEEP_S, DEAD_MOST)
        digest = self._scripts[name].digest
        head = ("EVALSHA", digest, "1", self._keys.prefix, *map(str, common))
        return Command((*head, *arguments), reads)


def answer(request: StoreRequest, result: Result) -> None:
    """Give the asker what Redis answered."""
    match request:
        case Record():
            new = frozenset(request.items[place - 1].item_id for place in result)
            request.reply.answer(Recorded(new))
        case Settle() | Amend():
            # An entry that was settled before stays settled: that is an answer, not an error.
            request.reply.answer(None)
        case FindUnseen():
            marks = zip(request.item_ids, result, strict=True)
            unseen = (item_id for item_id, marked_at in marks if marked_at is None)
            request.reply.answer(frozenset(unseen))
        case ReadValue():
            request.reply.answer(result)
        case FindReference():
            request.reply.answer(_read_reference(result))
        case _:
            assert_never(request)


def read_delivery(wanted: Sequence[Wanted], result: Result) -> Delivery:
    """The answer to :meth:`Commands.deliver`."""
    heads, dues, depth, oldest, dead_letters = result
    return Delivery(
        heads=tuple(Head.parse(*head) for head in heads),
        next_due={
            one.destination: float(due) if due else None
            for one, due in zip(wanted, dues, strict=True)
        },
        depth=depth,
        oldest_recorded_at=float(oldest) if oldest else None,
        dead_letters=dead_letters,
    )


def _read_reference(answer: str | None) -> ThreadReference | None:
    if answer is None:
        return None
    try:
        return decode_reference(answer)
    except Malformed:
        # Not remembered in a form that this release reads: it is looked up anew.
        return None


def _time(unix_s: float) -> str:
    return f"{unix_s:.6f}"


def _place(entry_id: EntryId) -> tuple[str, str, str, str]:
    sequence, attempts = str(entry_id.sequence), str(entry_id.attempts)
    return sequence, attempts, entry_id.destination, entry_id.conversation


def _many(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A list as the scripts take it: its length, then all fields one after the other."""
    listed = list(rows)
    return [str(len(listed)), *(field for row in listed for field in row)]


def _items(items: Iterable[JournalItem]) -> list[str]:
    return _many(
        (one.item_id, one.destination, one.conversation, encode_payload(one.payload))
        for one in items
    )


def _values(values: Iterable[Value]) -> list[str]:
    return _many(
        (
            value_name(one.space, one.name),
            one.text,
            "" if one.keep_s is None else str(max(1, round(one.keep_s * 1000))),
        )
        for one in values
    )


def _references(references: Iterable[ThreadReference]) -> list[str]:
    return _many((one.post.uri, encode_reference(one)) for one in references)

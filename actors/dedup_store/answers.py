"""What Redis answers to each request, and to the question for entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from actors.dead_letters import (
    DropLetter,
    Envelope,
    KeptLetter,
    ListLetters,
    ReadEnvelopes,
    ReadLetter,
    Replayed,
    ReplayLetter,
)
from actors.dedup_store.codec import (
    EntryId,
    Head,
    decode_activity,
    decode_reference,
    open_payload,
    open_post,
    open_value,
)
from actors.dedup_store.commands import Wanted
from actors.dedup_store.inherited import read_inherited
from actors.dedup_store.keys import LEASE_KEEP_S
from actors.dedup_store.sealing import KeyMissing, Sealer
from actors.messages import Destination, JournalEntry, JournalItem, ThreadReference
from actors.store import (
    Activity,
    Amend,
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
    StoreRequest,
)
from runtime.errors import Malformed

Result: TypeAlias = Any
"""What Redis answered to one command: text, a number, nothing, or a list of such."""


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


def answer(request: StoreRequest, result: Result, sealer: Sealer) -> None:
    """Give the asker what Redis answered, opened."""
    match request:
        case Record():
            new = frozenset(item.item_id for item in read_new(request.items, result))
            request.reply.answer(Recorded(new))
        case Settle():
            # An entry that was settled before stays settled: that is an answer, not an error.
            request.reply.answer(None)
        case Amend():
            request.reply.answer(bool(result))
        case ReadQueue():
            request.reply.answer(
                tuple(_read_queue(EntryId.parse(request.entry_id), result, sealer))
            )
        case FindUnseen():
            marks = zip(request.item_ids, result, strict=True)
            unseen = (item_id for item_id, marked_at in marks if marked_at is None)
            request.reply.answer(frozenset(unseen))
        case ReadValue():
            request.reply.answer(_read_value(request, result, sealer))
        case FindReference():
            request.reply.answer(_read_reference(request.uri, result))
        case FindInherited(uris=uris):
            request.reply.answer(frozenset(uris[place - 1] for place in result))
        case FindActive():
            request.reply.answer(_read_activities(result))
        case FindPosts():
            request.reply.answer(tuple(_read_sightings(result, sealer)))
        case SetPaused():
            request.reply.answer(None)
        case ListLetters():
            request.reply.answer(tuple(result))
        case ReadEnvelopes():
            request.reply.answer(tuple(_read_envelopes(result)))
        case ReadLetter():
            _answer_letter(request, result, sealer)
        case ReplayLetter():
            request.reply.answer(Replayed(result))
        case DropLetter():
            request.reply.answer(bool(result))
        case _:
            assert_never(request)


def read_new(items: Sequence[JournalItem], places: Sequence[int]) -> list[JournalItem]:
    """Those of the items that had never been seen."""
    return [items[place - 1] for place in places]


def read_delivery(wanted: Sequence[Wanted], result: Result) -> Delivery:
    """The answer to :meth:`actors.dedup_store.commands.Commands.deliver`."""
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


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of asking for the lease.

    ``age_s`` is how long ago the lease before, or the one that holds, was renewed; ``None`` if
    there was none. ``holder`` is the token of the one that holds, ``None`` if it is ours now.
    """

    age_s: float | None
    holder: str | None


def read_claim(result: Result) -> Claim:
    """The answer to :meth:`Commands.lead`."""
    taken, age_ms, *holder = result
    age_s = age_ms / 1000 if age_ms >= 0 else None
    return Claim(age_s, None if taken else holder[0])


def read_age(result: Result) -> float | None:
    """How long ago a lease was renewed, from its time to live; ``None`` if it is nobody's.

    One that was given up has more time to live than any that is held.
    """
    left_s = result / 1000
    return LEASE_KEEP_S - left_s if 0 <= left_s <= LEASE_KEEP_S else None


def _read_queue(asked: EntryId, elements: Sequence[str], sealer: Sealer) -> Iterator[JournalEntry]:
    for place, element in enumerate(elements):
        try:
            head = Head.parse(asked.destination, asked.conversation, element)
            if place == 0 and head.entry_id != asked:
                return
            yield head.unseal(sealer).open()
        except (KeyMissing, Malformed):
            # It is dealt with when it is to be handed over.
            return


def _read_value(request: ReadValue, kept: str | None, sealer: Sealer) -> str | None:
    if kept is None:
        return None
    try:
        return open_value(sealer, request.space, request.name, kept)
    except (KeyMissing, Malformed):
        # A session or the state of a contact: both are made anew.
        return None


def _read_reference(uri: str, answer: Sequence[str]) -> ThreadReference | None:
    own, *kept = answer
    if not own:
        return read_inherited(uri, *kept)
    try:
        return decode_reference(own)
    except Malformed:
        # Not remembered in a form that this release reads: it is looked up anew.
        return None


def _read_activities(members: Iterable[str]) -> tuple[Activity, ...]:
    """The newest of each conversation, in their order."""
    newest: dict[str, Activity] = {}
    for member in members:
        try:
            activity = decode_activity(member)
        except Malformed:
            # Written in a form that this release does not read; it is forgotten within a day.
            continue
        newest.setdefault(activity.conversation, activity)
    return tuple(newest.values())


def _read_sightings(answer: Sequence[str], sealer: Sealer) -> Iterator[Sighting]:
    for member, score in zip(answer[::2], answer[1::2], strict=True):
        try:
            yield Sighting(open_post(sealer, member), float(score))
        except (KeyMissing, Malformed):
            # Written in a form that this release does not read, or with a key that it does not
            # have; it is forgotten within days.
            continue


def _read_envelopes(answer: Iterable[Sequence[str | None]]) -> Iterator[Envelope]:
    for fields in answer:
        try:
            yield _read_envelope(fields)
        except Malformed:
            # Nobody here has written it; it is forgotten with the others.
            continue


def _read_envelope(fields: Sequence[str | None]) -> Envelope:
    texts = [text for text in fields if text is not None]
    try:
        letter_id, source, conversation, code, why, attempts, recorded_at, died_at = texts
        return Envelope(
            letter_id,
            source,
            conversation,
            code,
            why,
            int(attempts),
            float(recorded_at),
            float(died_at),
        )
    except ValueError as error:
        raise Malformed("this is no dead letter") from error


def _answer_letter(request: ReadLetter, result: Sequence[Any], sealer: Sealer) -> None:
    *fields, kept = result
    if kept is None:
        request.reply.answer(None)
        return
    try:
        envelope = _read_envelope(fields)
        place = (envelope.source, envelope.conversation, envelope.letter_id)
        request.reply.answer(KeptLetter(envelope, open_payload(sealer, kept, *place)))
    except (KeyMissing, Malformed) as error:
        request.reply.fail(error)

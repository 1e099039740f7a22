"""What lies in the store: payloads and references as JSON, entries as elements of a list.

A payload is written as ``{"version":1,"payload":{...,"kind":"..."}}``. Reading ignores fields that
this release does not know and fills in the defaults of fields that an older one did not write.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from actors.dedup_store.sealing import Sealer
from actors.json_text import read_json, write_json
from actors.messages import (
    PAYLOAD_VERSION,
    DeadLetter,
    Destination,
    JournalEntry,
    KnownPost,
    Payload,
    ThreadReference,
)
from actors.store import Activity, Space
from runtime.errors import Malformed

T = TypeVar("T")

_PAYLOAD: TypeAdapter[Payload] = TypeAdapter(Annotated[Payload, Field(discriminator="kind")])
_REFERENCE: TypeAdapter[ThreadReference] = TypeAdapter(ThreadReference)
_ACTIVITY: TypeAdapter[Activity] = TypeAdapter(Activity)
_POST: TypeAdapter[KnownPost] = TypeAdapter(KnownPost)

_NAME = re.compile(r"[a-z_]{1,40}")
"""A field of ours."""
_MOST_TOLD = 250

_ELEMENT = re.compile(
    r"([0-9]{1,18}) ([0-9]{1,18}) ([0-9.]{1,32})\n([^\n]*)\n(.*)", re.DOTALL | re.ASCII
)

SEALED_SPACES: frozenset[Space] = frozenset({"session", "contact"})
"""Those whose values are tokens, or tell who somebody is. The rest are places, counts and ids."""


@dataclass(frozen=True, slots=True)
class EntryId:
    """Names one delivery of one entry, and says where it lies.

    ``sequence`` tells entries apart, ``attempts`` the deliveries of one entry; so a repeated
    ``Retry`` of the first delivery cannot touch the second.
    """

    sequence: int
    attempts: int
    destination: Destination
    conversation: str

    def __str__(self) -> str:
        return f"{self.sequence}.{self.attempts}/{self.destination}/{self.conversation}"

    @classmethod
    def parse(cls, text: str) -> EntryId:
        """The reverse of ``str``.

        Raises:
            Malformed: if it is none.
        """
        try:
            numbers, destination, conversation = text.split("/", 2)
            sequence, attempts = numbers.split(".")
            return cls(int(sequence), int(attempts), Destination(destination), conversation)
        except ValueError as error:
            raise Malformed(f"{text!r} is no entry id") from error


def encode_payload(payload: Payload) -> str:
    """One line of JSON.

    Raises:
        Malformed: if the payload holds what JSON cannot.
    """
    return _encode(_PAYLOAD, payload)


def decode_payload(text: str) -> Payload:
    """The reverse of :func:`encode_payload`.

    Raises:
        Malformed: an unknown kind, a newer version, or no such JSON.
    """
    return _decode(_PAYLOAD, text)


def encode_reference(reference: ThreadReference) -> str:
    """One line of JSON."""
    return _encode(_REFERENCE, reference)


def decode_reference(text: str) -> ThreadReference:
    """The reverse of :func:`encode_reference`.

    Raises:
        Malformed: a newer version, or no such JSON.
    """
    return _decode(_REFERENCE, text)


def encode_activity(activity: Activity) -> str:
    """One line of JSON, the same for the same activity."""
    return _encode(_ACTIVITY, activity)


def decode_activity(text: str) -> Activity:
    """The reverse of :func:`encode_activity`.

    Raises:
        Malformed: a newer version, or no such JSON.
    """
    return _decode(_ACTIVITY, text)


def encode_post(post: KnownPost) -> str:
    """One line of JSON, the same for the same post."""
    return _encode(_POST, post)


def decode_post(text: str) -> KnownPost:
    """The reverse of :func:`encode_post`.

    Raises:
        Malformed: a newer version, or no such JSON.
    """
    return _decode(_POST, text)


def seal_payload(
    sealer: Sealer, payload: Payload, destination: str, conversation: str, item_id: str
) -> str:
    """A payload as it is kept: for this item alone, in its queue and as a dead letter."""
    return sealer.seal(encode_payload(payload), "entry", destination, conversation, item_id)


def seal_letter(sealer: Sealer, letter: DeadLetter) -> str:
    """The content of what never was in the journal."""
    return sealer.seal(letter.payload, "entry", letter.source, "", letter.letter_id)


def open_payload(
    sealer: Sealer, kept: str, destination: str, conversation: str, item_id: str
) -> str:
    """The reverse of :func:`seal_payload`, not yet decoded, and of :func:`seal_letter`.

    Raises:
        KeyMissing, Malformed: as :meth:`Sealer.open` does.
    """
    return sealer.open(kept, "entry", destination, conversation, item_id)


def seal_value(sealer: Sealer, space: Space, name: str, text: str) -> str:
    """A value as it is kept."""
    return sealer.seal(text, "value", space, name) if space in SEALED_SPACES else text


def open_value(sealer: Sealer, space: Space, name: str, kept: str) -> str:
    """The reverse of :func:`seal_value`.

    Raises:
        KeyMissing, Malformed: as :meth:`Sealer.open` does.
    """
    return sealer.open(kept, "value", space, name) if space in SEALED_SPACES else kept


def seal_post(sealer: Sealer, post: KnownPost) -> str:
    """A known post as it is kept, the same for the same post."""
    return sealer.seal(encode_post(post), "post")


def open_post(sealer: Sealer, kept: str) -> KnownPost:
    """The reverse of :func:`seal_post`.

    Raises:
        KeyMissing, Malformed: as :meth:`Sealer.open` and :func:`decode_post` do.
    """
    return decode_post(sealer.open(kept, "post"))


@dataclass(frozen=True, slots=True)
class Head:
    """An entry of a conversation as it lies in the store, its payload not yet read."""

    entry_id: EntryId
    item_id: str
    recorded_at: float
    payload: str

    @classmethod
    def parse(cls, destination: str, conversation: str, element: str) -> Head:
        """Read an element of a list; see ``make_element`` in ``scripts/common.lua``.

        Raises:
            Malformed: it is none.
        """
        found = _ELEMENT.fullmatch(element)
        if found is None:
            raise Malformed("this is no element of a queue")
        sequence, attempts, recorded_at, payload, item_id = found.groups()
        try:
            entry_id = EntryId(int(sequence), int(attempts), Destination(destination), conversation)
            return cls(entry_id, item_id, float(recorded_at), payload)
        except ValueError as error:
            raise Malformed("this is no element of a queue") from error

    def unseal(self, sealer: Sealer) -> Head:
        """The same with its payload as it was before it was sealed.

        Raises:
            KeyMissing, Malformed: as :meth:`Sealer.open` does.
        """
        place = (self.entry_id.destination, self.entry_id.conversation, self.item_id)
        return replace(self, payload=open_payload(sealer, self.payload, *place))

    def find_text(self, name: str) -> str | None:
        """A field of the payload, whether or not this release can read the whole of it."""
        try:
            found = json.loads(self.payload)["payload"][name]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if isinstance(found, str) else None

    def find_together(self) -> tuple[tuple[str, str], ...]:
        """Id and recipient of each agent's message that goes out with this one, as far as told."""
        try:
            together = json.loads(self.payload)["payload"].get("together", ())
            found = [(one["message_id"], one["recipient_did"]) for one in together]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return ()
        return tuple(one for one in found if all(isinstance(text, str) for text in one))

    def open(self) -> JournalEntry:
        """The entry as an actor gets it.

        Raises:
            Malformed: if the payload cannot be read.
        """
        return JournalEntry(
            entry_id=str(self.entry_id),
            item_id=self.item_id,
            destination=self.entry_id.destination,
            conversation=self.entry_id.conversation,
            payload=decode_payload(self.payload),
            attempts=self.entry_id.attempts,
            recorded_at=self.recorded_at,
        )


def _encode(adapter: TypeAdapter[T], value: T) -> str:
    try:
        payload = write_json(adapter.dump_python(value))
    except (TypeError, ValueError) as error:
        raise Malformed(f"this cannot be written as JSON: {error}") from error
    return f'{{"version":{PAYLOAD_VERSION},"payload":{payload}}}'


def _decode(adapter: TypeAdapter[T], text: str) -> T:
    try:
        written = read_json(text)
        version, payload = written["version"], written["payload"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("not JSON with a version and a payload") from error
    if not isinstance(version, int) or not 1 <= version <= PAYLOAD_VERSION:
        # What is no small number may be anything that somebody wrote.
        told = version if isinstance(version, int) and 0 <= version < 1000 else "of another kind"
        raise Malformed(f"version {told}: this release reads up to {PAYLOAD_VERSION}")
    try:
        return adapter.validate_python(payload)
    except ValidationError as error:
        raise Malformed(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    """Where it is wrong, without the customer's words: a key or a kind may be anybody's, too."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(_name_part(part) for part in first["loc"]) or "payload"
    said = first["msg"]
    if first["type"] == "union_tag_invalid":
        kind = _name_part(str(first["ctx"]["tag"]))
        said = f"of the kind {kind}, which this release does not know"
    return f"{where}: {said}"[:_MOST_TOLD]


def _name_part(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "…"

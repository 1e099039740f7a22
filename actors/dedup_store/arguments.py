"""How things are written as the arguments of a script, in the order in which scripts take them."""

from __future__ import annotations

from collections.abc import Iterable

from actors.dedup_store.codec import (
    EntryId,
    encode_activity,
    encode_reference,
    seal_letter,
    seal_payload,
    seal_post,
    seal_value,
)
from actors.dedup_store.keys import LONGEST_KEEP_S, value_name
from actors.dedup_store.sealing import Sealer
from actors.messages import DeadLetter, JournalItem, ThreadReference
from actors.store import Record, Settle, Value


def write_time(unix_s: float) -> str:
    """A time, to the microsecond."""
    return f"{unix_s:.6f}"


def write_place(entry_id: EntryId) -> tuple[str, str, str, str]:
    """Where a delivery lies: sequence, attempts, destination, conversation."""
    sequence, attempts = str(entry_id.sequence), str(entry_id.attempts)
    return sequence, attempts, entry_id.destination, entry_id.conversation


def write_list(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A list as the scripts take it: its length, then all fields one after the other."""
    listed = list(rows)
    return [str(len(listed)), *(field for row in listed for field in row)]


def list_items(sealer: Sealer, items: Iterable[JournalItem]) -> list[str]:
    """Each with id, destination, conversation and payload."""
    return write_list(_write_item(sealer, item) for item in items)


def list_letters(sealer: Sealer, letters: Iterable[DeadLetter]) -> list[str]:
    """Each with id, source, code, reason, content and attempts."""
    return write_list(
        (
            one.letter_id,
            one.source,
            one.code,
            one.why,
            seal_letter(sealer, one),
            str(one.attempts),
        )
        for one in letters
    )


def list_kept(sealer: Sealer, request: Record | Settle) -> list[str]:
    """What is kept with a recording or a settling: values, references, activities, posts."""
    return [
        *write_list(_write_value(sealer, one) for one in request.values),
        *list_references(request.references),
        *write_list((encode_activity(one),) for one in request.active),
        *write_list((seal_post(sealer, one),) for one in request.posts),
    ]


def list_references(references: Iterable[ThreadReference]) -> list[str]:
    """Each with its post and its content."""
    return write_list((one.post.uri, encode_reference(one)) for one in references)


def _write_item(sealer: Sealer, item: JournalItem) -> tuple[str, str, str, str]:
    place = (item.destination, item.conversation, item.item_id)
    payload = seal_payload(sealer, item.payload, *place)
    return item.item_id, item.destination, item.conversation, payload


def _write_value(sealer: Sealer, value: Value) -> tuple[str, str, str, str]:
    name = value_name(value.space, value.name)
    text = seal_value(sealer, value.space, value.name, value.text)
    return name, text, _write_life_time(value), "1" if value.earliest else "0"


def _write_life_time(value: Value) -> str:
    """In milliseconds; ``"0"`` to delete it."""
    keep_s = LONGEST_KEEP_S if value.keep_s is None else value.keep_s
    return "0" if keep_s <= 0 else str(max(1, round(keep_s * 1000)))

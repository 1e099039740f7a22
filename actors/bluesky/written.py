"""What the account wrote, remembered so that it can be taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from actors.bluesky.calls import Calls, until_answered
from actors.bluesky.records_writer import find_record
from actors.messages import PostReference, RecordPlan, RecordRemoval, RemovalPlan, ThreadReference
from actors.store import Store, Value
from actors.translation.plans import POST_COLLECTION

KEEP_S = 90 * 86400.0
MOST_ANSWERS = 20
"""Our posts further back in a conversation are not remembered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The posts that one message of an agent became, by their record keys in order."""

    message_id: str
    record_keys: tuple[str, ...]


async def read_answers(calls: Calls, store: Store, conversation: str) -> tuple[Answer, ...]:
    """Our answers in a conversation of the journal, the last one last."""
    name = f"posts:{conversation}"
    text = await until_answered(calls.context, lambda: store.read("written", name))
    return parse_answers(text or "[]")


def parse_answers(text: str) -> tuple[Answer, ...]:
    """Read what was kept of our answers; of what cannot be read there are none."""
    try:
        kept = TypeAdapter(list[tuple[str, tuple[str, ...]]]).validate_json(text)
    except ValidationError:
        return ()
    return tuple(Answer(message_id, keys) for message_id, keys in kept)


async def remember_answer(
    calls: Calls, store: Store, conversation: str, message_id: str, plan: RecordPlan
) -> tuple[Value, ...]:
    """What to keep of a plan that was carried out, at least in part, for ``!delete``."""
    keys = tuple(one.record_key for one in plan.writes if one.collection == POST_COLLECTION)
    if not keys:
        return ()
    before = await read_answers(calls, store, conversation)
    others = [answer for answer in before if answer.message_id != message_id]
    return (_make_value(conversation, (*others, Answer(message_id, keys))),)


async def forget_answer(
    calls: Calls, store: Store, conversation: str, plan: RemovalPlan
) -> tuple[Value, ...]:
    """What to keep once a plan has removed an answer."""
    gone = {one.record_key for one in plan.removals if one.collection == POST_COLLECTION}
    if not gone:
        return ()
    before = await read_answers(calls, store, conversation)
    left = tuple(answer for answer in before if not gone.issuperset(answer.record_keys))
    return (_make_value(conversation, left),)


def _make_value(conversation: str, answers: tuple[Answer, ...]) -> Value:
    kept = [[answer.message_id, answer.record_keys] for answer in answers[-MOST_ANSWERS:]]
    return Value("written", f"posts:{conversation}", json.dumps(kept), KEEP_S)


async def find_relations(
    calls: Calls, store: Store, collection: str, subject: str, shown: object
) -> tuple[RecordRemoval, ...]:
    """Our records of a collection about a subject that stand in our repository now.

    The network shows a like or its removal a little late, so what it shows is not enough.

    Args:
        subject: the uri of a post, or a DID.
        shown: the uri of the record that the network shows, if it shows one.
    """
    name = f"{collection}:{subject}"
    remembered = await until_answered(calls.context, lambda: store.read("written", name))
    uris = dict.fromkeys(uri for uri in (shown, remembered) if isinstance(uri, str))
    found = (RecordRemoval(collection, uri.rpartition("/")[2]) for uri in uris)
    return tuple(
        [one for one in found if await find_record(calls, collection, one.record_key) is not None]
    )


def remember_relations(plan: RecordPlan, written: tuple[PostReference, ...]) -> tuple[Value, ...]:
    """What to keep of the likes, reposts, follows and blocks of a plan."""
    values = []
    for write, record in zip(plan.writes, written, strict=True):
        subject = write.record.get("subject")
        if subject is not None:
            about = subject if isinstance(subject, str) else subject["uri"]
            values.append(Value("written", f"{write.collection}:{about}", record.uri, KEEP_S))
    return tuple(values)


def make_references(
    own_did: str, plan: RecordPlan, written: tuple[PostReference, ...]
) -> tuple[ThreadReference, ...]:
    """What a reply to our own posts must name: they may be answered before they are shown."""
    references: list[ThreadReference] = []
    for write, post in zip(plan.writes, written, strict=True):
        if write.collection == POST_COLLECTION:
            root = written[0]
            if named := write.record.get("reply", {}).get("root"):
                root = PostReference(named["uri"], named["cid"])
            references.append(ThreadReference(post, root, own_did))
    return tuple(references)

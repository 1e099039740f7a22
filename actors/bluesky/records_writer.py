"""Records, written so that writing them again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from actors import reasons
from actors.bluesky.calls import Calls, read_reference
from actors.bluesky.refusals import Refusal, explain_record
from actors.messages import Json, PostReference, RecordPlan, RecordWrite
from runtime.errors import Rejected, Retryable

_ESSENCE = (
    ("$type",),
    ("text",),
    ("reply", "root", "uri"),
    ("reply", "parent", "uri"),
    ("embed", "record", "uri"),
    ("subject", "uri"),
)


class BlobGone(Exception):
    """The server does not have a blob that the next record needs (any more)."""


async def write_records(calls: Calls, plan: RecordPlan) -> tuple[PostReference, ...]:
    """Carry out a plan, whether or not some of it was carried out before.

    ``com.atproto.repo.putRecord`` with ``swapRecord: null`` means "create, or tell me": the
    identical record again is answered like the first time and changes nothing. If cancelled, any
    part may have been written; calling again is harmless.

    Raises:
        BlobGone: a blob is to be uploaded again first. A server drops those that no record needs.
        Refusal: the server will never take it; the sentence says if a part is out already.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    did = await calls.did()
    written: list[PostReference] = []
    for write in plan.writes:
        record = _complete(write, written)
        try:
            written.append(await _put(calls, did, write, record))
        except Rejected as error:
            if error.code == "BlobNotFound":
                raise BlobGone(str(error)) from error
            raise explain_record(error).after(len(written), len(plan.writes)) from error
        except Refusal as refusal:
            raise refusal.after(len(written), len(plan.writes)) from refusal.__cause__
    return tuple(written)


async def find_written(calls: Calls, plan: RecordPlan) -> tuple[PostReference, ...]:
    """How much of a plan is there, from its beginning, without writing anything.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    written: list[PostReference] = []
    for write in plan.writes:
        standing = await find_record(calls, write.collection, write.record_key)
        if standing is None or not _says_the_same(standing, _complete(write, written)):
            break
        written.append(read_reference(standing))
    return tuple(written)


async def find_record(calls: Calls, collection: str, record_key: str) -> Json | None:
    """Our own record under a key (``com.atproto.repo.getRecord``); ``None`` if there is none.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    key = {"repo": await calls.did(), "collection": collection, "rkey": record_key}
    try:
        return await calls.query("com.atproto.repo.getRecord", key)
    except Rejected as error:
        if error.code != "RecordNotFound":
            raise
        return None


async def _put(calls: Calls, did: str, write: RecordWrite, record: Json) -> PostReference:
    body = {
        "repo": did,
        "collection": write.collection,
        "rkey": write.record_key,
        "record": record,
        "swapRecord": None,
    }
    try:
        return await calls.put_record(body)
    except Rejected as error:
        if error.code != "InvalidSwap":
            raise
        return await _take_as_ours(calls, write, record, error)


async def _take_as_ours(
    calls: Calls, write: RecordWrite, record: Json, error: Rejected
) -> PostReference:
    """The key is taken by a record that is not identical: the same message, planned twice?"""
    standing = await find_record(calls, write.collection, write.record_key)
    if standing is None:
        raise Retryable("a record was there and then was not") from error
    if not _says_the_same(standing, record):
        raise Refusal(reasons.TAKEN) from error
    return read_reference(standing)


def _says_the_same(standing: Json, record: Json) -> bool:
    """Times and facets may differ: a second plan is made at another moment."""
    value = standing.get("value")
    same = all(_dig(value, path) == _dig(record, path) for path in _ESSENCE)
    subject = record.get("subject")
    return same and (not isinstance(subject, str) or _dig(value, ("subject",)) == subject)


def _complete(write: RecordWrite, written: list[PostReference]) -> Json:
    if not write.reply_to_previous:
        return write.record
    reply = {**write.record["reply"], "parent": _strong_reference(written[-1])}
    if write.root_is_first:
        reply["root"] = _strong_reference(written[0])
    return {**write.record, "reply": reply}


def _strong_reference(post: PostReference) -> Json:
    return {"uri": post.uri, "cid": post.cid}


def _dig(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value

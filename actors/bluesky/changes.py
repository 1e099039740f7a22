"""Taking back, muting and hiding, each so that doing it again changes nothing."""

from __future__ import annotations

from typing import Any

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.records_writer import find_record
from actors.bluesky.refusals import Refusal, explain_record
from actors.messages import HidePlan, MutePlan, RemovalPlan
from runtime.errors import Rejected, Retryable

GATE = "app.bsky.feed.threadgate"
MOST_HIDDEN = 300
"""``app.bsky.feed.threadgate``: ``hiddenReplies``."""

SWAPS = 5
"""How often a gate may be changed by others between reading and writing it."""


async def remove_records(calls: Calls, plan: RemovalPlan) -> None:
    """Delete what the plan names. If cancelled, any of it may be gone; again is harmless.

    Raises:
        Refusal: the server will never do it; the sentence says if some of it is gone already.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    for number, removal in enumerate(plan.removals):
        try:
            await calls.delete_record(removal.collection, removal.record_key)
        except Rejected as error:
            refusal = explain_record(error)
            raise refusal.after(number, len(plan.removals), reasons.PARTLY_DELETED) from error


async def count_removed(calls: Calls, plan: RemovalPlan) -> int:
    """How many of the records are gone, looking only.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    found = [await find_record(calls, one.collection, one.record_key) for one in plan.removals]
    return found.count(None)


async def set_mute(calls: Calls, plan: MutePlan) -> None:
    """Mute or unmute somebody. If cancelled, it may have happened; again is harmless.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    verb = "muteActor" if plan.muted else "unmuteActor"
    await calls.change(f"app.bsky.graph.{verb}", {"actor": plan.did})


async def is_mute_set(calls: Calls, plan: MutePlan) -> bool:
    """Whether the account's mute of somebody is as planned, looking only.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    answer = await calls.query("app.bsky.actor.getProfiles", {"actors": [plan.did]})
    match answer.get("profiles"):
        case [{"viewer": {"muted": bool(muted)}}]:
            return muted is plan.muted
    return False


async def hide_reply(calls: Calls, plan: HidePlan) -> None:
    """Add the reply to those that the gate of its thread hides.

    The gate belongs to people too, so it is read, and replaced only if it is still what was read.
    If cancelled, it may have been written; again is harmless.

    Raises:
        Refusal: the server will never take it.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    key = plan.root_uri.rpartition("/")[2]
    for _ in range(SWAPS):
        gate, cid = await _read_gate(calls, plan, key)
        hidden = _list_hidden(gate)
        if plan.reply_uri in hidden:
            return
        if len(hidden) >= MOST_HIDDEN:
            raise Refusal(reasons.MOST_HIDDEN)
        body = {
            "repo": await calls.did(),
            "collection": GATE,
            "rkey": key,
            "record": {**gate, "hiddenReplies": [*hidden, plan.reply_uri]},
            "swapRecord": cid,
        }
        try:
            await calls.put_record(body)
        except Rejected as error:
            if error.code != "InvalidSwap":
                raise explain_record(error) from error
        else:
            return
    raise Retryable("the gate of the thread changes all the time")


async def is_hidden(calls: Calls, plan: HidePlan) -> bool:
    """Whether the gate hides the reply, looking only.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    gate, _ = await _read_gate(calls, plan, plan.root_uri.rpartition("/")[2])
    return plan.reply_uri in _list_hidden(gate)


async def _read_gate(calls: Calls, plan: HidePlan, key: str) -> tuple[dict[str, Any], str | None]:
    """The gate of the thread and its cid; one that lets everybody reply if there is none."""
    found = await find_record(calls, GATE, key)
    match found:
        case {"value": dict(gate), "cid": str(cid)}:
            return gate, cid
    return {"$type": GATE, "post": plan.root_uri, "createdAt": plan.created_at}, None


def _list_hidden(gate: dict[str, Any]) -> list[object]:
    hidden = gate.get("hiddenReplies")
    return hidden if isinstance(hidden, list) else []

"""Carrying out a plan, and finding out how much of one was carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from actors.bluesky.calls import Calls
from actors.bluesky.changes import (
    count_removed,
    hide_reply,
    is_hidden,
    is_mute_set,
    remove_records,
    set_mute,
)
from actors.bluesky.claims import Claims, remember_claims
from actors.bluesky.direct_messages import count_sent, send_parts
from actors.bluesky.records_writer import find_written, write_records
from actors.bluesky.written import (
    forget_answer,
    make_references,
    remember_answer,
    remember_relations,
)
from actors.messages import (
    DirectMessagePlan,
    HidePlan,
    MutePlan,
    Plan,
    PostReference,
    RecordPlan,
    RemovalPlan,
    ThreadReference,
)
from actors.store import Store, Value


@dataclass(frozen=True, slots=True)
class Hand:
    """What carrying out takes.

    Args:
        message_id: of the agent's message that the plan is of.
        conversation: the journal's, in which the message waits for its turn.
    """

    calls: Calls
    store: Store
    claims: Claims
    message_id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a plan is done; ``posts`` are the records that are there, if it has any."""

    done: int
    total: int
    posts: tuple[PostReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is to be kept of a plan that was carried out."""

    references: tuple[ThreadReference, ...] = ()
    values: tuple[Value, ...] = ()


async def carry_out(hand: Hand, plan: Plan, *, repeated: bool) -> tuple[PostReference, ...]:
    """Do what a plan says, whether or not some of it was done before; the records written.

    If cancelled, any of it may have happened; calling again completes it.

    Args:
        repeated: it may have been tried before.

    Raises:
        Refusal: it will never be done; the sentence says if a part is out already.
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    match plan:
        case RecordPlan():
            return await write_records(hand.calls, plan)
        case DirectMessagePlan():
            sent = await _count_sent(hand, plan) if repeated else 0
            await send_parts(hand.calls, hand.claims, plan, hand.message_id, sent)
        case RemovalPlan():
            await remove_records(hand.calls, plan)
        case MutePlan():
            await set_mute(hand.calls, plan)
        case HidePlan():
            await hide_reply(hand.calls, plan)
        case _:
            assert_never(plan)
    return ()


async def look_up(hand: Hand, plan: Plan) -> Progress:
    """How much of a plan is done, changing nothing.

    Raises:
        Refusal: direct messages may not be used at all.
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    match plan:
        case RecordPlan():
            written = await find_written(hand.calls, plan)
            return Progress(len(written), len(plan.writes), written)
        case DirectMessagePlan():
            return Progress(await _count_sent(hand, plan), len(plan.parts))
        case RemovalPlan():
            return Progress(await count_removed(hand.calls, plan), len(plan.removals))
        case MutePlan():
            return Progress(int(await is_mute_set(hand.calls, plan)), 1)
        case HidePlan():
            return Progress(int(await is_hidden(hand.calls, plan)), 1)
        case _:
            assert_never(plan)


async def remember(hand: Hand, plan: Plan, written: tuple[PostReference, ...]) -> Memory:
    """What to keep of a plan that was carried out."""
    match plan:
        case RecordPlan():
            values = await remember_answer(
                hand.calls, hand.store, hand.conversation, hand.message_id, plan
            )
            own_did = await hand.calls.did()
            references = make_references(own_did, plan, written)
            return Memory(references, (*values, *remember_relations(plan, written)))
        case DirectMessagePlan():
            return Memory(values=remember_claims(hand.claims, hand.message_id))
        case RemovalPlan():
            values = await forget_answer(hand.calls, hand.store, hand.conversation, plan)
            return Memory(values=values)
        case MutePlan() | HidePlan():
            return Memory()
        case _:
            assert_never(plan)


async def remember_remains(hand: Hand, plan: Plan | None, done: int) -> tuple[Value, ...]:
    """What to keep of a plan that was given up when ``done`` parts of it were out."""
    match plan:
        case RecordPlan() if done > 0:
            return await remember_answer(
                hand.calls, hand.store, hand.conversation, hand.message_id, plan
            )
        case DirectMessagePlan():
            return remember_claims(hand.claims, hand.message_id)
    return ()


async def _count_sent(hand: Hand, plan: DirectMessagePlan) -> int:
    return await count_sent(hand.calls, hand.store, hand.claims, plan, hand.message_id)

"""The steps of a message on its way, told as they happen: for measuring and watching.

DedupStore tells them, because every message passes through its hands. A step says which message
and when, and never what is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from actors.items import make_agent_id
from actors.messages import (
    AgentMessage,
    Destination,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    JournalItem,
    Payload,
    ReactionCounts,
    Receipt,
    ResolveContact,
)
from actors.translation.times import find_time

StepName: TypeAlias = Literal["recorded", "delivered", "retried", "done", "refused"]
"""In the journal; with its actor; not yet, it comes again; took effect; became a dead letter."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to one item of the journal. Times are unix seconds.

    ``message`` is the id that follows a message through all actors: the item id of what caused
    this item. A receipt and a contact have that of the message that they are about.

    ``kind`` is that of the payload. ``written_at`` is the author's or the agent's own time, if the
    payload has one that says how long the message takes: what is taken in only to show what another
    post answers is as old as it is. ``attempts`` counts the retries before. ``code`` and ``why``
    are the reason of a refusal; a retry has only ``why``. Neither holds a message's text.
    """

    name: StepName
    message: str
    item_id: str
    kind: str
    destination: Destination
    conversation: str
    at: float
    recorded_at: float
    written_at: float | None
    attempts: int
    code: str | None = None
    why: str | None = None


StepListener: TypeAlias = Callable[[Step], None]
"""Hears of each step. It must be quick, must not wait and must not raise."""


def tell_all(*listeners: StepListener) -> StepListener:
    """One listener for several, told in this order."""

    def tell(step: Step) -> None:
        for listener in listeners:
            listener(step)

    return tell


def tell_nobody(step: Step) -> None:
    """For who does not want to know."""


def find_message(item_id: str) -> str:
    """The id of the message that an item belongs to: see :class:`Step`."""
    if item_id.startswith("receipt:"):
        return make_agent_id(item_id.removeprefix("receipt:"))
    return item_id.removeprefix("contact:")


def describe(
    item: JournalItem | JournalEntry,
    name: StepName,
    *,
    at: float,
    recorded_at: float,
    attempts: int = 0,
) -> Step:
    """The step ``name`` of an item."""
    return Step(
        name=name,
        message=find_message(item.item_id),
        item_id=item.item_id,
        kind=item.payload.kind,
        destination=item.destination,
        conversation=item.conversation,
        at=at,
        recorded_at=recorded_at,
        written_at=_find_written(item.payload),
        attempts=attempts,
    )


def _find_written(payload: Payload) -> float | None:
    match payload:
        case InboundPost():
            return None if payload.reason == "context" else find_time(payload.created_at)
        case InboundDirectMessage() | AgentMessage():
            return find_time(payload.sent_at)
        case ReactionCounts() | Receipt() | ResolveContact():
            return None
        case _:
            assert_never(payload)

"""What steps say of a message: which way it goes, and how long it is with an actor."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal, TypeAlias

from actors.steps import Step

Direction: TypeAlias = Literal["inbound", "outbound", "unknown"]

_DIRECTIONS: dict[str, Direction] = {
    "inbound_post": "inbound",
    "inbound_direct_message": "inbound",
    "reactions": "inbound",
    "resolve_contact": "inbound",
    "agent_message": "outbound",
    "receipt": "outbound",
}


def find_kind(step: Step) -> str:
    """The kind of a payload that this release knows, or ``unknown``."""
    return step.kind if step.kind in _DIRECTIONS else "unknown"


def find_direction(step: Step) -> Direction:
    """Whom the message is for: a receipt is part of an agent's message."""
    return _DIRECTIONS.get(step.kind, "unknown")


class Deliveries:
    """When the items that are with their actors were handed to them.

    An item whose delivery is closed by another process is never asked for again: so the oldest is
    forgotten when there are more than ``capacity``.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._began: OrderedDict[str, float] = OrderedDict()

    def begin(self, step: Step) -> None:
        """The item was handed over."""
        self._began[step.item_id] = step.at
        self._began.move_to_end(step.item_id)
        while len(self._began) > self._capacity:
            self._began.popitem(last=False)

    def end(self, step: Step) -> float | None:
        """When the delivery that this step closes began, in unix seconds, if it is known."""
        return self._began.pop(step.item_id, None)

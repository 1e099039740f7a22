"""What is looked at, and how it was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from runtime.errors import Fault

Status: TypeAlias = Literal["ok", "warning", "failed", "not_tried"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found. With a ``remedy`` it works, but not as it should: a warning."""

    text: str
    remedy: str | None = None


Probe: TypeAlias = Callable[[], Awaitable[Finding]]
"""Looks at one thing; raises :class:`runtime.errors.Fault` if that is not as it must be."""


class NotAsItShouldBe(Fault):
    """It can be reached, but is not as the connector needs it; ``action`` says how to mend it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at.

    Args:
        key: its name in the JSON document; never renamed.
        name: as shown.
        probe: looks.
        remedy: said when the fault itself names no action.
        needs: the key of the item without which looking makes no sense.
    """

    key: str
    name: str
    probe: Probe
    remedy: str = "Try again in a while."
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How one item was found. ``remedy`` is set for a warning and for what has failed."""

    key: str
    name: str
    status: Status
    found: str
    remedy: str | None = None


async def look_at(item: Item, before: dict[str, Result]) -> Result:
    """Look at one item, in the light of those ``before`` it."""
    needed = before.get(item.needs or "")
    if needed is not None and needed.status in ("failed", "not_tried"):
        return Result(item.key, item.name, "not_tried", f"not tried, because of: {needed.name}")
    try:
        finding = await item.probe()
    except Fault as fault:
        return Result(item.key, item.name, "failed", str(fault), fault.action or item.remedy)
    status: Status = "ok" if finding.remedy is None else "warning"
    return Result(item.key, item.name, status, finding.text, finding.remedy)

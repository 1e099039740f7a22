"""From the figures of some pairs to a table of medians and ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from bench.cases import Figures

Read: TypeAlias = Callable[[Figures], float]
Pair: TypeAlias = tuple[Figures, Figures]
"""The connector's figures, and those of the bare loop that ran right after it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        name: what is measured, with its unit.
        read: takes it from the figures.
        digits: after the point.
    """

    name: str
    read: Read
    digits: int = 0


HEAD = ("| | connector | bare loop | ratio |", "|---|---|---|---|")


def make_rows(pairs: Sequence[Pair], rows: Sequence[Row]) -> list[str]:
    """The lines: the median of each side, and the median of the pairs' ratios."""
    return [_make_row(pairs, row) for row in rows]


def _make_row(pairs: Sequence[Pair], row: Row) -> str:
    ours = [row.read(connector) for connector, _ in pairs]
    theirs = [row.read(bare) for _, bare in pairs]
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    shown = (f"{median(values):.{row.digits}f}" for values in (ours, theirs))
    return f"| {row.name} | {' | '.join(shown)} | {ratio:.2f} |"

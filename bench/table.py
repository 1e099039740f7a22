"""From the figures of some pairs to a table of medians and ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from bench.figures import Figures

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


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was measured by itself, with its unit in its name."""

    name: str
    value: float
    digits: int = 0


FACTS_HEAD = ("| the connector by itself | |", "|---|---|")
HEAD = ("| | connector | bare loop | ratio |", "|---|---|---|---|")


def make_rows(pairs: Sequence[Pair], rows: Sequence[Row]) -> list[str]:
    """The lines: the median of each side, and the median of the pairs' ratios."""
    return [_make_row(pairs, row) for row in rows]


def make_fact_lines(facts: Sequence[Sequence[Fact]]) -> list[str]:
    """The lines of what was measured: the medians of several measurements of the same facts."""
    return [
        f"| {same[0].name} | {median(one.value for one in same):.{same[0].digits}f} |"
        for same in zip(*facts, strict=True)
    ]


def _make_row(pairs: Sequence[Pair], row: Row) -> str:
    ours = [row.read(connector) for connector, _ in pairs]
    theirs = [row.read(bare) for _, bare in pairs]
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    shown = (f"{median(values):.{row.digits}f}" for values in (ours, theirs))
    return f"| {row.name} | {' | '.join(shown)} | {ratio:.2f} |"

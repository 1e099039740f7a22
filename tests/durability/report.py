"""The table: one line for each trial."""

from __future__ import annotations

from dataclasses import dataclass

from tests.durability.audit import Findings
from tests.durability.trial import Trial

_COLUMNS = (
    ("trial", 32),
    ("in", 7),
    ("out", 7),
    ("faults", 7),
    ("lost", 5),
    ("doubled", 8),
    ("disordered", 11),
    ("stray", 6),
    ("no receipt", 11),
    ("two receipts", 13),
    ("crashes", 8),
    ("given up", 9),
    ("repeats", 8),
    ("MB", 5),
    ("s", 5),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What one trial came to, in numbers and in words.

    ``problems`` are all that must not be; ``notes`` are what was measured; ``given_up`` is what
    Genesys gave up, with its attempts.
    """

    name: str
    cells: tuple[int, ...]
    problems: tuple[str, ...]
    given_up: tuple[str, ...]
    notes: tuple[str, ...]


def make_row(name: str, trial: Trial, findings: Findings, seconds: float) -> Row:
    """Count."""
    ledger = trial.load.ledger
    cells = (
        len(ledger.said),
        len(ledger.answered),
        trial.faults,
        len(findings.lost),
        len(findings.doubled),
        len(findings.disordered),
        len(findings.stray),
        len(findings.receipts_missing),
        len(findings.receipts_doubled),
        trial.crashes,
        len(findings.given_up),
        findings.repeats,
        round(max(one.peak_mb for one in trial.connectors)),
        round(seconds),
    )
    problems = (*findings.wrongs, *trial.defects)
    return Row(name, cells, problems, tuple(findings.given_up), tuple(trial.notes))


def make_head() -> str:
    """The first line."""
    return _join([title for title, _ in _COLUMNS])


def make_line(row: Row) -> str:
    """One line of it."""
    return _join([row.name, *map(str, row.cells)])


def _join(texts: list[str]) -> str:
    first, *rest = (
        text.ljust(width) if number == 0 else text.rjust(width)
        for number, (text, (_, width)) in enumerate(zip(texts, _COLUMNS, strict=True))
    )
    return "".join([first, *rest])

"""What a run showed, and whether it may be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.content import AgentAnswer, Mention
from bench.load import Load
from bench.processes import BenchError, Subject


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of one case showed.

    ``cpu_ms`` is what a message costs of the processor, that of redis-server included.
    """

    per_s: float
    cpu_ms: float
    peak_mb: float
    redis_peak_mb: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    slowest_ms: float = 0.0


def make_figures(
    subject: Subject, before_s: float, elapsed_s: float, count: int, load: Load | None = None
) -> Figures:
    """The figures of a process that has carried ``count`` messages.

    Args:
        before_s: the processor time that it had taken before.
        elapsed_s: how long it took.
        load: how long the webhooks had to wait, if there were any.
    """
    return Figures(
        per_s=count / elapsed_s,
        cpu_ms=(subject.cpu_s() - before_s) / count * 1000,
        peak_mb=subject.peak_mb(),
        redis_peak_mb=subject.redis_peak_mb(),
        p50_ms=load.percentile_ms(50) if load else 0.0,
        p99_ms=load.percentile_ms(99) if load else 0.0,
    )


def check_mentions(report: Mapping[str, Any], count: int) -> None:
    """All mentions were ingested, each once."""
    check_once(report, "ingested", [Mention(number, "").text for number in range(count)])


def check_contacts(report: Mapping[str, Any], count: int) -> None:
    """All their authors are contacts, each written once."""
    check_once(report, "contacts", [Mention(number, "").did for number in range(count)])


def check_answers(report: Mapping[str, Any], count: int) -> None:
    """All answers were posted, and all receipts sent, each once."""
    answers = [AgentAnswer(number) for number in range(count)]
    check_once(report, "written", [answer.text for answer in answers])
    check_once(report, "receipts", [f"{answer.message_id} Delivered" for answer in answers])


def check_once(report: Mapping[str, Any], name: str, expected: Sequence[str]) -> None:
    """Exactly these came, each once, and nothing was asked that the stand-ins do not know."""
    came: dict[str, int] = report[name]
    wrong = {text: count for text, count in came.items() if count != 1}
    wrong |= {text: came.get(text, 0) for text in came.keys() ^ set(expected)}
    if wrong or report["unknown"]:
        some = dict(list(wrong.items())[:5])
        raise BenchError(f"{name}: not once each: {some}; unknown calls: {report['unknown'][:5]}")

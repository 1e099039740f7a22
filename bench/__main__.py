"""``python -m bench``: measure, print the tables, and put them into ``bench/README.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
import trio

from bench.cases import CASES, INQUIRIES, Case, Inquiry, Limit, Run
from bench.figures import Figures
from bench.processes import BenchError, has_proc
from bench.table import FACTS_HEAD, HEAD, Fact, Pair, make_fact_lines, make_rows

ROUNDS = 3
WITHIN_S = 840.0
"""Nothing is begun later, and no round that would probably end later."""

PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="How often each case is run.")
@click.option("--quick", is_flag=True, help="One round, and bench/README.md stays as it is.")
@click.option(
    "--only",
    multiple=True,
    metavar="WORD",
    help="Only what has this in its name; may be repeated. bench/README.md stays as it is.",
)
@click.option("--list", "listing", is_flag=True, help="Show the names, and measure nothing.")
def main(*, rounds: int, quick: bool, only: tuple[str, ...], listing: bool) -> None:
    """Measure the connector, most of it beside bare loops that make the same HTTP calls."""
    plan = Plan(
        tuple(one for one in CASES if _is_wanted(one.name, only)),
        tuple(one for one in INQUIRIES if _is_wanted(one.name, only)),
    )
    if listing:
        names = [one.name for one in plan.cases] + [one.name for one in plan.inquiries]
        click.echo("\n".join(names))
        return
    if not has_proc():
        raise click.ClickException("memory and processor time are read from /proc: this is Linux")
    machine = _describe_machine()
    click.echo(machine)
    try:
        results = trio.run(_measure, plan, 1 if quick else rounds)
    except* BenchError as errors:
        raise click.ClickException("\n".join(map(str, errors.exceptions))) from errors
    rounds_made = "One round." if results.rounds == 1 else f"Medians of {results.rounds} rounds."
    lines = [f"{machine} {rounds_made}", "", *results.make_lines()]
    click.echo("\n" + "\n".join(lines))
    if not quick and not only:
        _write(lines)


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(word in name for word in only)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    cases: tuple[Case, ...]
    inquiries: tuple[Inquiry, ...]


@dataclass(slots=True)
class Results:
    """What was measured, in how many rounds."""

    rounds: int = 0
    pairs: dict[Limit, list[Pair]] = field(default_factory=dict)
    facts: dict[str, list[list[Fact]]] = field(default_factory=dict)

    def make_lines(self) -> list[str]:
        """Both tables; a table without lines is left out."""
        rows = [
            line for limit, pairs in self.pairs.items() for line in make_rows(pairs, limit.rows)
        ]
        facts = [line for one in self.facts.values() for line in make_fact_lines(one)]
        between = [""] if rows and facts else []
        return [*(HEAD if rows else ()), *rows, *between, *(FACTS_HEAD if facts else ()), *facts]


async def _measure(plan: Plan, most: int) -> Results:
    """Measure all once, and most of it again and again, as time permits."""
    results = Results()
    ends_at = trio.current_time() + WITHIN_S
    while results.rounds < most:
        began_at = trio.current_time()
        click.echo(f"\nround {results.rounds + 1} of {most}")
        for case in plan.cases:
            if _is_in_time(case.name, ends_at):
                await _run_case(case, results)
        await _ask_all((one for one in plan.inquiries if one.often), results, ends_at)
        again_s = trio.current_time() - began_at
        if results.rounds == 0:
            await _ask_all((one for one in plan.inquiries if not one.often), results, ends_at)
        results.rounds += 1
        if trio.current_time() + again_s > ends_at:
            break
    return results


def _is_in_time(name: str, ends_at: float) -> bool:
    in_time = trio.current_time() < ends_at
    if not in_time:
        click.echo(f"{name}: left out, the time is up")
    return in_time


async def _run_case(case: Case, results: Results) -> None:
    click.echo(case.name)
    ours = await _run("connector", case.run)
    for limit in case.limits:
        theirs = await _run("bare loop", limit.run)
        results.pairs.setdefault(limit, []).append((ours, theirs))


async def _ask_all(inquiries: Iterable[Inquiry], results: Results, ends_at: float) -> None:
    for inquiry in inquiries:
        if not _is_in_time(inquiry.name, ends_at):
            continue
        click.echo(inquiry.name)
        facts = await inquiry.run()
        for fact in facts:
            click.echo(f"  {fact.name}: {fact.value:.{fact.digits}f}")
        results.facts.setdefault(inquiry.name, []).append(facts)


async def _run(who: str, run: Run) -> Figures:
    figures = await run()
    parts = [f"{figures.per_s:.0f}/s", f"{figures.cpu_ms:.2f} ms of processor"]
    if figures.p99_ms:
        parts.append(f"p50 {figures.p50_ms:.1f} ms, p99 {figures.p99_ms:.1f} ms")
    click.echo(f"  {who}: {', '.join(parts)}, {figures.peak_mb:.0f} MB")
    return figures


def _describe_machine() -> str:
    """What the figures are of. A load above the number of cores means that others are at work."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores shared with others "
        f"(load {load:.1f} at the start)."
    )


def _write(lines: Sequence[str]) -> None:
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}{text}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()

"""``python -m bench``: measure, print the table, and put it into ``bench/README.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import click
import trio

from bench import cases
from bench.cases import Figures
from bench.processes import BenchError, has_proc
from bench.staging import CONNECTIONS
from bench.table import HEAD, Pair, Row, make_rows

ROUNDS = 3
WITHIN_S = 240.0
"""No round is begun that would probably end later; the first one is."""

PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"

Run: TypeAlias = Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A bare loop that a case is held against, and what is shown of both."""

    run: Run
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What the connector does, and the bare loops that run right after it."""

    name: str
    run: Run
    limits: tuple[Limit, ...]


def _per_s(figures: Figures) -> float:
    return figures.per_s


def _slowest_ms(figures: Figures) -> float:
    return figures.slowest_ms


CASES = (
    Case(
        f"translation: {cases.POSTS} mixed posts",
        cases.run_translating_connector,
        (
            Limit(
                cases.run_translating_bare,
                (
                    Row("**translation**, posts a second of processor time", _per_s),
                    Row("translation, slowest single post, processor ms", _slowest_ms, 2),
                    Row("translation, peak memory, MB", lambda one: one.peak_mb),
                ),
            ),
        ),
    ),
    Case(
        f"inbound: {cases.MENTIONS} mentions wait",
        cases.run_inbound_connector,
        (
            Limit(
                cases.run_inbound_bare,
                (
                    Row("**inbound**, messages a second", _per_s),
                    Row("inbound, processor ms a message", lambda one: one.cpu_ms, 2),
                    Row("inbound, peak memory, MB", lambda one: one.peak_mb),
                ),
            ),
        ),
    ),
    Case(
        f"outbound: {cases.ANSWERS} webhooks over {CONNECTIONS} connections",
        cases.run_outbound_connector,
        (
            Limit(
                cases.run_outbound_relay,
                (
                    Row("**outbound**, messages a second, webhook to receipt", _per_s),
                    Row("outbound, processor ms a message", lambda one: one.cpu_ms, 2),
                    Row("outbound, peak memory, MB", lambda one: one.peak_mb),
                    Row("outbound, webhook p50 meanwhile, ms", lambda one: one.p50_ms, 1),
                    Row("outbound, webhook p99 meanwhile, ms", lambda one: one.p99_ms, 1),
                ),
            ),
            Limit(
                cases.run_outbound_writes,
                (Row("outbound, beside a loop of only the two calls that write", _per_s),),
            ),
        ),
    ),
    Case(
        f"webhooks alone: {cases.ANSWERS} over {CONNECTIONS} connections",
        cases.run_webhooks_connector,
        (
            Limit(
                cases.run_webhooks_bare,
                (
                    Row("**webhooks alone**, durable 200s a second", _per_s),
                    Row("webhooks alone, processor ms a webhook", lambda one: one.cpu_ms, 2),
                    Row("webhooks alone, p50, ms", lambda one: one.p50_ms, 1),
                    Row("webhooks alone, p99, ms", lambda one: one.p99_ms, 1),
                ),
            ),
        ),
    ),
)


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="How often each case is run.")
@click.option("--quick", is_flag=True, help="One round, and bench/README.md stays as it is.")
def main(*, rounds: int, quick: bool) -> None:
    """Measure the connector beside bare loops that make the same HTTP calls."""
    if not has_proc():
        raise click.ClickException("memory and processor time are read from /proc: this is Linux")
    machine = _describe_machine()
    click.echo(machine)
    try:
        results = trio.run(_measure, 1 if quick else rounds)
    except* BenchError as errors:
        raise click.ClickException("\n".join(map(str, errors.exceptions))) from errors
    lines = [f"{machine} Medians of {results.rounds} rounds.", "", *HEAD, *results.lines]
    click.echo("\n" + "\n".join(lines))
    if not quick:
        _write(lines)


@dataclass(frozen=True, slots=True)
class Results:
    """The lines of the table, and of how many rounds they are the medians."""

    rounds: int
    lines: list[str]


async def _measure(most: int) -> Results:
    """Run the cases one after the other, and that again and again, as time permits."""
    found: dict[Limit, list[Pair]] = {limit: [] for case in CASES for limit in case.limits}
    began_at = trio.current_time()
    rounds = 0
    while rounds < most:
        for case in CASES:
            click.echo(f"\n{case.name} ({rounds + 1} of {most})")
            ours = await _run("connector", case.run)
            for limit in case.limits:
                found[limit].append((ours, await _run("bare loop", limit.run)))
        rounds += 1
        elapsed_s = trio.current_time() - began_at
        if elapsed_s * (rounds + 1) / rounds > WITHIN_S:
            break
    lines = [line for limit, pairs in found.items() for line in make_rows(pairs, limit.rows)]
    redis_mb = max(ours.redis_peak_mb for pairs in found.values() for ours, _ in pairs)
    return Results(rounds, [*lines, f"| redis-server, peak memory, MB | {redis_mb:.0f} | | |"])


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

"""``scripts/durability``: all trials one after the other, and the table."""

from __future__ import annotations

import itertools
import secrets
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
import trio

from tests.durability import pairs, scenarios
from tests.durability.report import Row, make_head, make_line
from tests.durability.runner import run_trial
from tests.durability.store import MISHAPS, has_server
from tests.durability.trial import Trial

SHARE_LOST = 0.2
PAIRS = 3
SHOWN = 20

Plan: TypeAlias = dict[str, Callable[[str, Path | None], Awaitable[Row]]]


@click.command()
@click.option("--kills", default=10, show_default=True, help="How often to kill -9.")
@click.option("--stops", default=4, show_default=True, help="How often to SIGTERM.")
@click.option(
    "--outage", default=30.0, show_default=True, help="How long an outage is, in seconds."
)
@click.option("--messages", default=500, show_default=True, help="Under lost answers.")
@click.option("--backlog", default=500, show_default=True, help="Acts before the first start.")
@click.option("--weather", default=15.0, show_default=True, help="Seconds of mixed faults.")
@click.option("--seed", default=None, help="Repeat what a run with this seed drew.")
@click.option("--only", multiple=True, help="Only trials whose name begins so.")
@click.option("--verbose", is_flag=True, help="Show the attempts that Genesys gave up after.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the logs in this folder.")
def main(
    *,
    kills: int,
    stops: int,
    outage: float,
    messages: int,
    backlog: int,
    weather: float,
    seed: str | None,
    only: tuple[str, ...],
    verbose: bool,
    keep: Path | None,
) -> None:
    """Hurt the connector in every way there is, and count what went wrong."""
    if not has_server():
        sys.exit("There is no redis-server on the PATH: apt-get install redis-server")
    seed = seed or secrets.token_hex(4)
    plan = _make_plan(kills, stops, outage, messages, backlog, weather)
    chosen = {name: run for name, run in plan.items() if not only or name.startswith(only)}
    click.echo(f"seed {seed}\n\n{make_head()}")
    rows = trio.run(_run_all, chosen, seed, keep)
    problems = [(row.name, what) for row in rows for what in row.problems]
    for name, what in problems[:SHOWN]:
        click.echo(f"{name}: {what}", err=True)
    for row in rows if verbose else ():
        for what in row.given_up:
            click.echo(f"{row.name}: given up: {what}", err=True)
    click.echo(f"\n{len(rows)} trials, {len(problems)} problems; again with --seed {seed}")
    sys.exit(1 if problems else 0)


def _make_plan(
    kills: int, stops: int, outage: float, messages: int, backlog: int, weather: float
) -> Plan:
    plan: Plan = {}

    def add(
        name: str,
        scenario: Callable[[Trial], Awaitable[None]],
        *,
        separate_store: bool = False,
        most: int | None = None,
        quick: bool = True,
    ) -> None:
        plan[name] = partial(
            run_trial, name, scenario, separate_store=separate_store, most=most, quick=quick
        )

    add(f"kill -9, {kills} times", partial(scenarios.kill, kills=kills))
    add(f"SIGTERM, {stops} times", partial(scenarios.stop, stops=stops))
    for size in (1, 2):
        for sides in itertools.combinations(scenarios.SIDES, size):
            name = f"{' and '.join(sides)} away"
            add(
                name,
                partial(scenarios.cut_off, sides=sides, seconds=outage),
                separate_store="Redis" in sides,
            )
    for mishap in MISHAPS:
        add(
            f"Redis {mishap}",
            partial(scenarios.spoil_store, mishap=mishap, seconds=outage),
            separate_store=True,
        )
    add(
        "started without Redis",
        partial(scenarios.start_without_store, seconds=outage),
        separate_store=True,
    )
    for name, pair in (
        ("leader killed", pairs.kill_leader),
        ("rolling deploy", pairs.deploy),
        ("leader paused", pairs.pause_leader),
    ):
        add(f"{name}, {PAIRS} times", partial(pair, times=PAIRS), separate_store=True)
    add("idle", scenarios.be_idle, quick=False)
    add("backlog", partial(scenarios.catch_up, acts=backlog, seconds=outage))
    add("1 in 5 answers lost", partial(scenarios.lose_answers, share=SHARE_LOST), most=messages)
    add("mixed faults", partial(scenarios.spoil, seconds=weather))
    return plan


async def _run_all(plan: Plan, seed: str, keep: Path | None) -> list[Row]:
    rows = []
    for run in plan.values():
        row = await run(seed, keep)
        click.echo(make_line(row))
        for note in row.notes:
            click.echo(f"    {note}")
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()

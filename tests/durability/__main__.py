"""``scripts/durability``: all trials one after the other, and the table."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click
import trio

from tests.durability.plan import Plan, Size, make_plan
from tests.durability.report import Row, make_head, make_line
from tests.durability.store import has_server

SHOWN = 20


@click.command()
@click.option("--kills", default=10, show_default=True, help="How often to kill -9.")
@click.option("--turns", default=3, show_default=True, help="How often to fell the leader of two.")
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
    turns: int,
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
    plan = make_plan(Size(kills, turns, stops, outage, messages, backlog, weather))
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

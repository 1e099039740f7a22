"""``scripts/attack``: 10,000 hostile webhooks during normal load, and the table."""

from __future__ import annotations

import secrets
import sys

import click
import trio

from tests.hostile.siege import MOST_MORE_MB, MOST_TIMES, Outcome, Size, find_p99, lay_siege

USUAL = Size()


@click.command()
@click.option("--count", default=USUAL.count, show_default=True, help="Hostile webhooks.")
@click.option("--rate", default=USUAL.rate, show_default=True, help="Of them in a second.")
@click.option("--alone", default=USUAL.alone_s, show_default=True, help="Seconds without them.")
@click.option("--rounds", default=USUAL.rounds, show_default=True, help="In how many turns.")
@click.option(
    "--addresses",
    default=0,
    show_default=True,
    help="Callers that a trusted proxy names; 0: there is no proxy.",
)
@click.option("--seed", default=None, help="Repeat what a run with this seed drew.")
def main(
    *, count: int, rate: float, alone: float, rounds: int, addresses: int, seed: str | None
) -> None:
    """Attack the connector while customers and agents go on, and count what came of it."""
    seed = seed or secrets.token_hex(4)
    outcome = trio.run(lay_siege, Size(count, rate, alone, rounds, addresses), seed)
    _show(outcome)
    problems = _judge(outcome)
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"\n{len(problems)} problems; again with --seed {seed}")
    sys.exit(1 if problems else 0)


def _show(outcome: Outcome) -> None:
    click.echo(f"{'hostile webhooks':<18}{'sent':>7}  how they ended")
    for kind, ways in outcome.ended.items():
        told = ", ".join(f"{way} {count}" for way, count in sorted(ways.items()))
        click.echo(f"{kind:<18}{sum(ways.values()):>7}  {told}")
    click.echo(f"{'all':<18}{outcome.count:>7}")
    click.echo("\nnormal webhooks     number   median      p99      max   processor")
    for name, turns in (("alone", outcome.alone), ("attacked", outcome.attacked)):
        times = turns.times_ms
        middle = sorted(times)[len(times) // 2]
        click.echo(
            f"{name:<18}{len(times):>8}{middle:>6.1f} ms{find_p99(times):>6.1f} ms"
            f"{max(times):>6.1f} ms{turns.share:>10.0%}"
        )
    click.echo(f"\np99 {_compare(outcome):.2f} times")
    rate = outcome.count / outcome.attacked.seconds
    click.echo(f"{rate:.0f} hostile in a second, {outcome.cost_ms:.1f} ms of processor for each")
    click.echo(f"memory {outcome.more_mb:+.1f} MB")
    click.echo(f"effects of the hostile: {len(outcome.problems)}")
    counted = ", ".join(f"{reason} {count}" for reason, count in sorted(outcome.refused.items()))
    click.echo(f"counted in /health: {counted}")


def _compare(outcome: Outcome) -> float:
    """The p99 of normal webhooks under attack, as so many times that without."""
    return find_p99(outcome.attacked.times_ms) / find_p99(outcome.alone.times_ms)


def _judge(outcome: Outcome) -> list[str]:
    times = _compare(outcome)
    problems = list(outcome.problems)
    if times > MOST_TIMES:
        problems.append(f"p99 of normal webhooks was {times:.2f} times that without attack")
    if outcome.more_mb > MOST_MORE_MB:
        problems.append(f"memory grew by {outcome.more_mb:.0f} MB")
    return problems


if __name__ == "__main__":
    main()

"""``scripts/soak``: a steady load for a long time. Does memory stay, and is everything right?"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import trio

from tests.durability.process import ConnectorProcess
from tests.durability.report import make_head, make_line
from tests.durability.runner import run_trial
from tests.durability.store import has_server
from tests.durability.trial import Trial

MOST_MB_PER_10_MIN = 1.0
LOOK_EVERY_S = 5.0
WARM_UP_S = 900.0
"""Until then the connector fills what it remembers of messages and posts."""
TOLD_EVERY_S = 300.0

PUBLIC_PER_S = 0.3
"""Bluesky lets an account write 2,500 records an hour: all other answers are direct messages."""
CUSTOMERS = 60
"""More of them, since what is written to each is sent one after the other."""

Sample = tuple[float, float]
"""Seconds since the beginning, and the memory in MB."""

PACE = {
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "1",
    "POLLING_TIME_SOCIAL_LISTENING": "1",
    "POLLING_TIME_DM": "1",
    "BLUESKY_SENDER_CONCURRENCY": "8",
}


async def carry_steadily(trial: Trial, seconds: float, rate: float) -> None:
    """Customers and agents write all the time, each ``rate`` messages a second.

    More memory than is allowed in ten minutes is a defect, as soon as there is enough to judge by.
    """
    load = trial.load
    load.each_way = rate
    load.public_share = min(1.0, PUBLIC_PER_S / rate)
    load.add_customers(CUSTOMERS)
    await trial.start()
    async with trial.under_load():
        samples = await _watch(trial.connector, seconds)
    said, answered = len(load.ledger.said), len(load.ledger.answered)
    trial.notes.append(f"{said / seconds:.1f} messages a second in, {answered / seconds:.1f} out")
    warm = [one for one in samples if one[0] >= min(WARM_UP_S, seconds / 2)]
    slope = find_slope(warm)
    trial.notes.append(
        f"{samples[0][1]:.1f} MB at first, {warm[0][1]:.1f} MB after {warm[0][0]:.0f} s,"
        f" {samples[-1][1]:.1f} MB at last: {slope:+.2f} MB in 10 min"
    )
    told = (f"{mb:.1f}" for at, mb in samples if at % TOLD_EVERY_S < LOOK_EVERY_S)
    trial.notes.append(f"MB every {TOLD_EVERY_S:.0f} s: {', '.join(told)}")
    if seconds >= 2 * WARM_UP_S and slope > MOST_MB_PER_10_MIN:
        trial.defects.append(f"memory grows by {slope:.2f} MB in 10 min")


def find_slope(samples: Sequence[Sample]) -> float:
    """By how many MB the memory grows in 10 minutes, by least squares."""
    middle_s = sum(at for at, _ in samples) / len(samples)
    middle_mb = sum(mb for _, mb in samples) / len(samples)
    spread = sum((at - middle_s) ** 2 for at, _ in samples)
    grown = sum((at - middle_s) * (mb - middle_mb) for at, mb in samples)
    return 600 * grown / spread if spread else 0.0


async def _watch(connector: ConnectorProcess, seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    began_at = trio.current_time()
    while not samples or samples[-1][0] < seconds:
        await trio.sleep(min(LOOK_EVERY_S, seconds / 4))
        samples.append((trio.current_time() - began_at, connector.read_memory_mb()))
    return samples


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long people write.")
@click.option("--rate", default=20.0, show_default=True, help="Messages a second, each way.")
@click.option("--seed", default=None, help="Repeat what a run with this seed drew.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the logs in this folder.")
def main(*, minutes: float, rate: float, seed: str | None, keep: Path | None) -> None:
    """Carry a steady load, and count what went wrong."""
    if not has_server():
        sys.exit("There is no redis-server on the PATH: apt-get install redis-server")
    seed = seed or secrets.token_hex(4)
    click.echo(f"seed {seed}\n\n{make_head()}")
    scenario = partial(carry_steadily, seconds=60 * minutes, rate=rate)
    name = f"soak of {minutes:g} min"
    row = trio.run(partial(run_trial, name, scenario, seed, keep, variables=PACE))
    click.echo(make_line(row))
    for line in (*row.notes, *row.problems[:20]):
        click.echo(f"    {line}")
    sys.exit(1 if row.problems else 0)


if __name__ == "__main__":
    main()

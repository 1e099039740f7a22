"""``scripts/fuzz``: each target for so many seconds, and the table."""

from __future__ import annotations

import json
import sys
import time

import click
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Arguments, Target
from tests.fuzz.targets import TARGETS

BATCH = 500


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="For each target.")
@click.option("--only", multiple=True, type=click.Choice(list(TARGETS)), help="Only these.")
def main(*, minutes: float, only: tuple[str, ...]) -> None:
    """Make up inputs, and show the smallest that breaks a promise, as a line for the corpus."""
    click.echo(f"{'target':<14}{'inputs':>9}{'seconds':>9}{'crashes':>9}")
    failures = 0
    for name in only or TARGETS:
        began = time.monotonic()
        count, found = _fuzz(TARGETS[name], 60.0 * minutes)
        failures += found is not None
        seconds = time.monotonic() - began
        click.echo(f"{name:<14}{count:>9}{seconds:>9.0f}{int(found is not None):>9}")
        if found is not None:
            line = json.dumps([piece.decode("latin-1") for piece in found])
            click.echo(f"    corpus/{name}.jsonl: {line}")
    sys.exit(1 if failures else 0)


def _fuzz(target: Target, seconds: float) -> tuple[int, Arguments | None]:
    """How many inputs were tried, and the smallest that failed."""
    count = 0
    last: Arguments = ()

    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        nonlocal count, last
        last = data.draw(target.inputs)
        count += 1
        target.check(last)

    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            check()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
            click.echo(f"    {type(error).__name__}: {error}", err=True)
            return count, last
    return count, None


if __name__ == "__main__":
    main()

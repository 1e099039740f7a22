"""``scripts/fuzz``: each target for so many seconds, and the table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time

import click
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Arguments, Target
from tests.fuzz.targets import TARGETS

BATCH = 500
_MOST_TOLD = 2000


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="For each target.")
@click.option("--only", multiple=True, type=click.Choice(list(TARGETS)), help="Only these.")
@click.option("--guided", is_flag=True, help="Led by the code that is reached (atheris).")
def main(*, minutes: float, only: tuple[str, ...], guided: bool) -> None:
    """Make up inputs, and show the smallest that breaks a promise, as a line for the corpus."""
    click.echo(f"{'target':<14}{'inputs':>9}{'seconds':>9}{'crashes':>9}")
    failures = 0
    for name in only or TARGETS:
        began = time.monotonic()
        count, found = _fuzz_guided(name, minutes) if guided else _fuzz(name, minutes)
        failures += found is not None
        seconds = time.monotonic() - began
        click.echo(f"{name:<14}{count:>9}{seconds:>9.0f}{int(found is not None):>9}")
        if found is not None:
            click.echo(f"    {found}")
    sys.exit(1 if failures else 0)


def _fuzz_guided(name: str, minutes: float) -> tuple[int, str | None]:
    """How many inputs were tried, and how the first that failed did so."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", name, f"{60.0 * minutes:.0f}", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    told = done.stdout.decode(errors="replace")
    if done.returncode == 0 and (counted := re.search(r"Done (\d+) runs", told)):
        return int(counted[1]), None
    counts = re.findall(r"^#(\d+)", told, re.MULTILINE)
    return int(counts[-1]) if counts else 0, told[-_MOST_TOLD:]


def _fuzz(name: str, minutes: float) -> tuple[int, str | None]:
    """How many inputs were tried, and the smallest that failed."""
    count, found = _try(TARGETS[name], 60.0 * minutes)
    if found is None:
        return count, None
    line = json.dumps([piece.decode("latin-1") for piece in found])
    return count, f"corpus/{name}.jsonl: {line}"


def _try(target: Target, seconds: float) -> tuple[int, Arguments | None]:
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

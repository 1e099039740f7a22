"""``python -m tests.mutants``: take each guard out in a copy, and see the tests fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests.mutants.doors import DOORS
from tests.mutants.guard import Guard
from tests.mutants.guards import GUARDS

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 300.0
"""Without some guards a test hangs: that is noticed as well."""
_TESTS_FAILED = 1
ALL = (*GUARDS, *DOORS)


@click.command()
@click.option("--every", default=1, show_default=True, help="Only every so many guards.")
@click.option("--only", default="", metavar="TEXT", help="Only guards whose promise has this text.")
def main(*, every: int, only: str) -> None:
    """Take every guard out, one at a time. Exit 0 only if the tests notice each."""
    chosen = [guard for guard in ALL[::every] if only in guard.promise]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        noticed = list(pool.map(_is_noticed, chosen))
    for guard, found in zip(chosen, noticed, strict=True):
        click.echo(f"{'noticed' if found else 'MISSED '}  {guard.module:<32}  {guard.promise}")
    click.echo(f"\n{sum(noticed)} of {len(chosen)} noticed.")
    sys.exit(0 if all(noticed) else 1)


def _is_noticed(guard: Guard) -> bool:
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for name in ("runtime", "tests", "actors", "connector", "sandbox"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", copy)
        take_out(guard, copy)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        try:
            status = subprocess.run(
                [*command, *guard.tests],
                cwd=copy,
                env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=WITHIN_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return True
    return status == _TESTS_FAILED


def take_out(guard: Guard, folder: Path) -> None:
    """Write a module without its guard.

    Raises:
        ValueError: the piece is not there exactly once.
    """
    path = folder / f"{guard.module}.py"
    text = path.read_text("utf-8")
    if text.count(guard.piece) != 1:
        raise ValueError(f"{guard.promise}: its guard is not in {path.name} exactly once")
    path.write_text(text.replace(guard.piece, guard.without), "utf-8")


if __name__ == "__main__":
    main()

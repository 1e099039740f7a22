"""Runs one trial from its start to its row in the table."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import trio

from tests.durability.report import Row, make_row
from tests.durability.trial import Trial, open_trial


async def run_trial(
    name: str,
    scenario: Callable[[Trial], Awaitable[None]],
    seed: str,
    keep: Path | None = None,
    *,
    separate_store: bool = False,
    most: int | None = None,
    quick: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Row:
    """Open the trial, carry the scenario out, and audit.

    Args:
        name: as it stands in the table.
        seed: of all that is drawn, together with the name.
        keep: where to put the logs, if they are of interest.
        separate_store, most, quick, variables: see :func:`tests.durability.trial.open_trial`.
    """
    # Short, because a unix socket lies in it.
    with tempfile.TemporaryDirectory(prefix="durability-") as folder:
        started_at = trio.current_time()
        try:
            async with open_trial(
                f"{seed} {name}",
                Path(folder),
                separate_store=separate_store,
                most=most,
                quick=quick,
                variables=variables,
            ) as trial:
                await scenario(trial)
                findings = await trial.conclude()
                return make_row(name, trial, findings, trio.current_time() - started_at)
        finally:
            if keep is not None:
                _keep(Path(folder), keep / re.sub(r"\W+", "-", name).strip("-"))


def _keep(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))

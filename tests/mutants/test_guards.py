"""The list of guards is that of the code as it is."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.mutants.__main__ import ALL, ROOT, take_out
from tests.mutants.guard import Guard


@pytest.mark.parametrize("guard", ALL, ids=lambda guard: guard.promise)
def test_each_guard_is_there_once_and_can_be_taken_out(guard: Guard, tmp_path: Path) -> None:
    """What is left without it is Python, so that it is a promise that breaks and not a module."""
    path = tmp_path / f"{guard.module}.py"
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / f"{guard.module}.py", path)
    take_out(guard, tmp_path)
    ast.parse(path.read_text("utf-8"))
    assert all((ROOT / one).exists() for one in guard.tests)

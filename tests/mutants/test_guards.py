"""The list of guards is that of the code as it is."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.mutants.__main__ import ROOT, take_out
from tests.mutants.guards import GUARDS, Guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.promise)
def test_each_guard_is_there_once_and_can_be_taken_out(guard: Guard, tmp_path: Path) -> None:
    """What is left without it is Python, so that it is a promise that breaks and not a module."""
    module = f"{guard.module}.py"
    shutil.copy(ROOT / "runtime" / module, tmp_path)
    take_out(guard, tmp_path)
    ast.parse((tmp_path / module).read_text("utf-8"))

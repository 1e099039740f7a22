"""Two trees with the same hash are the same, but for times."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from supply import tree


def _make(root: Path) -> Path:
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_text("text")
    (root / "link").symlink_to("folder/file")
    return root


def _hash(root: Path) -> str:
    done = CliRunner().invoke(tree.main, [str(root)])
    assert done.exit_code == 0
    return done.output.split()[-1]


def test_times_do_not_count(tmp_path: Path) -> None:
    """Nor where the tree lies."""
    one, other = _make(tmp_path / "one"), _make(tmp_path / "other")
    os.utime(other / "folder" / "file", (0, 0))
    assert _hash(one) == _hash(other)


def _relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "folder" / "file").write_text("tent"),
        lambda root: (root / "folder" / "file").chmod(0o600),
        lambda root: (root / "folder" / "file").rename(root / "folder" / "name"),
        lambda root: (root / "folder" / "empty").mkdir(),
        lambda root: _relink(root / "link", "folder"),
    ],
)
def test_everything_else_does(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Contents, modes, names, empty folders, and where links lead."""
    root = _make(tmp_path / "root")
    before = _hash(root)
    change(root)
    assert _hash(root) != before

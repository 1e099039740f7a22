"""``docs/security.md`` names only tests that there are."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs/security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`:]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    """Where it is said to be, under that name."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert any(one.startswith("test_") for one in functions)
    assert not name or name in functions


def test_every_attempt_names_what_shows_that_it_fails() -> None:
    """A row without a test is one that says so."""
    assert len(NAMED) > 30
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    tried = [row for row in rows if "tests/" in row]
    assert len(tried) > 25


def test_every_command_exists() -> None:
    """The page says how to repeat each attack."""
    commands = re.findall(r"`(scripts/\w+)", PAGE)
    assert {"scripts/attack", "scripts/fuzz"} <= set(commands)
    assert all((ROOT / one).is_file() for one in commands)

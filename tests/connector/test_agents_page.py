"""What docs/agents.md tells agents is what the connector does."""

from __future__ import annotations

import ast
import re

import pytest

from actors.bluesky.changes import MOST_HIDDEN
from actors.bluesky.together import MOST_IMAGES
from actors.bluesky.wording import MOST_PARTS
from actors.bluesky.written import KEEP_S, MOST_ANSWERS
from actors.media.images import MOST_PIXELS
from actors.media.workshop import MOST_IMAGE_BYTES
from actors.reasons import REASONS
from actors.translation.commands import COMMANDS
from actors.translation.splitting import DIRECT_MESSAGE, POST
from connector.settings import Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "agents.md").read_text("utf-8")
LINES = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]


@pytest.mark.parametrize("name", REASONS)
def test_every_sentence_of_a_failed_receipt_is_explained(name: str) -> None:
    """Once, word for word, with its code."""
    reason = REASONS[name]
    found = [cells for cells in LINES if cells[1:2] == [reason.sentence]]
    assert [cells[0] for cells in found] == [f"`{reason.code}`"]


def test_no_sentence_is_explained_that_is_never_said() -> None:
    """What was taken out of the code is taken out of the page."""
    table = PAGE.partition("| code | sentence |")[2].splitlines()[2:]
    rows = [line for line in table if line.startswith("|")]
    assert len(rows) == len(REASONS)


def test_every_command_is_explained_with_its_place() -> None:
    """And whether it needs a text."""
    table = [cells for cells in LINES if cells and cells[0].startswith("`!")]
    explained = {
        (words[1:].partition(" ")[0], " text" in words, cells[1])
        for cells in table
        for words in re.findall(r"`([^`]+)`", cells[0])
    }
    assert explained == {
        (one.word, one.takes_text, "public" if one.public_only else "anywhere")
        for one in COMMANDS.values()
    }


def test_every_reason_is_used() -> None:
    """One that nobody gives is no reason."""
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for file in (ROOT / "actors").rglob("*.py")
        if file.name != "reasons.py"
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert set(REASONS) <= used


def test_nobody_makes_up_a_reason_elsewhere() -> None:
    """So the page cannot miss one."""
    making = re.compile(r"\bReason\(\s*[\"']|\bmake_failure\([^)]*[\"']")
    files = (ROOT / "actors").rglob("*.py")
    assert [one.name for one in files if making.search(one.read_text("utf-8"))] == ["reasons.py"]


def test_the_limits_are_those_of_the_code() -> None:
    """In the order of the table."""
    table = PAGE.partition("\n## Limits\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| .* \| (\d+) \|$", table, re.MULTILINE)
    assert [int(one) for one in found] == [
        POST.graphemes,
        DIRECT_MESSAGE.graphemes,
        MOST_PARTS,
        MOST_IMAGES,
        MOST_IMAGE_BYTES,
        MOST_PIXELS,
        MOST_ANSWERS,
        KEEP_S / 86400,
        MOST_HIDDEN,
        Settings.model_fields["outbound_give_up_after"].default / 60,
    ]

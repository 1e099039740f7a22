"""Whoever follows a link from one page to another arrives."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def _read(name: str) -> str:
    """A page without its blocks of code, which may show what looks like a link."""
    text = (ROOT / name).read_text("utf-8")
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _list_links(name: str) -> list[str]:
    """The targets of links and images that are not on the web."""
    text = re.sub(r"`[^`\n]*`", "", _read(name))
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def _list_anchors(name: str) -> set[str]:
    """What GitHub makes of the headings: lower case, no punctuation, hyphens for blanks."""
    anchors: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#+ (.+)$", _read(name), re.MULTILINE):
        plain = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = anchors.get(anchor, 0)
        anchors[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file or folder of the project, and to a heading that it has."""
    for target in _list_links(name):
        path, _, anchor = unquote(target).partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        assert place.exists(), target
        assert place.resolve().is_relative_to(ROOT), target
        if anchor:
            assert anchor in _list_anchors(str(place.resolve().relative_to(ROOT))), target


@pytest.mark.parametrize("name", [name for name in NAMES if name != "README.md"])
def test_every_page_can_be_found_from_the_readme(name: str) -> None:
    """Its index has all of them."""
    index = _read("README.md").partition("\n## All pages\n")[2].partition("\n## ")[0]
    assert f"({name})" in index


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_one_title(name: str) -> None:
    """And begins with it."""
    text = _read(name)
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


def test_every_file_that_the_pages_name_exists() -> None:
    """Of those that are called by their path in the project."""
    named = {
        path
        for name in NAMES
        for path in re.findall(
            r"`((?:actors|runtime|connector|sandbox|tests|bench|scripts|docs)/[\w./-]*)`",
            _read(name),
        )
    }
    assert len(named) > 20
    missing = [path for path in sorted(named) if not _exists(ROOT / path)]
    assert missing == []


def test_every_module_that_tells_how_a_message_lives_exists() -> None:
    """The architecture calls them by their names alone; no two actors' modules share one."""
    named = set(re.findall(r"`(\w+\.py)`", _read("docs/architecture.md")))
    modules = [
        path.name for part in ("actors", "connector") for path in (ROOT / part).rglob("*.py")
    ]
    assert len(named) > 10
    assert [name for name in sorted(named) if modules.count(name) != 1] == []


def _exists(path: Path) -> bool:
    """As it is, or as a module without its ending, as the tests name each other."""
    return path.exists() or path.with_suffix(".py").exists()

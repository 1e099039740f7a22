"""What is written about the variables is true of the settings."""

from __future__ import annotations

import re

from connector.settings import ACTOR_FIELDS, ActorSettings, Settings
from tests.conftest import ROOT

REQUIRED = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
SCALARS = {name.upper() for name in Settings.model_fields if name not in ACTOR_FIELDS}
OF_ACTORS = {
    f"{name}_{knob}".upper() for name in ACTOR_FIELDS for knob in ActorSettings.model_fields
}


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    found = (re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]+)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_the_example_names_every_variable_and_no_other() -> None:
    """An administrator finds all of them in one file."""
    assert set(_example()) == SCALARS | OF_ACTORS


def test_the_example_shows_the_true_defaults() -> None:
    """What it shows is what holds when the line is left out."""
    shown = {name: text for name, text in _example().items() if text}
    required = {name.lower(): "x.example" for name in REQUIRED}
    assert set(shown) & REQUIRED == set()
    settings = Settings.model_validate(required)
    for name, text in shown.items():
        field = name.lower()
        if name in OF_ACTORS:
            actor, _, knob = field.rpartition("_")
            assert text == str(getattr(getattr(settings, actor), knob)), name
        else:
            with_it = Settings.model_validate({**required, field: text})
            assert getattr(with_it, field) == getattr(settings, field), name


def test_the_readme_explains_every_variable() -> None:
    """The table has each one, and the required ones say so."""
    table = (ROOT / "README.md").read_text("utf-8").partition("## Variables")[2]
    table = table.partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    explained = {
        name: row for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row.split("|")[1])
    }
    assert set(explained) == SCALARS
    for name in REQUIRED:
        assert "| required |" in explained[name]

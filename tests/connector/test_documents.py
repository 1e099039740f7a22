"""What is written about the variables is true of the settings."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pydantic.fields import FieldInfo

from connector.environment import load_settings
from connector.settings import ACTOR_FIELDS, ActorSettings, Settings
from connector.settings_page import EXAMPLE, GROUPS, PAGE, render_example, render_page
from tests.conftest import ROOT

FIELDS = {name: field for name, field in Settings.model_fields.items() if name not in ACTOR_FIELDS}
KNOBS = ActorSettings.model_fields
REQUIRED = {name: "x.example" for name, field in FIELDS.items() if field.is_required()}
PREDECESSORS = (
    "BLUESKY_HANDLE", "BLUESKY_APP_PASSWORD", "BLUESKY_SEARCH_QUERY", "GC_REGION",
    "GC_CC_CLIENT_ID", "GC_CC_CLIENT_SECRET", "GC_INTEGRATION_ID", "GC_WEBHOOK_SECRET",
    "GC_SOCIAL_TOPIC_ID", "GC_SOCIAL_RULE_ID", "GC_EXTERNAL_SOURCE_ID", "GC_EC_DIVISION_ID",
    "REDIS_URL", "REDIS_TOKEN", "LOG_LEVEL", "ENABLE_EXTERNAL_CONTACTS",
    "POLLING_TIME_SOCIAL_LISTENING", "POLLING_TIME_INBOUND_NOTIFICATIONS", "POLLING_TIME_DM",
)  # fmt: skip


@pytest.mark.parametrize(("path", "render"), [(PAGE, render_page), (EXAMPLE, render_example)])
def test_both_files_say_what_the_settings_say(path: object, render: Callable[[], str]) -> None:
    """Names, defaults and text. ``python -m connector.settings_page`` writes them anew."""
    assert (ROOT / str(path)).read_text("utf-8") == render()


@pytest.mark.parametrize("name", FIELDS)
def test_the_page_has_each_variable_once_with_its_default(name: str) -> None:
    """Whoever looks for one finds it, and whether it is required."""
    page = (ROOT / PAGE).read_text("utf-8")
    (row,) = re.findall(rf"^\| `{name.upper()}` \| (.*)$", page, re.MULTILINE)
    assert row.startswith("required |") is FIELDS[name].is_required()


@pytest.mark.parametrize("name", [*FIELDS, *KNOBS])
def test_each_variable_is_described_in_sentences(name: str) -> None:
    """In the model, so that there is one place to change it."""
    text = {**FIELDS, **KNOBS}[name].description or ""
    assert re.fullmatch(r"\S.*\.", text)
    assert "|" not in text


@pytest.mark.parametrize("name", FIELDS)
def test_an_example_can_be_taken_as_it_is(name: str) -> None:
    """It has the right shape, and differs from the default: so it shows something."""
    example = _find_example(FIELDS[name])
    companions = {"gc_external_source_id": "a", "gc_ec_division_id": "b"}
    if name == "redis_token":
        companions["redis_url"] = "https://example.upstash.io"
    given = {**REQUIRED, **companions, name: example}
    settings = load_settings({key.upper(): str(value) for key, value in given.items()})
    assert getattr(settings, name) != _find_default(FIELDS[name])


@pytest.mark.parametrize("knob", KNOBS)
def test_an_example_of_an_actors_variable_can_be_taken_as_it_is(knob: str) -> None:
    """For any actor."""
    example = _find_example(KNOBS[knob])
    given = {**REQUIRED, f"dm_poller_{knob}": example}
    settings = load_settings({key.upper(): str(value) for key, value in given.items()})
    assert str(getattr(settings.dm_poller, knob)) == example


def test_each_group_begins_with_a_variable() -> None:
    """And the first one with the first that is not required: none is left over."""
    optional = [name for name, field in FIELDS.items() if not field.is_required()]
    assert GROUPS[0].first == optional[0]
    assert [group.first for group in GROUPS] == [
        name for name in FIELDS if name in {group.first for group in GROUPS}
    ]


@pytest.mark.parametrize("name", PREDECESSORS)
def test_every_variable_of_the_predecessor_is_one_here(name: str) -> None:
    """Whoever moves keeps the file of variables."""
    assert name.lower() in FIELDS


def test_the_readme_names_what_is_required() -> None:
    """All of it, and nothing else, with a link to the rest."""
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("### Variables")[2].partition("\n### ")[0].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    assert [name.lower() for name in named] == list(REQUIRED)
    assert "(docs/settings.md)" in table


def _find_default(field: FieldInfo) -> object:
    return None if field.is_required() else field.default


def _find_example(field: FieldInfo) -> str:
    assert field.examples is not None
    (example,) = field.examples
    return str(example)

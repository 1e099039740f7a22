"""Writes down what the settings model says: docs/settings.md for people, .env.example to fill in.

    python -m connector.settings_page

writes both files of the checkout in the current folder. What is said of a variable is said in
:mod:`connector.settings`; here is only how it is set out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from actors.translation.commands import EVERY_WORD
from connector.settings import ACTOR_FIELDS, SECRET_FIELDS, ActorSettings, Settings
from connector.shapes import Shape

PAGE = Path("docs/settings.md")
EXAMPLE = Path(".env.example")

_WIDTH = 100
_PLAIN_BELOW_S = 600.0
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0}
_HEADER = "| variable | default | what it looks like | what it is |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Group:
    """Variables under one heading: from the field ``first`` on, up to the next group's."""

    first: str
    title: str
    remark: str = ""


GROUPS = (
    Group(
        "bluesky_service_url",
        "Bluesky",
        "`LISTEN_*` is about listening. Mentions, replies and quotes of your posts are never left "
        "out for their language, a word or the age of the account; only for who wrote them, and "
        "for labels. The same holds for what is followed in their threads. What is taken in as "
        "context is never left out. A search hit that was left out still arrives if it is one of "
        "these.",
    ),
    Group("gc_api_url", "Genesys Cloud"),
    Group(
        "redis_url",
        "The store",
        "[Deploying](deploying.md#what-redis-must-be-like) says what Redis must be like.",
    ),
    Group("host", "The service"),
    Group("polling_time_inbound_notifications", "Polling"),
    Group("thread_context", "Following conversations"),
    Group("outbound_give_up_after", "When things fail"),
    Group("bluesky_budget", "The platforms"),
)


def render_page() -> str:
    """docs/settings.md."""
    fields = Settings.model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    parts = [
        _INTRODUCTION,
        f"## Required\n\n{_HEADER}\n" + "\n".join(_make_row(name) for name in required),
    ]
    for group, names in _list_groups():
        table = "\n".join(_make_row(name) for name in names)
        parts.append(f"## {group.title}\n\n{_HEADER}\n{table}")
        if group.remark:
            parts.append(group.remark)
    parts.append(_render_actors())
    return "\n\n".join(parts) + "\n"


def render_example() -> str:
    """.env.example."""
    required = [name for name, field in Settings.model_fields.items() if field.is_required()]
    lines = [_EXAMPLE_INTRODUCTION, "", "# == Required", *_make_lines(required)]
    for group, names in _list_groups():
        lines += ["", f"# == {group.title}", *_make_lines(names)]
    lines += ["", *_comment(f"== Each actor. {_ACTORS}")]
    for name, field in ActorSettings.model_fields.items():
        lines += ["", *_comment(f"<ACTOR>_{name.upper()}: {field.description}")]
    for actor in ACTOR_FIELDS:
        lines.append("")
        for knob, value in dict(Settings.model_fields[actor].default).items():
            lines.append(f"# {actor.upper()}_{knob.upper()}={value}")
    return "\n".join(lines) + "\n"


def write_default(name: str, value: object) -> str:
    """A default as it would be set: the text that gives this value. Empty if it is unset."""
    match value:
        case bool():
            return str(value).lower()
        case float() if value < _PLAIN_BELOW_S or name.endswith("_s"):
            return f"{value:g}"
        case float():
            unit = next(unit for unit, length_s in _UNITS.items() if value % length_s == 0)
            return f"{value / _UNITS[unit]:g}{unit}"
        case frozenset():
            return "all" if value == EVERY_WORD else ",".join(sorted(value))
        case tuple():
            return ",".join(value)
        case Path():
            return str(value) if value.is_absolute() else f"./{value}"
        case None:
            return ""
        case _:
            return str(value)


def name_shape(field: FieldInfo) -> str:
    """What a variable looks like; of the shapes that its type collects, the last one counts."""
    named = [one.text for one in field.metadata if isinstance(one, Shape)]
    if named:
        return named[-1]
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        *choices, last = (f"`{choice}`" for choice in get_args(kind))
        return f"{', '.join(choices)} or {last}"
    if kind is bool:
        return "`true` or `false`"
    if SecretStr in (kind, *get_args(kind)):
        return "a secret"
    if kind is int:
        return f"a whole number{_name_limits(field)}"
    return "a folder" if kind is Path else "a text"


def _name_limits(field: FieldInfo) -> str:
    least = next((one.ge for one in field.metadata if isinstance(one, Ge)), None)
    most = next((one.le for one in field.metadata if isinstance(one, Le)), None)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f", at least {least}"
    return "" if most is None else f", at most {most}"


def _list_groups() -> Iterator[tuple[Group, list[str]]]:
    """Each group with its fields, but for what is required and for the actors' knobs."""
    begins = {group.first: group for group in GROUPS}
    found: dict[Group, list[str]] = {group: [] for group in GROUPS}
    group = GROUPS[0]
    for name, field in Settings.model_fields.items():
        group = begins.get(name, group)
        if not field.is_required() and name not in ACTOR_FIELDS:
            found[group].append(name)
    yield from found.items()


def _make_row(name: str) -> str:
    field = Settings.model_fields[name]
    example = f", for example `{field.examples[0]}`" if field.examples else ""
    shape = f"{name_shape(field)}{example}"
    default = "required"
    if not field.is_required():
        text = write_default(name, field.default)
        default = f"`{text}`" if text else "unset"
    return f"| `{name.upper()}` | {default} | {shape} | {field.description} |"


def _render_actors() -> str:
    lines = [f"## Each actor\n\n{_ACTORS}", "", _HEADER]
    for name, field in ActorSettings.model_fields.items():
        example = f", for example `{(field.examples or ['?'])[0]}`"
        shape = f"{name_shape(field)}{example}"
        lines.append(f"| `<ACTOR>_{name.upper()}` | see below | {shape} | {field.description} |")
    knobs = list(ActorSettings.model_fields)
    lines += ["", f"| `<ACTOR>` | {' | '.join(f'`_{knob.upper()}`' for knob in knobs)} |"]
    lines.append("|---|" + "---|" * len(knobs))
    for actor in ACTOR_FIELDS:
        default = Settings.model_fields[actor].default
        values = " | ".join(f"`{getattr(default, knob)}`" for knob in knobs)
        lines.append(f"| `{actor.upper()}` | {values} |")
    return "\n".join(lines)


def _make_lines(names: list[str]) -> Iterator[str]:
    for name in names:
        field = Settings.model_fields[name]
        text = "" if field.is_required() else write_default(name, field.default)
        yield ""
        example = f" For example: {field.examples[0]}" if field.examples else ""
        yield from _comment(f"{field.description}{example}")
        yield f"{name.upper()}=" if field.is_required() else f"# {name.upper()}={text}"


def _comment(text: str) -> list[str]:
    plain = re.sub(r"\[([^]]+)]\([^)]+\)", r"\1", text).replace("`", "").replace("*", "")
    return [f"# {line}" for line in textwrap.wrap(plain, _WIDTH - 2)]


_COMMAND = "python -m connector.settings_page"
_TIMES = "A time is a number of seconds, or one with a unit: `90`, `0.5`, `30s`, `15m`, `1h`, `2d`."
_ACTORS = (
    "How many things it does at once, how many it may do in a time, and how many may wait for it. "
    "The defaults keep within what both platforms allow."
)
_SECRET_FILES = ", ".join(f"`{name.upper()}_FILE`" for name in SECRET_FIELDS)
_INTRODUCTION = (
    "# Every variable\n\n"
    f"This page is made from the settings themselves (`{_COMMAND}`); so is "
    "[`.env.example`](../.env.example), which has all of them to be filled in.\n\n"
    "The connector takes its settings from the environment, and under it from a `.env` file in "
    "the folder in which it is started. An empty variable counts as unset. Whatever is wrong is "
    "told at the start, all of it at once, by the variables' names.\n\n"
    f"{_TIMES}\n\n"
    "A secret can come from a file instead, as container platforms hand them out. Its name is in "
    f"{_SECRET_FILES}. White space around what the file holds is dropped."
)
_EXAMPLE_INTRODUCTION = f"""\
# Copy this file to .env and fill in the first part; the rest shows the defaults.
# The environment goes before this file, and an empty variable counts as unset.
# A secret can come from a file instead: the variable that tells its name has _FILE at the end, as
# in BLUESKY_APP_PASSWORD_FILE=/run/secrets/bluesky
# {_TIMES.replace("`", "")}
# docs/settings.md has the same in a table. Both are made from the settings by
# {_COMMAND}"""


def main() -> None:
    """Write both files."""
    PAGE.write_text(render_page(), "utf-8")
    EXAMPLE.write_text(render_example(), "utf-8")


if __name__ == "__main__":
    main()

"""The Lua scripts: each is one atomic step on the server, sent by its SHA1 digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Literal, TypeAlias, get_args

ScriptName: TypeAlias = Literal[
    "record",
    "settle",
    "amend",
    "deliver",
    "lead",
    "hand_over",
    "pause",
    "envelopes",
    "replay",
    "drop",
    "forget",
    "reference",
    "inherited",
]
_NAMES: tuple[ScriptName, ...] = get_args(ScriptName)


@dataclass(frozen=True, slots=True)
class Script:
    """One script with the functions that all share. ``digest`` is what ``EVALSHA`` takes."""

    name: ScriptName
    text: str
    digest: str


def load_scripts() -> dict[ScriptName, Script]:
    """Read the scripts from this package."""
    here = resources.files(__name__)
    common = (here / "common.lua").read_text("utf-8")
    scripts = {}
    for name in _NAMES:
        text = f"{common}\n{(here / f'{name}.lua').read_text('utf-8')}"
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        scripts[name] = Script(name, text, digest)
    return scripts

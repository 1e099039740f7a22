"""The Lua scripts: each is one atomic step on the server, sent by its SHA1 digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Literal, TypeAlias, get_args

from actors.dedup_store.keys import (
    ACTIVE_KEEP_S,
    ACTIVE_MOST,
    DEAD_KEEP_S,
    DEAD_MOST,
    ENTRY_KEEP_S,
    LONGEST_KEEP_S,
    REFERENCE_KEEP_S,
)
from actors.store import POSTS_KEEP_S, POSTS_MOST, SEEN_KEEP_S

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

_LIMITS = {
    "seen_keep_s": SEEN_KEEP_S,
    "reference_keep_s": REFERENCE_KEEP_S,
    "dead_keep_s": DEAD_KEEP_S,
    "dead_most": DEAD_MOST,
    "active_keep_s": ACTIVE_KEEP_S,
    "active_most": ACTIVE_MOST,
    "posts_keep_s": POSTS_KEEP_S,
    "posts_most": POSTS_MOST,
    "entry_keep_s": ENTRY_KEEP_S,
    "longest_keep_s": LONGEST_KEEP_S,
}
"""How long and how many are kept. They stand in the scripts: as arguments, every call would have to
carry them."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script with the functions that all share. ``digest`` is what ``EVALSHA`` takes."""

    name: ScriptName
    text: str
    digest: str


def load_scripts() -> dict[ScriptName, Script]:
    """Read the scripts from this package."""
    here = resources.files(__name__)
    limits = "".join(f"local {name} = {limit}\n" for name, limit in _LIMITS.items())
    common = limits + (here / "common.lua").read_text("utf-8")
    scripts = {}
    for name in _NAMES:
        text = f"{common}\n{(here / f'{name}.lua').read_text('utf-8')}"
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        scripts[name] = Script(name, text, digest)
    return scripts

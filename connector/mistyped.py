"""Variables that nothing reads, because their names are not quite right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from connector.environment import KNOWN_NAMES

_ALIKE = 0.85
"""Platforms set variables of their own (``BLUESKY_GENESYS_SERVICE_HOST``), which are less alike."""


def find_mistyped(names: Iterable[str]) -> list[str]:
    """A line for each name that is nearly one of ours, and says which."""
    lines = []
    for name in sorted(set(names)):
        if name.upper() in KNOWN_NAMES:
            continue
        close = difflib.get_close_matches(name.upper(), KNOWN_NAMES, n=1, cutoff=_ALIKE)
        if close:
            lines.append(f"{name}: nothing reads this variable; is {close[0]} meant?")
    return lines

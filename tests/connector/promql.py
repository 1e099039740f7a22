"""Just enough of PromQL to know what an expression asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_NAME = re.compile(r"(?<![\w.$])([A-Za-z_:][\w:]*)\s*(\(|\{)?")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_AGGREGATES = {"sum", "min", "max", "avg", "count", "topk", "quantile"}


@dataclass
class Asked:
    """The metrics of an expression, each with the labels that it is chosen by, and what is left."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grouping: set[str] = field(default_factory=set)


def read(expression: str) -> Asked:
    """Take an expression apart."""
    asked = Asked()
    bare = _TEXT.sub('""', expression)
    for found in _GROUPING.finditer(bare):
        asked.grouping |= {name.strip() for name in found[1].split(",") if name.strip()}
    bare = _RANGE.sub("", _GROUPING.sub(" ", bare))
    labels = [set(_LABEL.findall(found)) for found in _MATCHERS.findall(bare)]
    bare = _MATCHERS.sub("{", bare)
    for found in _NAME.finditer(bare):
        name, behind = found[1], found[2]
        if name.lower() in _WORDS or behind == "(" or name in _AGGREGATES:
            continue
        asked.metrics.setdefault(name, set()).update(labels.pop(0) if behind == "{" else ())
    return asked

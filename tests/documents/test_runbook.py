"""docs/runbook.md explains all that an administrator may see, and nothing that is never shown."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import actors
import runtime
from actors.dedup_store import database
from actors.reasons import REASONS
from runtime.errors import Fault
from runtime.failures import ReturnedEarly, Stuck
from runtime.health import Overall, StoreHealth, describe
from runtime.statistics import State
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "runbook.md").read_text("utf-8")
TREES = [ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "actors").rglob("*.py"))]

# Which argument of which call is a reason for leaving something out.
PLACES = {
    "skipped": 0, "_skip": 0, "_leave_out": 2, "Skip": 0, "Ignored": 0, "Unusable": 0,
    "_give_up": 1,
}  # fmt: skip
PASSED_ON = {
    "reason", "skip.reason", "intake.skipped", "refusal.code", "_SKIPPED_KINDS[kind]",
    "_name_event(data)", "error.reason",
}  # fmt: skip
"""What these calls are given that is no literal: each comes from one of the others, or is below."""


def _read_names(title: str) -> list[str]:
    """What the first cells of the table below a heading explain."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def _find_called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _list_texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def _list_arguments() -> Iterator[ast.expr]:
    for tree in TREES:
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            place = PLACES.get(_find_called(call))
            # Two functions are called so; that of the webhooks has these arguments.
            if _find_called(call) == "_give_up" and ast.unparse(call.args[0]) != "data":
                continue
            if place is not None and len(call.args) > place:
                yield call.args[place]


def _list_named() -> Iterator[str]:
    """Literals in the functions and tables that the passed-on ones come from."""
    for tree in TREES:
        for node in ast.walk(tree):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id="_SKIPPED_KINDS")], value=ast.Dict(values=values)
                ):
                    yield from (text for value in values for text in _list_texts(value))
                case ast.FunctionDef(name="_name_event"):
                    # Its reasons are what it says in small letters; "events" is a key.
                    words = (text for text in _list_texts(node) if re.fullmatch("[a-z_]+", text))
                    yield from (word for word in words if word != "events")
                case ast.FunctionDef() | ast.AsyncFunctionDef() if _skips_a_reason(node):
                    for one in ast.walk(node):
                        match one:
                            case ast.Assign(targets=[ast.Name(id="reason")], value=value):
                                yield from _list_texts(value)


def _skips_a_reason(function: ast.AST) -> bool:
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(
        _find_called(call) == "skipped" and call.args and ast.unparse(call.args[0]) == "reason"
        for call in calls
    )


def _is_choice(node: ast.expr) -> bool:
    """A literal, or one of two."""
    if isinstance(node, ast.IfExp):
        return _is_choice(node.body) and _is_choice(node.orelse)
    return isinstance(node, ast.Constant)


def _list_literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_list_literals(node.body), *_list_literals(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)


def _list_refusals() -> Iterator[str]:
    """What is turned away at the door, or is JSON that two readers could understand differently."""
    doors = (ROOT / "connector" / "door.py", ROOT / "runtime" / "connections.py")
    trees = [*TREES, *(ast.parse(path.read_text("utf-8")) for path in doors)]
    for node in (one for tree in trees for one in ast.walk(tree)):
        match node:
            case ast.Call(func=ast.Name(id="Refusal"), args=[ast.Constant(), reason, *_]):
                yield from _list_literals(reason)
            case ast.Call(func=ast.Attribute(attr="_refused"), args=[reason, _]):
                yield from _list_literals(reason)
            case ast.Call(func=ast.Name(id="UnreadableJson"), args=[reason, _]):
                yield from _list_literals(reason)


def _find_reasons() -> set[str]:
    literals = {text for node in _list_arguments() for text in _list_literals(node)}
    named = {*_list_named(), *_list_refusals()}
    return literals | named | {reason.code for reason in REASONS.values()}


def _find_faults() -> set[str]:
    for package in (actors, runtime):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, left = set[str](), [Fault]
    while left:
        for kind in left.pop().__subclasses__():
            if kind.__module__.startswith(("actors.", "runtime.")):
                found.add(kind.__name__)
                left.append(kind)
    return found


def _find_refused() -> set[str]:
    calls = (
        node for tree in TREES for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _find_called(node) == "Refused" and node.args
    )  # fmt: skip
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def test_every_state_is_explained() -> None:
    """Once."""
    assert sorted(_read_names("States of an actor")) == sorted(get_args(State))


def test_every_type_of_error_is_explained() -> None:
    """All that the adapters raise, and what the supervisor makes itself."""
    shown = _find_faults() | {Stuck.__name__, ReturnedEarly.__name__}
    assert sorted(_read_names("What last_error.type says")) == sorted(shown)


def test_every_reason_for_leaving_something_out_is_explained() -> None:
    """A new one is not counted before an administrator can look it up."""
    assert sorted(_read_names("Reasons for leaving something out")) == sorted(_find_reasons())


def test_no_reason_comes_from_where_nobody_looks() -> None:
    """Each is a literal, or passed on from a place that is looked at above."""
    others = {ast.unparse(node) for node in _list_arguments() if not _is_choice(node)}
    assert others == PASSED_ON


def test_every_code_of_a_dead_letter_is_explained() -> None:
    """Those that the connector gives itself."""
    assert sorted(_read_names("Codes of dead letters")) == sorted(_find_refused())


@pytest.mark.parametrize("sign", database._ACTIONS)
def test_every_trouble_of_the_store_that_has_a_remedy_is_explained(sign: str) -> None:
    """By the word that Redis says."""
    assert any(re.search(sign, name) for name in _read_names("The store"))


def test_every_key_of_health_is_explained() -> None:
    """Of the document, of each object in it, and of an actor."""
    store = StoreHealth("ok", "redis", None, depth=0, oldest_s=0.0, dead_letters=0)
    document = describe([], store, version="1", role="leader", uptime_s=0.0, warnings=["x"])
    explained = PAGE.partition("\n## The keys of /health\n")[2].partition("\n## ")[0]
    source = (ROOT / "runtime" / "health.py").read_text("utf-8")
    of_actor = source.partition("def _describe_actor")[2].partition("def ")[0]
    keys = re.findall(r'^        "(\w+)":', of_actor, re.MULTILINE)
    assert len(keys) > 10
    for key in [*document, *keys]:
        assert re.search(rf"[`.]{key}\b", explained), key
    for status in get_args(Overall):
        assert f"`{status}`" in explained


def test_every_status_of_the_process_is_explained() -> None:
    """With which it ends when it cannot start, and when it cannot stop."""
    for path, name in (("connector/cli.py", "_CANNOT_START"), ("connector/run.py", "_STUCK")):
        source = Path(ROOT / path).read_text("utf-8")
        found = re.search(rf"^{name} = (\d+)$", source, re.MULTILINE)
        assert found is not None
        assert f"with status {found[1]}" in PAGE

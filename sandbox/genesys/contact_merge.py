"""How new data and old data of one contact come together."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.genesys.contact_models import ArrayAction, Change, FieldAction, FieldRules
from sandbox.genesys.errors import invalid
from sandbox.genesys.wire import Json


def merge(existing: Json, provided: Json, rules: FieldRules | None) -> Json:
    """Combine a contact's data with those of an enrichment (``EnrichFieldRules``)."""
    rules = rules or FieldRules()
    merged: Json = {}
    for name in existing.keys() | provided.keys():
        value = _merge_field(name, existing.get(name), provided.get(name), rules)
        if value is not None:
            merged[name] = value
    return merged


def _merge_field(name: str, existing: object, provided: object, rules: FieldRules) -> object:
    action, array_action = _actions(name, rules)
    if action == "AlwaysUseProvided":
        return provided
    if existing is None or provided is None:
        return provided if existing is None else existing
    if isinstance(existing, list) and isinstance(provided, list):
        if array_action == "Replace":
            return provided
        return existing + [item for item in provided if item not in existing]
    return existing if action == "PreferExisting" else provided


def _actions(name: str, rules: FieldRules) -> tuple[FieldAction, ArrayAction]:
    action, array_action = rules.default_action, rules.default_array_action
    for rule in rules.rules or ():
        if rule.field == f"$.{name}":
            action = rule.action or action
            array_action = rule.array_action or array_action
    return action, array_action


def apply_change(data: Json, change: Change) -> Json:
    """The data after one change of a field (``ContactsPatchChange``).

    Raises:
        ApiError: 400, the field cannot be changed so.
    """
    changed = copy.deepcopy(data)
    *outer, name = change.field.removeprefix("$.").split(".")
    parent: Any = changed
    for part in outer:
        parent = parent.setdefault(part, {})
        if not isinstance(parent, dict):
            raise invalid(f"{change.field} is not inside an object")
    current = parent.get(name)
    match change.action:
        case "Update":
            parent[name] = change.value
        case "UpdateIfEmpty":
            parent[name] = current or change.value
        case "UpdateIfExists":
            if current:
                parent[name] = change.value
        case "Remove":
            parent.pop(name, None)
        case "AppendToCollection":
            parent[name] = _items(change, current) + _items(change, change.value)
        case "RemoveFromCollection":
            unwanted = _items(change, change.value)
            parent[name] = [item for item in _items(change, current) if item not in unwanted]
    return changed


def _items(change: Change, value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{change.field} is not a collection")
    return value

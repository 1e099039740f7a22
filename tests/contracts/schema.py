"""Values checked against Swagger 2.0 schemas, strictly.

Where the official Swagger is silent or odd:

- ``type: object`` without properties (``ContactsPatchChange.value``, custom fields) is any JSON.
- A property that is both required and read-only cannot be sent, so it is not missed.
- Dates are of the one form that its descriptions give: ``yyyy-MM-ddTHH:mm:ss[.mmm]Z``.
- ``null`` is no value of any type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

KNOWN_KEYWORDS = {
    *("type", "properties", "required", "items", "additionalProperties", "enum", "format"),
    *("minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "$ref", "readOnly"),
    *("description", "example"),
}
"""What the checks below understand. A schema that uses more is refused, not half checked."""

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_INTEGER_BITS = {"int32": 31, "int64": 63}

Schema = Mapping[str, Any]


class SchemaChecker:
    """Checks values against named definitions.

    Args:
        definitions: the ``definitions`` of a Swagger document.
        sending: whether the values are to be sent. Then read-only properties are refused; in
            an answer they may be there.
    """

    def __init__(self, definitions: Mapping[str, Schema], *, sending: bool) -> None:
        self._definitions = definitions
        self._sending = sending
        for name, definition in definitions.items():
            _refuse_unknown_keywords(definition, name)

    def check(self, schema: Schema, value: object, where: str) -> Iterator[str]:
        """What is wrong with ``value``, each in a sentence that begins with its place."""
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].removeprefix("#/definitions/")]
        match schema["type"]:
            case "object":
                yield from self._check_object(schema, value, where)
            case "array":
                yield from self._check_array(schema, value, where)
            case "string":
                yield from _check_string(schema, value, where)
            case "boolean":
                if not isinstance(value, bool):
                    yield f"{where} is not a boolean"
            case "integer":
                yield from _check_integer(schema, value, where)
            case "number":
                if isinstance(value, bool) or not isinstance(value, int | float):
                    yield f"{where} is not a number"
            case other:
                raise ValueError(f"unknown type {other} at {where}")

    def _check_object(self, schema: Schema, value: object, where: str) -> Iterator[str]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        others: Schema | None = schema.get("additionalProperties")
        if not properties and others is None:
            return
        if not isinstance(value, Mapping):
            yield f"{where} is not an object"
            return
        for name in schema.get("required", ()):
            if name not in value and not self._refuses(properties[name]):
                yield f"{where}.{name} is missing"
        for name, inner in value.items():
            place = f"{where}.{name}"
            if name in properties and self._refuses(properties[name]):
                yield f"{place} is read-only"
            elif name in properties:
                yield from self.check(properties[name], inner, place)
            elif others is not None:
                yield from self.check(others, inner, place)
            else:
                yield f"{place} is unknown"

    def _check_array(self, schema: Schema, value: object, where: str) -> Iterator[str]:
        if not isinstance(value, list | tuple):
            yield f"{where} is not an array"
            return
        yield from _check_size(len(value), schema, "Items", where)
        if schema.get("uniqueItems"):
            written = [json.dumps(inner, sort_keys=True) for inner in value]
            if len(set(written)) < len(written):
                yield f"{where} repeats an item"
        for index, inner in enumerate(value):
            yield from self.check(schema["items"], inner, f"{where}[{index}]")

    def _refuses(self, schema: Schema) -> bool:
        return self._sending and bool(schema.get("readOnly"))


def _refuse_unknown_keywords(schema: Schema, where: str) -> None:
    unknown = set(schema) - KNOWN_KEYWORDS
    if unknown:
        raise ValueError(f"{where} uses {sorted(unknown)}: teach it to the checks")
    for name, inner in schema.get("properties", {}).items():
        _refuse_unknown_keywords(inner, f"{where}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            _refuse_unknown_keywords(schema[keyword], f"{where}.{keyword}")


def _check_string(schema: Schema, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where} is not a string"
        return
    yield from _check_size(len(value), schema, "Length", where)
    if value not in schema.get("enum", (value,)):
        yield f"{where} is not one of {schema['enum']}"
    if not _has_format(schema.get("format"), value):
        yield f"{where} is not a {schema['format']}"


def _has_format(name: str | None, value: str) -> bool:
    match name:
        case None:
            return True
        case "date-time":
            return _DATE_TIME.fullmatch(value) is not None and _parses(datetime, value)
        case "date":
            return _parses(date, value)
        case "uri":
            return bool(value) and value.isascii() and not re.search(r"\s", value)
        case _:
            raise ValueError(f"unknown format {name}")


def _parses(kind: type[date], value: str) -> bool:
    try:
        kind.fromisoformat(value)
    except ValueError:
        return False
    return True


def _check_integer(schema: Schema, value: object, where: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{where} is not an integer"
    elif (
        not -(2 ** _INTEGER_BITS[schema["format"]]) <= value < 2 ** _INTEGER_BITS[schema["format"]]
    ):
        yield f"{where} is not an {schema['format']}"


def _check_size(size: int, schema: Schema, what: str, where: str) -> Iterator[str]:
    if size < schema.get(f"min{what}", 0):
        yield f"{where} is shorter than {schema[f'min{what}']}"
    if size > schema.get(f"max{what}", size):
        yield f"{where} is longer than {schema[f'max{what}']}"

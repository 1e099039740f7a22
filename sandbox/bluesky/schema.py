"""Schemas in the shape of the lexicon language, with the messages of the real PDS.

A schema is a value with ``check(value, path)``, which raises :class:`SchemaError` at the first
thing that is wrong, in the order in which the schema names them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeGuard

import regex

from sandbox.bluesky.formats import CHECKS, Format

Path: TypeAlias = tuple[str | int, ...]

_GRAPHEME = regex.compile(r"\X")
_PLAIN_KEY = re.compile(r"[a-zA-Z_$][a-zA-Z0-9_]*")
_PREVIEW = 256
_FORMAT_NAMES: Mapping[str, str] = {
    "at-identifier": "AT identifier",
    "cid": "CID string",
    "did": "DID",
    "nsid": "NSID",
    "record-key": "record key",
    "tid": "TID string",
}


class SchemaError(Exception):
    """What is wrong (``issue``) and where (``path`` from the top)."""

    def __init__(self, issue: str, path: Path) -> None:
        super().__init__(f"{issue} at {_show_path(path)}")
        self.issue = issue


class Schema(Protocol):
    """Anything that can judge a JSON value."""

    def check(self, value: object, path: Path) -> None:
        """Return if ``value`` fits, raise :class:`SchemaError` if not."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string. ``max_bytes`` counts UTF-8 bytes, graphemes are extended grapheme clusters."""

    form: Format | None = None
    min_graphemes: int = 0
    max_graphemes: int | None = None
    max_bytes: int | None = None

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, str):
            raise _unexpected(value, "string", path)
        if self.max_bytes is not None:
            _check_maximum("string", self.max_bytes, len(value.encode()), path)
        if self.min_graphemes and (count := graphemes(value)) < self.min_graphemes:
            raise _too_small("grapheme", self.min_graphemes, count, path)
        if self.max_graphemes is not None and len(value) > self.max_graphemes:
            _check_maximum("grapheme", self.max_graphemes, graphemes(value), path)
        if self.form is not None and not CHECKS[self.form](value):
            name = _FORMAT_NAMES.get(self.form, self.form)
            raise SchemaError(f"Invalid {name} (got {_show(value)})", path)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number."""

    minimum: int | None = None
    maximum: int | None = None

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _unexpected(value, "integer", path)
        if self.minimum is not None and value < self.minimum:
            raise _too_small("integer", self.minimum, value, path)
        if self.maximum is not None:
            _check_maximum("integer", self.maximum, value, path)


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, bool):
            raise _unexpected(value, "boolean", path)


@dataclass(frozen=True, slots=True)
class Array:
    """A list whose items all fit ``items``."""

    items: Schema
    min_length: int = 0
    max_length: int | None = None

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, list):
            raise _unexpected(value, "array", path)
        if len(value) < self.min_length:
            raise _too_small("array", self.min_length, len(value), path)
        if self.max_length is not None:
            _check_maximum("array", self.max_length, len(value), path)
        for position, item in enumerate(value):
            self.items.check(item, (*path, position))


@dataclass(frozen=True, slots=True)
class Optional:
    """A key that may be missing; with ``nullable`` it may also be null."""

    schema: Schema
    nullable: bool = False

    def check(self, value: object, path: Path) -> None:
        if not (self.nullable and value is None):
            self.schema.check(value, path)


@dataclass(frozen=True, slots=True)
class Object:
    """An object with these keys. Further keys pass."""

    fields: Mapping[str, Schema]

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, dict):
            raise _unexpected(value, "object", path)
        for key, schema in self.fields.items():
            if key in value:
                schema.check(value[key], (*path, key))
            elif not isinstance(schema, Optional):
                raise SchemaError(f'Missing required key "{key}"', path)


@dataclass(frozen=True, slots=True)
class Union:
    """An object with a ``$type``. Types that are not listed pass: all unions here are open."""

    members: Mapping[str, Schema]

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, dict) or "$type" not in value:
            raise _unexpected(value, 'an object which includes the "$type" property', path)
        kind = value["$type"]
        if not isinstance(kind, str):
            raise _unexpected(kind, "string", (*path, "$type"))
        if kind in self.members:
            self.members[kind].check(value, path)


@dataclass(frozen=True, slots=True)
class Blob:
    """A reference to an uploaded blob, as uploadBlob answered it."""

    accept: tuple[str, ...]
    max_size: int

    def check(self, value: object, path: Path) -> None:
        if not is_blob(value):
            raise _unexpected(value, "blob", path)
        mime = value["mimeType"]
        if not any(_matches_mime(mime, pattern) for pattern in self.accept):
            *others, last = map(_show, self.accept)
            wanted = f"one of {', '.join(others)} or {last}" if others else last
            raise SchemaError(f"Expected {wanted} (got {_show(mime)})", (*path, "mimeType"))
        _check_maximum("blob", self.max_size, value["size"], path)


@dataclass(frozen=True, slots=True)
class Data:
    """An object of the data model, whatever is in it: no fractions anywhere."""

    def check(self, value: object, path: Path) -> None:
        if not isinstance(value, dict):
            raise _unexpected(value, "object", path)
        _check_data(value, path)


def _check_data(value: object, path: Path) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_data(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _check_data(item, (*path, position))
    elif isinstance(value, float):
        kinds = "one of null, boolean, integer, string, cid, bytes, array or object"
        raise _unexpected(value, kinds, path)


def graphemes(text: str) -> int:
    """How many characters a reader sees."""
    return len(_GRAPHEME.findall(text))


def _matches_mime(mime: str, pattern: str) -> bool:
    return mime == pattern or (pattern.endswith("/*") and mime.startswith(pattern[:-1]))


def is_blob(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is a blob reference."""
    if not isinstance(value, dict) or value.get("$type") != "blob":
        return False
    link = value.get("ref")
    has_link = isinstance(link, dict) and isinstance(link.get("$link"), str)
    return (
        has_link and isinstance(value.get("mimeType"), str) and isinstance(value.get("size"), int)
    )


def _check_maximum(kind: str, maximum: int, actual: int, path: Path) -> None:
    if actual > maximum:
        raise SchemaError(f"{kind} too big (maximum {maximum}, got {actual})", path)


def _too_small(kind: str, minimum: int, actual: int, path: Path) -> SchemaError:
    return SchemaError(f"{kind} too small (minimum {minimum}, got {actual})", path)


def _unexpected(value: object, expected: str, path: Path) -> SchemaError:
    return SchemaError(f"Expected {expected} value type (got {_show(value)})", path)


def _show(value: object) -> str:
    if isinstance(value, str):
        short = value if len(value) < _PREVIEW else value[: _PREVIEW - 1] + "…"
        return json.dumps(short, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value[:2])) + (", ..." if len(value) > 2 else "") + "]"
    if isinstance(value, dict):
        shown = [f"{json.dumps(key)}: ..." for key in list(value)[:2]]
        return "{" + ", ".join(shown) + (", ..." if len(value) > 2 else "") + "}"
    return json.dumps(value)


def _show_path(path: Path) -> str:
    return "$" + "".join(map(_show_segment, path))


def _show_segment(segment: str | int) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    return f".{segment}" if _PLAIN_KEY.fullmatch(segment) else f"[{json.dumps(segment)}]"

"""The official Bluesky lexicons: what methods take and answer, and what records look like.

They are read when a test runs. Checks are strict: keys that a lexicon does not name are refused,
except in what it leaves open (``unknown``) and in records, which anybody may extend.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import libipld
import regex
from atproto_client.models import string_formats
from pydantic import TypeAdapter, ValidationError

Json = Mapping[str, Any]
Definition = Mapping[str, Any]

_FORMATS: Mapping[str, Any] = {
    "at-identifier": string_formats.AtIdentifier,
    "at-uri": string_formats.AtUri,
    "cid": string_formats.Cid,
    "datetime": string_formats.DateTime,
    "did": string_formats.Did,
    "handle": string_formats.Handle,
    "language": string_formats.Language,
    "nsid": string_formats.Nsid,
    "record-key": string_formats.RecordKey,
    "tid": string_formats.Tid,
    "uri": string_formats.Uri,
}


class LexiconError(AssertionError):
    """A value is not what the lexicon says: where and why."""


class Lexicons:
    """The lexicons in a directory, one JSON file for each NSID."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._documents: dict[str, Definition] = {}

    def method(self, nsid: str) -> Definition:
        """The definition of a query or procedure."""
        return self._find(f"{nsid}#main")

    def check_params(self, nsid: str, params: Json) -> None:
        """Whether a method takes these query parameters (decoded values)."""
        declared = self.method(nsid).get("parameters", {"type": "params", "properties": {}})
        _Checker(self, nsid, closed=True).check(declared, params, "params")

    def check_input(self, nsid: str, body: object) -> None:
        """Whether a procedure takes this JSON body."""
        _Checker(self, nsid, closed=True).check(self.method(nsid)["input"]["schema"], body, "input")

    def check_output(self, nsid: str, body: object) -> None:
        """Whether a method may answer this; ``None`` is an empty body."""
        output = self.method(nsid).get("output")
        if output is None:
            _refuse(body is not None, nsid, "output", "an empty body was to be answered")
        elif output["encoding"] == "application/json":
            _Checker(self, nsid, closed=True).check(output["schema"], body, "output")

    def check_record(self, collection: str, record: object) -> None:
        """Whether a collection may hold this record."""
        definition = self._find(f"{collection}#main")
        _Checker(self, collection, closed=False).check(definition["record"], record, "record")

    def check_definition(self, reference: str, value: object) -> None:
        """Whether a value is what ``nsid#name`` defines."""
        nsid = reference.partition("#")[0]
        _Checker(self, nsid, closed=True).check({"type": "ref", "ref": reference}, value, "value")

    def find(self, reference: str, home: str) -> tuple[str, Definition]:
        """What a reference inside the lexicon ``home`` points at, and the lexicon it is in."""
        nsid, _, name = reference.partition("#")
        nsid = nsid or home
        return nsid, self._find(f"{nsid}#{name or 'main'}")

    def _find(self, reference: str) -> Definition:
        nsid, _, name = reference.partition("#")
        if nsid not in self._documents:
            path = self._root.joinpath(*nsid.split(".")).with_suffix(".json")
            self._documents[nsid] = json.loads(path.read_text("utf-8"))
        definition: Definition = self._documents[nsid]["defs"][name]
        return definition


class _Checker:
    """Checks values against one lexicon; ``closed`` refuses keys that it does not name."""

    def __init__(self, lexicons: Lexicons, home: str, *, closed: bool) -> None:
        self._lexicons = lexicons
        self._home = home
        self._closed = closed

    @cached_property
    def _kinds(self) -> Mapping[str, Callable[[Definition, Any, str], None]]:
        return {
            "object": self._object,
            "params": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "boolean": self._boolean,
            "union": self._union,
            "ref": self._ref,
            "unknown": partial(self._plain, dict),
            "blob": self._blob,
            "bytes": self._bytes,
            "cid-link": self._link,
        }

    def check(self, definition: Definition, value: object, path: str) -> None:
        """Raise :class:`LexiconError` unless ``value`` is what ``definition`` says."""
        self._kinds[definition["type"]](definition, value, path)

    def _refuse(self, wrong: bool, path: str, why: str) -> None:
        _refuse(wrong, self._home, path, why)

    def _plain(self, kind: type, _: Definition, value: object, path: str) -> None:
        self._refuse(not isinstance(value, kind), path, f"{value!r} is no {kind.__name__}")

    def _object(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise LexiconError(f"{self._home}: {path}: {value!r} is no object")
        properties = definition.get("properties", {})
        missing = set(definition.get("required", ())) - value.keys()
        self._refuse(bool(missing), path, f"{sorted(missing)} missing")
        surplus = value.keys() - properties.keys() - {"$type"} if self._closed else set()
        self._refuse(bool(surplus), path, f"{sorted(surplus)} not in the lexicon")
        for key, inner in properties.items():
            if key in value and not (value[key] is None and key in definition.get("nullable", ())):
                self.check(inner, value[key], f"{path}.{key}")

    def _array(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, list):
            raise LexiconError(f"{self._home}: {path}: {value!r} is no array")
        self._bounds(definition, len(value), "Length", path)
        for position, item in enumerate(value):
            self.check(definition["items"], item, f"{path}[{position}]")

    def _string(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, str):
            raise LexiconError(f"{self._home}: {path}: {value!r} is no string")
        self._bounds(definition, len(value.encode()), "Length", path)
        self._bounds(definition, len(regex.findall(r"\X", value)), "Graphemes", path)
        allowed = definition.get("enum", [definition["const"]] if "const" in definition else None)
        self._refuse(allowed is not None and value not in allowed, path, f"{value!r} not allowed")
        if "format" in definition:
            self._refuse(not _has_format(definition["format"], value), path, f"bad {value!r}")

    def _integer(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise LexiconError(f"{self._home}: {path}: {value!r} is no integer")
        self._refuse(value < definition.get("minimum", value), path, f"{value} too small")
        self._refuse(value > definition.get("maximum", value), path, f"{value} too big")

    def _boolean(self, definition: Definition, value: object, path: str) -> None:
        self._plain(bool, definition, value, path)
        self._refuse(value != definition.get("const", value), path, f"{value} not allowed")

    def _union(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("$type"), str):
            raise LexiconError(f"{self._home}: {path}: {value!r} has no $type")
        kinds = {reference.removesuffix("#main"): reference for reference in definition["refs"]}
        kinds |= {self._home + kind: ref for kind, ref in kinds.items() if kind.startswith("#")}
        kind = value["$type"]
        if kind in kinds:
            self._ref({"ref": kinds[kind]}, value, path)
        else:
            self._refuse(definition.get("closed", False), path, f"{kind} not in the union")

    def _ref(self, definition: Definition, value: object, path: str) -> None:
        home, found = self._lexicons.find(definition["ref"], self._home)
        _Checker(self._lexicons, home, closed=self._closed).check(found, value, path)

    def _blob(self, definition: Definition, value: object, path: str) -> None:
        if not isinstance(value, dict) or value.keys() != {"$type", "ref", "mimeType", "size"}:
            raise LexiconError(f"{self._home}: {path}: {value!r} is no blob")
        self._refuse(value["$type"] != "blob", path, f"$type is {value['$type']!r}")
        self._link({}, value["ref"], f"{path}.ref")
        self._string({}, value["mimeType"], f"{path}.mimeType")
        size = {"minimum": 0, "maximum": definition.get("maxSize", value["size"])}
        self._integer(size, value["size"], f"{path}.size")
        accepted = definition.get("accept", ["*/*"])
        fits = any(
            pattern in ("*/*", value["mimeType"])
            or (pattern.endswith("/*") and value["mimeType"].startswith(pattern[:-1]))
            for pattern in accepted
        )
        self._refuse(not fits, path, f"{value['mimeType']} is none of {accepted}")

    def _bytes(self, _: Definition, value: object, path: str) -> None:
        fits = isinstance(value, dict) and value.keys() == {"$bytes"}
        self._refuse(not fits, path, f"{value!r} is no bytes")

    def _link(self, _: Definition, value: object, path: str) -> None:
        fits = isinstance(value, dict) and value.keys() == {"$link"}
        self._refuse(not fits or not _has_format("cid", value["$link"]), path, f"{value!r}")  # type: ignore[index]

    def _bounds(self, definition: Definition, actual: int, what: str, path: str) -> None:
        self._refuse(actual < definition.get(f"min{what}", 0), path, f"{what} {actual} too small")
        self._refuse(
            actual > definition.get(f"max{what}", actual), path, f"{what} {actual} too big"
        )


def _refuse(wrong: bool, home: str, path: str, why: str) -> None:
    if wrong:
        raise LexiconError(f"{home}: {path}: {why}")


@cache
def _adapter(name: str) -> TypeAdapter[str]:
    return TypeAdapter(_FORMATS[name])


def _has_format(name: str, value: str) -> bool:
    try:
        _adapter(name).validate_python(value, context={"strict_string_format": True})
        if name == "cid":
            libipld.decode_cid(value)
    except (ValidationError, ValueError):
        return False
    return True

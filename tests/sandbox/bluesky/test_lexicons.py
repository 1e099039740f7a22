"""What the server takes is what the lexicons say it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.bluesky.records import RECORD_TYPES
from sandbox.bluesky.schema import (
    Array,
    Blob,
    Boolean,
    Data,
    Integer,
    Object,
    Optional,
    Schema,
    Text,
    Union,
)
from sandbox.bluesky.server.method import Method
from sandbox.bluesky.server.methods import METHODS
from tests.contracts.lexicon import Lexicons

Definition = Mapping[str, Any]

NOT_READ = {
    *("entities", "pronouns", "website", "joinedViaStarterPack", "pinnedPost"),
    *("com.atproto.label.defs#selfLabels", "chat.bsky.embed.joinLink"),
}
"""Fields and union members that mean nothing to this server: it takes them unjudged."""

BOUNDS = {
    "string": ("format", "minGraphemes", "maxGraphemes", "maxLength"),
    "integer": ("minimum", "maximum"),
    "array": ("minLength", "maxLength"),
    "blob": ("accept", "maxSize"),
    "boolean": (),
    "unknown": (),
}


def describe(schema: Schema) -> dict[str, Any]:
    """The type and bounds of a schema in the words of the lexicon language."""
    described: dict[str, Any]
    match schema:
        case Text():
            described = {
                "type": "string",
                "format": schema.form,
                "minGraphemes": schema.min_graphemes or None,
                "maxGraphemes": schema.max_graphemes,
                "maxLength": schema.max_bytes,
            }
        case Integer():
            bounds = {"minimum": schema.minimum, "maximum": schema.maximum}
            described = {"type": "integer", **bounds}
        case Boolean():
            described = {"type": "boolean"}
        case Blob():
            accepted = list(schema.accept)
            described = {"type": "blob", "accept": accepted, "maxSize": schema.max_size}
        case Array():
            lengths = {"minLength": schema.min_length or None, "maxLength": schema.max_length}
            described = {"type": "array", **lengths}
        case Data():
            described = {"type": "unknown"}
        case _:
            raise TypeError(schema)
    return {key: value for key, value in described.items() if value is not None}


def compare(lexicons: Lexicons, schema: Schema, definition: Definition, home: str) -> None:
    """A schema and what is inside it with a definition of the lexicon ``home``."""
    if isinstance(schema, Optional):
        schema = schema.schema
    if definition["type"] == "ref":
        inner_home, inner = lexicons.find(definition["ref"], home)
        compare(lexicons, schema, inner, inner_home)
    elif isinstance(schema, Object):
        compare_object(lexicons, schema, definition, home)
    elif isinstance(schema, Union):
        assert set(schema.members) == set(definition["refs"]) - NOT_READ
        for reference, member in schema.members.items():
            compare(lexicons, member, {"type": "ref", "ref": reference}, home)
    else:
        kind = definition["type"]
        bounds = {key: definition[key] for key in BOUNDS[kind] if key in definition}
        assert describe(schema) == {"type": kind, **bounds}
        if isinstance(schema, Array):
            compare(lexicons, schema.items, definition["items"], home)


def compare_object(lexicons: Lexicons, schema: Object, definition: Definition, home: str) -> None:
    """Keys, their order (it decides which mistake is told first), and what is required."""
    properties = definition["properties"]
    assert list(schema.fields) == [name for name in properties if name not in NOT_READ]
    required = {name for name, one in schema.fields.items() if not isinstance(one, Optional)}
    assert required == set(definition.get("required", ()))
    nullable = {
        name for name, one in schema.fields.items() if isinstance(one, Optional) and one.nullable
    }
    assert nullable == set(definition.get("nullable", ()))
    for name, field in schema.fields.items():
        compare(lexicons, field, properties[name], home)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.nsid)
def test_methods_are_declared_as_the_lexicon_has_them(lexicons: Lexicons, method: Method) -> None:
    """GET or POST, every parameter with its bounds and default, every key of the input."""
    definition = lexicons.method(method.nsid)
    assert definition["type"] == method.kind
    declared = definition.get("parameters", {"properties": {}})
    fields: dict[str, Schema] = {
        name: one.schema if one.required else Optional(one.schema)
        for name, one in method.params.items()
    }
    compare_object(lexicons, Object(fields), declared, method.nsid)
    defaults = {name: one.default for name, one in method.params.items() if one.default is not None}
    properties = declared["properties"].items()
    kept = {name: one["default"] for name, one in properties if "default" in one}
    assert defaults == kept
    body = definition.get("input", {})
    if isinstance(method.body, Object):
        compare(lexicons, method.body, body["schema"], method.nsid)
    else:
        assert body.get("encoding") == ("*/*" if method.body == "bytes" else None)


@pytest.mark.parametrize("collection", RECORD_TYPES)
def test_records_are_declared_as_the_lexicon_has_them(lexicons: Lexicons, collection: str) -> None:
    """Every field, with its bounds, down into embeds and facets."""
    _, definition = lexicons.find(collection, collection)
    kind = RECORD_TYPES[collection]
    assert kind.singleton == (definition["key"] == "literal:self")
    compare(lexicons, kind.schema, definition["record"], collection)


@pytest.mark.parametrize(
    "schema",
    [
        Array(Text("at-uri"), max_length=24),
        Array(Text("cid"), max_length=25),
        Array(Text("at-uri")),
        Text("at-uri"),
    ],
)
def test_a_wrong_declaration_would_be_found(lexicons: Lexicons, schema: Schema) -> None:
    """The comparison sees types, formats and lengths."""
    nsid = "app.bsky.feed.getPosts"
    definition = lexicons.method(nsid)["parameters"]["properties"]["uris"]
    compare(lexicons, Array(Text("at-uri"), max_length=25), definition, nsid)
    with pytest.raises(AssertionError):
        compare(lexicons, schema, definition, nsid)

"""Query parameters: from text to values, judged as the lexicon says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.schema import Array, Boolean, Integer, Object, Optional, Schema, SchemaError
from sandbox.bluesky.server.method import Parameter

_INTEGER = re.compile(r"-?\d+")


def decode(
    nsid: str, parameters: Mapping[str, Parameter], pairs: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The parameters that were given, with defaults for those that were not. Unknown ones pass.

    Raises:
        XrpcError: 400, one is missing or not valid.
    """
    given: dict[str, Any] = {}
    for name, text in pairs:
        parameter = parameters.get(name)
        if parameter is None or not text:
            continue  # the PDS takes an empty parameter for a missing one
        _add(given, name, parameter.schema, text)
    fields: dict[str, Schema] = {
        name: parameter.schema if parameter.required else Optional(parameter.schema)
        for name, parameter in parameters.items()
    }
    try:
        Object(fields).check(given, ())
    except SchemaError as error:
        raise invalid_request(f"Invalid {nsid} params: {error.issue}") from error
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    return {name: value for name, value in defaults.items() if value is not None} | given


def _add(given: dict[str, Any], name: str, schema: Schema, text: str) -> None:
    if isinstance(schema, Array):
        given.setdefault(name, []).append(_value(schema.items, text))
    elif name in given:
        given[name] = [given[name], _value(schema, text)]  # one too many: the check refuses it
    else:
        given[name] = _value(schema, text)


def _value(schema: Schema, text: str) -> int | bool | str:
    """The value that ``text`` means; the text itself if it means none, for the check to refuse."""
    if isinstance(schema, Integer) and _INTEGER.fullmatch(text):
        return int(text)
    if isinstance(schema, Boolean) and text in ("true", "false"):
        return text == "true"
    return text

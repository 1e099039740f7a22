"""The official Genesys Cloud Swagger: what may be sent, what may be answered, and nothing else.

It is read when a test runs; it is no part of this project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contracts.schema import Schema, SchemaChecker

SWAGGER_FILE = "genesys-openapi.json"


@dataclass(frozen=True)
class Operation:
    """One method of one path template, with what it takes and answers."""

    template: str
    description: Mapping[str, Any]

    def parameters(self, place: str) -> Mapping[str, Mapping[str, Any]]:
        """The parameters in ``path``, ``query`` or ``body``, by name."""
        declared = self.description.get("parameters", ())
        return {found["name"]: found for found in declared if found["in"] == place}


class Swagger:
    """The official description of the API, in Swagger 2.0."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._paths: Mapping[str, Mapping[str, Any]] = document["paths"]
        definitions: Mapping[str, Schema] = document["definitions"]
        self._sent = SchemaChecker(definitions, sending=True)
        self._answered = SchemaChecker(definitions, sending=False)

    @classmethod
    def load(cls, contracts_dir: Path) -> Swagger:
        """Read it from the contracts directory."""
        return cls(json.loads((contracts_dir / SWAGGER_FILE).read_text(encoding="utf-8")))

    def check_request(self, method: str, path: str, body: object = None) -> list[str]:
        """What is wrong with a request, in plain sentences; empty if it may be sent.

        Args:
            method: in any case.
            path: a path or a whole address, with its query.
            body: the parsed JSON, or ``None`` when there is no body.
        """
        address = urlsplit(path)
        operation = self.find_operation(method, address.path)
        if operation is None:
            return [f"{method.upper()} {address.path} is not in the Swagger"]
        return [
            *_check_query(operation, parse_qsl(address.query, keep_blank_values=True)),
            *self._check_body(operation, body),
        ]

    def check_response(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer, in plain sentences; empty if the platform may give it."""
        operation = self.find_operation(method, urlsplit(path).path)
        if operation is None:
            return [f"{method.upper()} {urlsplit(path).path} is not in the Swagger"]
        response = operation.description["responses"].get(str(status))
        if response is None:
            return [f"{operation.template} does not answer {status}"]
        if "schema" not in response:
            return [] if body is None else [f"{operation.template} answers {status} without body"]
        return list(self._answered.check(response["schema"], body, "answer"))

    def check_definition(self, name: str, value: object) -> list[str]:
        """What is wrong with ``value`` as something sent of the definition ``name``."""
        return list(self._sent.check({"$ref": f"#/definitions/{name}"}, value, name))

    def find_operation(self, method: str, path: str) -> Operation | None:
        """The operation for a concrete path: the one with the fewest placeholders that fits."""
        fitting = [
            template
            for template, operations in self._paths.items()
            if method.lower() in operations and _fits(template, path)
        ]
        if not fitting:
            return None
        template = min(fitting, key=lambda found: found.count("{"))
        return Operation(template, self._paths[template][method.lower()])

    def _check_body(self, operation: Operation, body: object) -> Iterator[str]:
        declared = next(iter(operation.parameters("body").values()), None)
        if declared is None:
            if body is not None:
                yield f"{operation.template} takes no body"
        elif body is not None:
            yield from self._sent.check(declared["schema"], body, "body")
        elif declared["required"]:
            yield "body is missing"


def _fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        part != "" if name.startswith("{") else part == name
        for name, part in zip(wanted, given, strict=True)
    )


def _check_query(operation: Operation, query: list[tuple[str, str]]) -> Iterator[str]:
    declared = operation.parameters("query")
    for name, value in query:
        if name not in declared:
            yield f"query {name} is unknown"
        elif declared[name]["type"] == "integer" and not value.isdecimal():
            yield f"query {name} is not an integer"
        elif declared[name]["type"] == "boolean" and value not in ("true", "false"):
            yield f"query {name} is not a boolean"
        elif value not in declared[name].get("enum", (value,)):
            yield f"query {name} is not one of {declared[name]['enum']}"
    given = {name for name, _ in query}
    for name, parameter in declared.items():
        if parameter["required"] and name not in given:
            yield f"query {name} is missing"

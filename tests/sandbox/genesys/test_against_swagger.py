"""Whatever the official Swagger refuses, the sandbox refuses too."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sandbox.genesys.checks import parse
from sandbox.genesys.errors import ApiError
from tests.contracts.swagger import Swagger
from tests.sandbox.genesys.bodies import Json
from tests.sandbox.genesys.operations import OPERATIONS

ODD_VALUES: tuple[Any, ...] = (
    *(None, "", "x", 1, -1, 1.5, 2**31, 2**63, True, [], {}, ["x"], ["x", "x"], [1], {"x": 1}),
    *("Private", "Public", "Text", "2026-06-10", "2026-06-10T21:05:40+00:00", "a b"),
)
EXTRA_NAMES = (
    *("id", "type", "selfUri", "platform", "direction", "idType", "image", "status", "name"),
    *("conversationId", "customAttributes", "additionalIds", "subType", "metadata", "unknown"),
    *("email", "nickname", "mentionIds", "tagIds", "mergeSet", "contentSizeBytes", "dateCreated"),
)


def is_accepted(adapter: TypeAdapter[Any], body: object) -> bool:
    try:
        parse(adapter, body)
    except ApiError:
        return False
    return True


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to everything inside a body, itself included."""
    yield path
    match value:
        case dict():
            for name, part in value.items():
                yield from places(part, (*path, name))
        case list():
            for index, part in enumerate(value):
                yield from places(part, (*path, index))


def at(body: object, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any JSON
    found: Any = body
    for step in path:
        found = found[step]
    return found


def spoiled(body: object) -> Iterator[object]:
    """The body with one odd value, one part less, or one part more, for all places."""
    for path in places(body):
        for odd in ODD_VALUES:
            yield replaced(body, path, odd)
        if path:
            changed = copy.deepcopy(body)
            del at(changed, path[:-1])[path[-1]]
            yield changed
        if isinstance(at(body, path), dict):
            for name in EXTRA_NAMES:
                changed = copy.deepcopy(body)
                at(changed, path).setdefault(name, "x")
                yield changed


def replaced(body: object, path: tuple[str | int, ...], value: object) -> object:
    if not path:
        return value
    changed = copy.deepcopy(body)
    at(changed, path[:-1])[path[-1]] = copy.deepcopy(value)
    return changed


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_good_body_is_accepted_by_both(swagger: Swagger, name: str) -> None:
    method, path, adapter, body = OPERATIONS[name]
    assert swagger.check_request(method, path, body) == []
    assert is_accepted(adapter, body)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_swagger_refuses_is_refused(swagger: Swagger, name: str) -> None:
    method, path, adapter, good = OPERATIONS[name]
    bad = [body for body in spoiled(good) if swagger.check_request(method, path, body)]
    assert len(bad) > 50
    assert [body for body in bad if is_accepted(adapter, body)] == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_what_the_swagger_refuses_is_refused_for_any_value_anywhere(
    swagger: Swagger, data: st.DataObject
) -> None:
    method, path, adapter, good = data.draw(st.sampled_from(list(OPERATIONS.values())))
    where = data.draw(st.sampled_from(list(places(good))))
    body = replaced(good, where, data.draw(JSON_VALUES))
    if swagger.check_request(method, path, body):
        assert not is_accepted(adapter, body)


@pytest.mark.parametrize(
    ("name", "where", "value"),
    [
        ("ingest", (0, "text"), ""),
        ("ingest", (0, "channel", "from", "image"), ""),
        ("message", ("content", 0, "attachment", "mime"), ""),
        ("receipt", ("status",), "Published"),
        ("contact", ("externalIds", 0, "value"), "x" * 256),
        ("contact", ("firstName",), "x" * 1001),
        ("enrich", ("matchingIdentifiers",), []),
    ],
)
def test_in_some_places_the_sandbox_is_stricter_than_the_swagger(
    swagger: Swagger, name: str, where: tuple[str | int, ...], value: object
) -> None:
    method, path, adapter, good = OPERATIONS[name]
    body: Json = replaced(good, where, value)  # type: ignore[assignment]
    assert swagger.check_request(method, path, body) == []
    assert not is_accepted(adapter, body)

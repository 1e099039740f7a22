"""What there is in Genesys Cloud already. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlencode

from actors.genesys.client import GenesysClient
from actors.genesys.endpoints import (
    EXTERNAL_SOURCES,
    INTEGRATIONS,
    TOPICS,
    Endpoints,
    make_external_source_path,
)
from actors.genesys.faults import GenesysRejected, PermissionMissing
from actors.genesys.models import list_entities, read_answer
from actors.messages import Json
from connector.organization import Identity, Integration, Rule, Source, Topic

T = TypeVar("T")
Named = TypeVar("Named", Integration, Source, Topic)

SOURCE_NAME = "Bluesky"
"""One for all accounts: a DID is the same person everywhere."""

NOT_THERE = {400, 404}
"""Statuses for an id that names nothing: not found, or not even of the form of one."""

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Sight(Generic[T]):
    """What was seen of one thing.

    Args:
        found: the thing.
        gone: the id that the settings name, when there is no such thing.
        rivals: how many have the name that ours would have, when nobody can tell which it is.
        hidden: the permissions without which it cannot be seen.
    """

    found: T | None = None
    gone: str | None = None
    rivals: int = 0
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sights:
    """All that was looked for. ``divisions`` are those of the topics that were listed."""

    source: Sight[Source]
    integration: Sight[Integration]
    identity: Sight[Identity]
    topic: Sight[Topic]
    rule: Sight[Rule]
    divisions: tuple[str, ...] = field(default=())


def make_name(handle: str) -> str:
    """What integration, topic and rule are called, and found by: each account has its own."""
    return f"Bluesky {handle}"


async def look_around(genesys: GenesysClient, ids: Mapping[str, str], name: str) -> Sights:
    """Look for everything: what the settings name first, else what has our name.

    Args:
        ids: what is named, by variable.
        name: that of :func:`make_name`.

    Raises:
        Fault: the login is refused, or the platform cannot be reached. A missing permission is no
            fault: see ``Sight.hidden``.
    """
    source = await _look_for_source(genesys, ids.get("GC_EXTERNAL_SOURCE_ID"))
    integration = await _look_for_integration(genesys, ids.get("GC_INTEGRATION_ID"), name)
    topic, divisions = await _look_for_topic(genesys, ids.get("GC_SOCIAL_TOPIC_ID"), name)
    rule_id = ids.get("GC_SOCIAL_RULE_ID")
    return Sights(
        source=source,
        integration=integration,
        identity=await _look_at_identity(genesys, integration.found),
        topic=topic,
        rule=await _look_for_rule(genesys, topic.found, rule_id, name),
        divisions=divisions,
    )


async def _look_for_source(genesys: GenesysClient, named: str | None) -> Sight[Source]:
    async def read(source_id: str) -> Source:
        path = make_external_source_path(source_id)
        return read_answer(Source, await genesys.request("GET", path))

    async def search() -> list[Source]:
        found: list[Source] = []
        query = {"name": SOURCE_NAME, "limit": str(_PAGE)}
        while True:
            answer = await genesys.request("GET", f"{EXTERNAL_SOURCES}?{urlencode(query)}")
            found += [read_answer(Source, one) for one in list_entities(answer)]
            after = _find_cursor(answer)
            if after is None:
                return _with_name(found, SOURCE_NAME)
            query["cursor"] = after

    return await _look(named, read, search)


async def _look_for_integration(
    genesys: GenesysClient, named: str | None, name: str
) -> Sight[Integration]:
    async def read(integration_id: str) -> Integration:
        path = Endpoints("", "", integration_id).integration
        return read_answer(Integration, await genesys.request("GET", path))

    async def search() -> list[Integration]:
        pages = await _read_pages(genesys, INTEGRATIONS, {})
        return _with_name([read_answer(Integration, one) for one in pages], name)

    return await _look(named, read, search)


async def _look_at_identity(
    genesys: GenesysClient, integration: Integration | None
) -> Sight[Identity]:
    if integration is None:
        return Sight()
    path = Endpoints("", "", integration.id).identity
    try:
        return Sight(read_answer(Identity, await genesys.request("GET", path)))
    except PermissionMissing as error:
        return Sight(hidden=error.permissions)
    except GenesysRejected as error:
        if error.status in NOT_THERE or error.code == "integration.not.active":
            return Sight()
        raise


async def _look_for_topic(
    genesys: GenesysClient, named: str | None, name: str
) -> tuple[Sight[Topic], tuple[str, ...]]:
    divisions: list[str] = []

    async def read(topic_id: str) -> Topic:
        path = Endpoints(topic_id, "", "").topic
        return read_answer(Topic, await genesys.request("GET", path))

    async def search() -> list[Topic]:
        topics = [read_answer(Topic, one) for one in await _read_pages(genesys, TOPICS, {})]
        divisions.extend(topic.division_id for topic in topics if topic.division_id)
        return _with_name(topics, name)

    sight = await _look(named, read, search)
    if sight.found is not None and sight.found.division_id:
        divisions.insert(0, sight.found.division_id)
    return sight, tuple(dict.fromkeys(divisions))


async def _look_for_rule(
    genesys: GenesysClient, topic: Topic | None, named: str | None, name: str
) -> Sight[Rule]:
    if topic is None:
        return Sight(gone=named)

    async def read(rule_id: str) -> Rule:
        path = Endpoints(topic.id, rule_id, "").rule
        return read_answer(Rule, await genesys.request("GET", path))

    async def search() -> list[Rule]:
        rules = await _read_pages(genesys, Endpoints(topic.id, "", "").rules, {})
        return [
            rule
            for one in rules
            if one.get("name") == name
            and (rule := await _read_if_there(read, str(one.get("id")))) is not None
        ]

    return await _look(named, read, search)


async def _look(
    named: str | None,
    read: Callable[[str], Awaitable[T]],
    search: Callable[[], Awaitable[list[T]]],
) -> Sight[T]:
    try:
        if named is not None and (one := await _read_if_there(read, named)) is not None:
            return Sight(one)
        found = await search()
    except PermissionMissing as error:
        return Sight(hidden=error.permissions)
    if len(found) > 1:
        return Sight(gone=named, rivals=len(found))
    return Sight(found[0] if found else None, gone=named)


async def _read_if_there(read: Callable[[str], Awaitable[T]], named: str) -> T | None:
    try:
        found = await read(named)
    except GenesysRejected as error:
        if error.status in NOT_THERE:
            return None
        raise
    return None if getattr(found, "status", None) == "Deleted" else found


async def _read_pages(genesys: GenesysClient, path: str, query: Mapping[str, str]) -> list[Json]:
    """All entities of a listing in numbered pages."""
    found: list[Json] = []
    number = 1
    while True:
        page = {**query, "pageNumber": str(number), "pageSize": str(_PAGE)}
        answer = await genesys.request("GET", f"{path}?{urlencode(page)}")
        found += list_entities(answer)
        count = answer.get("pageCount")
        if not isinstance(count, int) or number >= count:
            return found
        number += 1


def _with_name(things: list[Named], name: str) -> list[Named]:
    return [one for one in things if one.name == name and getattr(one, "status", None) != "Deleted"]


def _find_cursor(answer: Json) -> str | None:
    cursors = answer.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None

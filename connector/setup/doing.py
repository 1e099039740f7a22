"""Carries a plan out, one request at a time, and keeps each id as soon as it is known.

Whatever was done before an interruption is found by the next run: by its id in ``.env``, else by
its name. So it may be interrupted anywhere, and repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.endpoints import EXTERNAL_SOURCES, INTEGRATIONS, TOPICS, Endpoints
from actors.genesys.faults import GenesysRejected, PermissionMissing
from actors.genesys.models import read_answer
from actors.messages import Json
from connector.organization import (
    SECRET_FIELD,
    URL_FIELD,
    Integration,
    Rule,
    Source,
    Topic,
)
from connector.setup.deciding import GRANT, Plan, Wanted, make_waiting
from connector.setup.permissions import Missing
from connector.setup.steps import VARIABLES, Amend, Amendment, Blocked, Create, Keep, Kind, Step
from connector.shapes import split_secrets
from runtime.errors import Retryable

READY_WITHIN_S = 30.0
"""How long a new integration may take until it is ready (``createStatus``)."""

_LOOK_EVERY_S = 1.0
_NEEDS = {
    Kind.SOURCE: (),
    Kind.INTEGRATION: (),
    Kind.IDENTITY: (Kind.SOURCE, Kind.INTEGRATION),
    Kind.TOPIC: (),
    Kind.RULE: (Kind.SOURCE, Kind.TOPIC),
}

_DIVISION = (
    "If it is about the division: give the right one as GC_EC_DIVISION_ID "
    "(Admin → Organization → Divisions). Then run this again: what is there stays."
)
_NAME = "Mend what it says, and run this again: what is there stays."
_ADDRESS = "If it is about the address: give the right --public-url. Then run this again."
_ADVICE = {
    Kind.SOURCE: _NAME,
    Kind.INTEGRATION: _ADDRESS,
    Kind.IDENTITY: _DIVISION,
    Kind.TOPIC: _DIVISION,
    Kind.RULE: _NAME,
}
"""What to do when the platform refuses to make a thing as it was described."""

KeepId = Callable[[Kind, str], None]
"""Writes the id of a thing down for good."""


@dataclass(slots=True)
class Results:
    """What became of each thing.

    ``done`` has what happened as it is told; ``ids`` those that exist now.
    """

    ids: dict[Kind, str] = field(default_factory=dict)
    done: dict[Kind, Step] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)


async def carry_out(plan: Plan, wanted: Wanted, genesys: GenesysClient, keep_id: KeepId) -> Results:
    """Do all that can be done. A missing permission stops only what depends on it.

    If cancelled, the request under way may have taken effect; the next run finds out.

    Raises:
        Fault: anything else that the platform refuses, or that it cannot be reached.
    """
    results = Results()
    for step in plan.steps:
        lacking = [kind for kind in _NEEDS[step.kind] if kind not in results.ids]
        if lacking and not isinstance(step, (Blocked, Keep)):
            results.done[step.kind] = make_waiting(step.kind, lacking[0])
            continue
        try:
            found = await _carry_out_one(step, plan, wanted, genesys, results.ids)
        except PermissionMissing as error:
            results.done[step.kind] = _explain(step, error)
            results.missing += [Missing(one, f"a new {step.kind}") for one in error.permissions]
            continue
        except GenesysRejected as error:
            error.action = error.action or _ADVICE[step.kind]
            raise
        results.done[step.kind] = step
        if found is not None:
            results.ids[step.kind] = found
            if step.kind in VARIABLES:
                keep_id(step.kind, found)
        if isinstance(step, Create) and step.kind is Kind.INTEGRATION and found is not None:
            await _wait_until_ready(genesys, found)
    return results


async def _carry_out_one(
    step: Step, plan: Plan, wanted: Wanted, genesys: GenesysClient, ids: dict[Kind, str]
) -> str | None:
    match step:
        case Keep():
            return step.id
        case Create():
            return await _create(step, plan, wanted, genesys, ids)
        case Amend():
            for amendment in step.amendments:
                await _amend(step, amendment, wanted, genesys, ids)
            return step.id
        case Blocked():
            return None
        case _:
            assert_never(step)


async def _create(
    step: Create, plan: Plan, wanted: Wanted, genesys: GenesysClient, ids: dict[Kind, str]
) -> str:
    description = "Made by `bluesky-genesys setup`"
    match step.kind:
        case Kind.SOURCE:
            body: Json = {"name": step.name, "active": True}
            answer = await genesys.request("POST", EXTERNAL_SOURCES, body)
            return read_answer(Source, answer).id
        case Kind.INTEGRATION:
            body = {
                "name": step.name,
                URL_FIELD: wanted.webhook_url,
                SECRET_FIELD: None if plan.secret is None else split_secrets(plan.secret)[0],
            }
            return read_answer(Integration, await genesys.request("POST", INTEGRATIONS, body)).id
        case Kind.IDENTITY:
            await _resolve_identities(wanted, genesys, ids)
            return ids[Kind.INTEGRATION]
        case Kind.TOPIC:
            body = {"name": step.name, "divisionId": wanted.division_id, "description": description}
            return read_answer(Topic, await genesys.request("POST", TOPICS, body)).id
        case Kind.RULE:
            body = {
                "name": step.name,
                "externalSource": {"id": ids[Kind.SOURCE]},
                "description": description,
            }
            path = Endpoints(ids[Kind.TOPIC], "", "").open_rules
            return read_answer(Rule, await genesys.request("POST", path, body)).id
        case _:
            assert_never(step.kind)


async def _amend(
    step: Amend,
    amendment: Amendment,
    wanted: Wanted,
    genesys: GenesysClient,
    ids: dict[Kind, str],
) -> None:
    body = {"name": step.name}
    match amendment.part:
        case "identity":
            await _resolve_identities(wanted, genesys, ids)
            return
        case "webhook_url":
            body[URL_FIELD] = amendment.value
        case "secret":
            body[SECRET_FIELD] = amendment.value
        case _:
            assert_never(amendment.part)
    await genesys.request("PATCH", Endpoints("", "", step.id).integration, body)


async def _resolve_identities(wanted: Wanted, genesys: GenesysClient, ids: dict[Kind, str]) -> None:
    body = {
        "resolveIdentities": True,
        "division": {"id": wanted.division_id},
        "externalSource": {"id": ids[Kind.SOURCE]},
    }
    await genesys.request("PUT", Endpoints("", "", ids[Kind.INTEGRATION]).identity, body)


async def _wait_until_ready(genesys: GenesysClient, integration_id: str) -> None:
    path = Endpoints("", "", integration_id).integration
    with trio.move_on_after(READY_WITHIN_S):
        while True:
            found = read_answer(Integration, await genesys.request("GET", path))
            if found.create_status == "Error":
                raise Retryable(
                    f"Genesys Cloud could not make the integration “{found.name}”",
                    action="Delete it in Admin → Message → Platforms, and run this again.",
                )
            if found.create_status != "Initiated":
                return
            await trio.sleep(_LOOK_EVERY_S)
    raise Retryable(
        f"the new integration is not ready after {READY_WITHIN_S:g} s",
        action="Run this again in a minute: it goes on where it stopped.",
    )


def _explain(step: Step, error: PermissionMissing) -> Blocked:
    names = ", ".join(error.permissions) or "the permission that it needs"
    remedy = f"Give the OAuth client a role with {names}: {GRANT}."
    return Blocked(step.kind, "it may not be made or changed", remedy, error.permissions)

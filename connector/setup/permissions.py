"""Which permissions the OAuth client lacks, found out without changing anything.

The platform looks at permissions before anything else. So each question is about something that
does not exist: whoever may ask is told that there is no such thing, and whoever may not is told
the permission. Permissions to make new things are not asked about: only making one would tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actors.genesys.client import GenesysClient
from actors.genesys.endpoints import (
    ENRICH_CONTACT,
    LOOK_UP_CONTACT,
    Endpoints,
    make_contact_path,
    make_message_path,
)
from actors.genesys.faults import PermissionMissing
from actors.messages import Author, Json
from actors.translation.contact import (
    make_contact_changes,
    make_contact_state,
    make_enrichment,
    make_identifier,
)
from connector.setup.deciding import Plan
from connector.setup.steps import Create, Kind
from runtime.errors import Rejected

NOWHERE = "00000000-0000-0000-0000-000000000000"
"""An id that nothing has."""

_ENDPOINTS = Endpoints(NOWHERE, NOWHERE, NOWHERE)
_NOBODY = Author(did="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", handle="nobody.invalid")
_STATE = make_contact_state(_NOBODY, source_id=NOWHERE, division_id=NOWHERE)
_RECEIPT: Json = {
    "id": NOWHERE,
    "channel": {"to": {"id": _NOBODY.did}, "time": "1970-01-01T00:00:00.000Z"},
    "status": "Delivered",
    "isFinalReceipt": True,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: ``body`` goes to ``path``; ``purpose`` is what the permission is for."""

    purpose: str
    method: str
    path: str
    body: object = None
    without: str | None = None


_ALWAYS = (
    Probe("public posts in", "POST", _ENDPOINTS.public_messages, []),
    Probe("direct messages in, and receipts", "POST", _ENDPOINTS.receipt, _RECEIPT),
    Probe("the open data ingestion rule", "GET", _ENDPOINTS.rule),
)
_REACTIONS = Probe(
    "reactions in",
    "POST",
    _ENDPOINTS.reactions,
    {"events": []},
    without="or set REACTIONS_EVERY=0",
)
_MISSED = Probe(
    "answers that were missed in an outage",
    "GET",
    make_message_path("0" * 32),
    without="or set RECONCILE_WINDOW=0",
)
_CONTACTS = (
    Probe("contacts", "POST", LOOK_UP_CONTACT, make_identifier(_STATE, "Bluesky")),
    Probe(
        "contacts",
        "PATCH",
        make_contact_path(NOWHERE),
        make_contact_changes(_STATE, frozenset()),
    ),
    Probe(
        "contacts in one step",
        "POST",
        f"{ENRICH_CONTACT}?dryRun=true",
        make_enrichment(_STATE, "Bluesky", frozenset()),
        without="or do without: then contacts are looked up and written one by one",
    ),
)
_IDENTITY = Probe("identity resolution", "GET", _ENDPOINTS.identity)
_NEW_IDENTITY = Probe(
    "identity resolution", "PUT", _ENDPOINTS.identity, {"resolveIdentities": False}
)
_RULE = Probe(
    "a new open data ingestion rule",
    "POST",
    _ENDPOINTS.open_rules,
    {"name": "Bluesky", "externalSource": {"id": NOWHERE}},
)


@dataclass(frozen=True, slots=True)
class Missing:
    """One permission that is missing, what it is for, and how to do without it, if one can."""

    permission: str
    purpose: str
    without: str | None = None


def choose_probes(plan: Plan, *, contacts: bool, reactions: bool, missed: bool) -> list[Probe]:
    """What has to be asked: for running, and for what the plan is about to do."""
    probes = [*_ALWAYS]
    probes += [_REACTIONS] if reactions else []
    probes += [_MISSED] if missed else []
    probes += _CONTACTS if contacts else ()
    probes += [_IDENTITY] if contacts else []
    probes += [_NEW_IDENTITY] if _is_new(plan, Kind.IDENTITY) else []
    probes += [_RULE] if _is_new(plan, Kind.RULE) else []
    return probes


async def find_missing(genesys: GenesysClient, probes: Iterable[Probe]) -> list[Missing]:
    """Ask all of them; returns the permissions that are missing, each once.

    Raises:
        Fault: the platform cannot be reached, or refuses the login.
    """
    missing: dict[str, Missing] = {}
    for probe in probes:
        try:
            await genesys.request(probe.method, probe.path, probe.body)
        except PermissionMissing as error:
            for name in error.permissions or ("a permission that was not named",):
                missing.setdefault(name, Missing(name, probe.purpose, probe.without))
        except Rejected:
            continue  # There is no such thing, as was to be expected: so one may ask for it.
    return [*missing.values()]


def _is_new(plan: Plan, kind: Kind) -> bool:
    return isinstance(plan.find(kind), Create)

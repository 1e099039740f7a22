"""A Bluesky account as an external contact of Genesys Cloud: the bodies of the requests.

Identity is the DID, as an identifier of the external source. The name goes to ``firstName``. A
contact has no field for a handle; it is shown in ``externalSystemUrl``, the address of the profile,
where it can be read and clicked. ``title`` and the other names are left to what agents learn of the
person.

What people have entered stays. A field is overwritten only if it still holds what the connector
wrote there itself; otherwise it is only filled when it is empty.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from actors.messages import Author
from actors.translation.links import make_profile_link

ContactField: TypeAlias = Literal["firstName", "externalSystemUrl"]
"""The fields of ``ExternalContact`` that the connector writes."""

_NAME_LIMIT = 1000
_INVALID_HANDLE = "handle.invalid"


@dataclass(frozen=True, slots=True)
class ContactState:
    """What a contact should hold, or what the connector last wrote, and where."""

    source_id: str
    division_id: str
    did: str
    first_name: str
    profile_url: str

    def fields(self) -> dict[ContactField, str]:
        """By the names of ``ExternalContact``."""
        return {"firstName": self.first_name, "externalSystemUrl": self.profile_url}

    def is_in_place_of(self, other: ContactState) -> bool:
        """Whether both are of the same source and division, and so of the same contact."""
        return (self.source_id, self.division_id) == (other.source_id, other.division_id)


def make_contact_state(author: Author, *, source_id: str, division_id: str) -> ContactState:
    """What the contact of an account should hold.

    The handle stands for a missing name. An account whose handle is not valid is linked by its DID.
    """
    name = (author.display_name or "").strip()[:_NAME_LIMIT].strip()
    handle = "" if author.handle == _INVALID_HANDLE else author.handle
    return ContactState(
        source_id=source_id,
        division_id=division_id,
        did=author.did,
        first_name=name or handle or author.did,
        profile_url=make_profile_link(author.did, handle),
    )


def write_contact_state(state: ContactState) -> str:
    """As text, to be kept."""
    return json.dumps(asdict(state), sort_keys=True)


def read_contact_state(text: str | None) -> ContactState | None:
    """From kept text; ``None`` if there is none, or none that can be read.

    Without it nobody knows what the connector wrote: the contact's fields then count as somebody
    else's, and follow the account no more. So a field that a later release added is passed over.
    """
    names = {field.name for field in fields(ContactState)}
    try:
        written = json.loads(text or "null")
        return ContactState(**{name: one for name, one in written.items() if name in names})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def find_own_fields(
    known: ContactState | None, current: dict[ContactField, str | None]
) -> frozenset[ContactField]:
    """The fields that still hold what the connector last wrote, and so are its to change."""
    if known is None:
        return frozenset()
    return frozenset(name for name, text in known.fields().items() if current.get(name) == text)


def make_identifier(state: ContactState, source_name: str) -> dict[str, Any]:
    """``ContactIdentifier``: the DID in the external source, whose name the Swagger requires."""
    return {
        "type": "ExternalId",
        "value": state.did,
        "externalSource": {"id": state.source_id, "name": source_name},
    }


def make_contact(state: ContactState, source_name: str) -> dict[str, Any]:
    """``ExternalContact``, as it is created."""
    source = {"id": state.source_id, "name": source_name}
    return {
        "division": {"id": state.division_id},
        "firstName": state.first_name,
        "externalSystemUrl": state.profile_url,
        "externalIds": [{"externalSource": source, "value": state.did}],
    }


def make_enrichment(
    state: ContactState, source_name: str, own: frozenset[ContactField]
) -> dict[str, Any]:
    """``ContactEnrichRequest``: create the contact, or update what is the connector's in it."""
    contact = make_contact(state, source_name)
    division = contact.pop("division")
    rules = [{"field": f"$.{name}", "action": "PreferProvided"} for name in sorted(own)]
    return {
        "division": division,
        "action": "Upsert",
        "matchingIdentifiers": [make_identifier(state, source_name)],
        "contact": contact,
        "fieldRules": {"defaultAction": "PreferExisting", "rules": rules},
    }


def make_contact_changes(state: ContactState, own: frozenset[ContactField]) -> dict[str, Any]:
    """``ExternalContactsPatchRequest`` for a contact that exists."""
    return {
        "changes": [
            {
                "field": f"$.{name}",
                "action": "Update" if name in own else "UpdateIfEmpty",
                "value": text,
            }
            for name, text in state.fields().items()
        ]
    }

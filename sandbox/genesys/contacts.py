"""External contacts: one person each, found by the identifiers that they claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sandbox.genesys.checks import parse
from sandbox.genesys.contact_merge import apply_change, merge
from sandbox.genesys.contact_models import (
    CONTACT,
    Contact,
    Division,
    EnrichRequest,
    Identifier,
    PatchRequest,
)
from sandbox.genesys.errors import ApiError, conflict, not_found, unprocessable
from sandbox.genesys.ids import Ids
from sandbox.genesys.setup import Setup
from sandbox.genesys.wire import Json, timestamp

Claim: TypeAlias = tuple[str, str, str]
"""Type of identifier, id of its external source (or empty), value."""


class Contacts:
    """All external contacts of the organization, by id.

    A claim belongs to one contact only. What a contact claims is what its own data names
    (``externalIds`` and ``identifiers``): identifiers that a request only matches by are not
    added to it.
    """

    def __init__(self, *, setup: Setup, ids: Ids, now: Callable[[], datetime]) -> None:
        self.by_id: dict[str, Json] = {}
        self._claims: dict[Claim, str] = {}
        self._setup = setup
        self._ids = ids
        self._now = now

    def get(self, contact_id: str) -> Json:
        """A contact by its id.

        Raises:
            ApiError: 404.
        """
        found = self.by_id.get(contact_id)
        if found is None:
            raise not_found("entity.not.found", "Specified contactId not found.")
        return found

    def lookup(self, identifier: Identifier) -> Json:
        """The contact that claims an identifier.

        Raises:
            ApiError: 404 if nobody does.
        """
        found = self._find(identifier)
        if found is None:
            raise not_found()
        return found

    def search(self, text: str) -> list[Json]:
        """Contacts whose names or identifiers contain a text, in any case: no identity check."""
        return [
            contact
            for contact in self.by_id.values()
            if any(text.casefold() in value.casefold() for value in _searched(contact))
        ]

    def create(self, contact: Contact) -> Json:
        """Add a contact.

        Raises:
            ApiError: 409 if one of its identifiers is claimed already; 422, 400.
        """
        return self._store(self._ids.uuid(), contact.division, self._data(contact), created_at=None)

    def replace(self, contact_id: str, contact: Contact) -> Json:
        """Replace a contact as a whole.

        Raises:
            ApiError: 404, 409, 422, 400.
        """
        existing = self.get(contact_id)
        division = contact.division
        return self._store(contact_id, division, self._data(contact), existing["createDate"])

    def patch(self, contact_id: str, request: PatchRequest) -> Json:
        """Change single fields of a contact.

        Raises:
            ApiError: 404, 409, 422, 400.
        """
        existing = self.get(contact_id)
        data = _writable(existing)
        for change in request.changes:
            data = apply_change(data, change)
        return self._store(
            contact_id, None, self._data(parse(CONTACT, data)), existing["createDate"]
        )

    def enrich(self, request: EnrichRequest, *, dry_run: bool = False) -> tuple[int, Json]:
        """Find and update, or create: 200 or 201, and the contact.

        Args:
            request: what was asked.
            dry_run: show the contact as it would be, and keep everything as it is.

        Raises:
            ApiError: 404, 409, 422, 400.
        """
        existing = self._matching(request.matching_identifiers)
        provided = request.contact or Contact()
        division = request.division or provided.division
        if existing is None:
            if request.action == "Update":
                message = "No matching contact was found by `matchingIdentifiers`; can not update."
                raise not_found("matching.contact.not.found", message)
            data = self._data(provided)
            new_id = self._ids.uuid()
            return 201, self._store(new_id, division, data, created_at=None, dry_run=dry_run)
        if request.action == "Insert":
            message = (
                "Another contact was found by `matchingIdentifiers`; will not insert duplicate."
            )
            raise conflict("matching.contact.found", message)
        merged = merge(_writable(existing), self._data(provided), request.field_rules)
        data = self._data(parse(CONTACT, merged))
        created_at = existing["createDate"]
        return 200, self._store(existing["id"], division, data, created_at, dry_run=dry_run)

    def _matching(self, identifiers: Iterable[Identifier]) -> Json | None:
        found = [contact for contact in map(self._find, identifiers) if contact is not None]
        if len({contact["id"] for contact in found}) > 1:
            raise unprocessable("this sandbox does not merge contacts")
        return found[0] if found else None

    def _find(self, identifier: Identifier) -> Json | None:
        source_id = ""
        if identifier.external_source is not None:
            source_id = self._source_id(identifier.external_source.id)
        contact_id = self._claims.get((identifier.type, source_id, identifier.value))
        return None if contact_id is None else self.by_id[contact_id]

    def _store(
        self,
        contact_id: str,
        division: Division | None,
        data: Json,
        created_at: str | None,
        *,
        dry_run: bool = False,
    ) -> Json:
        self._check_division(division)
        claims = self._claims_of(data)
        for claim in claims:
            if self._claims.get(claim, contact_id) != contact_id:
                raise conflict()
        now = timestamp(self._now())
        stored: Json = {
            **data,
            "id": contact_id,
            "division": {"id": self._setup.division_id},
            "type": "Curated",
            "createDate": created_at or now,
            "modifyDate": now,
            "selfUri": f"/api/v2/externalcontacts/contacts/{contact_id}",
        }
        if dry_run:
            return stored
        for claim in self._claims_of(_writable(self.by_id.get(contact_id, {}))):
            del self._claims[claim]
        self._claims.update(dict.fromkeys(claims, contact_id))
        self.by_id[contact_id] = stored
        return stored

    def _check_division(self, division: Division | None) -> None:
        if division is not None and division.id != self._setup.division_id:
            message = "The specified division(s) is not valid."
            raise ApiError(400, "invalid.division.id", message)

    def _claims_of(self, data: Mapping[str, Any]) -> set[Claim]:
        claims = set()
        for external_id in data.get("externalIds", ()):
            source_id = self._source_id(external_id["externalSource"].get("id"))
            claims.add(("ExternalId", source_id, external_id["value"]))
        for identifier in data.get("identifiers", ()):
            source = identifier.get("externalSource")
            source_id = "" if source is None else self._source_id(source.get("id"))
            claims.add((identifier["type"], source_id, identifier["value"]))
        return claims

    def _data(self, contact: Contact) -> Json:
        data: Json = contact.model_dump(
            by_alias=True, exclude_unset=True, exclude={"id", "division"}
        )
        for claimed in (*data.get("externalIds", ()), *data.get("identifiers", ())):
            if "externalSource" in claimed:
                source_id = self._source_id(claimed["externalSource"].get("id"))
                name = self._setup.sources[source_id].name
                claimed["externalSource"] = {"id": source_id, "name": name}
        return data

    def _source_id(self, source_id: str | None) -> str:
        if source_id not in self._setup.sources:
            raise unprocessable(f"there is no external source {source_id}")
        return source_id


def _writable(contact: Mapping[str, Any]) -> Json:
    fixed = {"id", "division", "type", "createDate", "modifyDate", "selfUri"}
    return {name: value for name, value in contact.items() if name not in fixed}


def _searched(contact: Json) -> Iterable[str]:
    for name in ("firstName", "middleName", "lastName", "title"):
        yield contact.get(name, "")
    for external_id in contact.get("externalIds", ()):
        yield external_id["value"]

"""External contacts and external sources."""

from __future__ import annotations

from sandbox.genesys.api import Answer, Api, Request
from sandbox.genesys.contact_models import (
    BULK_ENRICH,
    CONTACT,
    ENRICH,
    EXTERNAL_SOURCE,
    IDENTIFIER,
    PATCH,
    EnrichRequest,
)
from sandbox.genesys.contacts import Contacts
from sandbox.genesys.errors import ApiError, not_found
from sandbox.genesys.organization import GenesysOrganization
from sandbox.genesys.setup import Setup
from sandbox.genesys.setup_models import ASSOCIATION
from sandbox.genesys.wire import Json

_BASE = "/api/v2/externalcontacts"
_VIEW = ("relate:contact:view", "externalContacts:contact:view")
_ADD = ("relate:contact:add", "externalContacts:contact:add")
_EDIT = ("relate:contact:edit", "externalContacts:contact:edit")
_ENRICH = ("externalContacts:contact:enrich",)
_VIEW_SOURCE = (
    "externalContacts:externalSource:view",
    "externalContacts:contact:view",
    "externalContacts:externalOrganization:view",
)
_ASSOCIATE = ("relate:conversation:associate", "externalContacts:conversation:associate")


def add_contact_routes(api: Api, organization: GenesysOrganization) -> None:
    """Add these operations."""
    _add_contacts(api, organization.contacts)
    _add_identification(api, organization.contacts)
    _add_sources(api, organization.setup)
    _add_association(api, organization)


def _add_contacts(api: Api, contacts: Contacts) -> None:
    @api.operation("GET", f"{_BASE}/contacts", any_of=_VIEW)
    def search(request: Request) -> Answer:
        page, size = request.number("pageNumber", 1), request.number("pageSize", 20)
        found = contacts.search(request.query.get("q", ""))
        return 200, {
            "entities": found[(page - 1) * size : page * size],
            "pageNumber": page,
            "pageSize": size,
            "total": len(found),
            "pageCount": -(-len(found) // size),
        }

    @api.operation("POST", f"{_BASE}/contacts", any_of=_ADD)
    def create(request: Request) -> Answer:
        return 200, contacts.create(request.parse(CONTACT))

    @api.operation("GET", f"{_BASE}/contacts/<contact_id>", any_of=_VIEW)
    def read(request: Request, contact_id: str) -> Answer:
        return 200, contacts.get(contact_id)

    @api.operation("PUT", f"{_BASE}/contacts/<contact_id>", any_of=_EDIT)
    def replace(request: Request, contact_id: str) -> Answer:
        return 200, contacts.replace(contact_id, request.parse(CONTACT))

    @api.operation("PATCH", f"{_BASE}/contacts/<contact_id>", any_of=_EDIT[1:])
    def patch(request: Request, contact_id: str) -> Answer:
        return 200, contacts.patch(contact_id, request.parse(PATCH))


def _add_identification(api: Api, contacts: Contacts) -> None:
    @api.operation("POST", f"{_BASE}/contacts/enrich", any_of=_ENRICH)
    def enrich(request: Request) -> Answer:
        dry_run = request.query.get("dryRun") == "true"
        return contacts.enrich(request.parse(ENRICH), dry_run=dry_run)

    @api.operation("POST", f"{_BASE}/bulk/contacts/enrich", any_of=_ENRICH)
    def enrich_all(request: Request) -> Answer:
        results = [_enrich_one(contacts, each) for each in request.parse(BULK_ENRICH).entities]
        failed = [index for index, result in enumerate(results) if not result["success"]]
        return 200, {"results": results, "errorCount": len(failed), "errorIndexes": failed}

    @api.operation("POST", f"{_BASE}/identifierlookup/contacts", any_of=_VIEW[1:])
    def look_up(request: Request) -> Answer:
        return 200, contacts.lookup(request.parse(IDENTIFIER))

    @api.operation("POST", f"{_BASE}/identifierlookup", any_of=_VIEW)
    def look_up_as_before(request: Request) -> Answer:
        return 200, contacts.lookup(request.parse(IDENTIFIER))


def _enrich_one(contacts: Contacts, request: EnrichRequest) -> Json:
    tracker = {} if request.id is None else {"id": request.id}
    try:
        status, contact = contacts.enrich(request)
    except ApiError as error:
        refusal = {"code": error.code, "message": error.message, "status": error.status}
        failure = {**refusal, "retryable": False}
        return {**tracker, "success": False, "status": error.status, "error": failure}
    return {**tracker, "success": True, "status": status, "entity": contact}


def _add_sources(api: Api, setup: Setup) -> None:
    @api.operation("GET", f"{_BASE}/externalsources", any_of=_VIEW_SOURCE)
    def read_all(request: Request) -> Answer:
        name, active = request.query.get("name", ""), request.query.get("active")
        limit, cursor = request.number("limit", 100), request.query.get("cursor", "0")
        sources = [
            source.as_json()
            for source in setup.sources.values()
            if source.name.startswith(name) and active in (None, str(source.active).lower())
        ]
        first = int(cursor) if cursor.isdecimal() else 0
        more = {"cursors": {"after": str(first + limit)}} if first + limit < len(sources) else {}
        return 200, {"entities": sources[first : first + limit], **more}

    @api.operation(
        "POST", f"{_BASE}/externalsources", any_of=("externalContacts:externalSource:add",)
    )
    def create(request: Request) -> Answer:
        wanted = request.parse(EXTERNAL_SOURCE)
        link = wanted.link_configuration
        created = setup.add_source(
            wanted.name,
            active=wanted.active is not False,
            link_configuration=None if link is None else link.model_dump(by_alias=True),
        )
        return 200, created.as_json()

    @api.operation("GET", f"{_BASE}/externalsources/<source_id>", any_of=_VIEW_SOURCE)
    def read(request: Request, source_id: str) -> Answer:
        return 200, setup.source(source_id).as_json()


def _add_association(api: Api, organization: GenesysOrganization) -> None:
    @api.operation("PUT", f"{_BASE}/conversations/<conversation_id>", any_of=_ASSOCIATE)
    def associate(request: Request, conversation_id: str) -> Answer:
        wanted = request.parse(ASSOCIATION)
        conversation = organization.conversations.get(conversation_id)
        if conversation is None or wanted.conversation_id != conversation_id:
            raise not_found()
        if wanted.external_contact_id is not None:
            organization.contacts.get(wanted.external_contact_id)
        conversation.external_contact_id = wanted.external_contact_id
        return 202, None

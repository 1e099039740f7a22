"""Integrations, identity resolution, topics and their rules."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.genesys.api import Answer, Api, Request
from sandbox.genesys.errors import ApiError, conflict
from sandbox.genesys.organization import GenesysOrganization
from sandbox.genesys.setup import Setup
from sandbox.genesys.setup_models import (
    IDENTITY_RESOLUTION,
    INTEGRATION,
    INTEGRATION_UPDATE,
    RULE,
    TOPIC,
    IdentityResolution,
)
from sandbox.genesys.wire import Json

_INTEGRATIONS = "/api/v2/conversations/messaging/integrations/open"
_IDENTITY = "/api/v2/conversations/messaging/identityresolution/integrations/open"
_TOPICS = "/api/v2/socialmedia/topics"
_VIEW = ("messaging:integration:view",)
_EDIT = ("messaging:integration:edit",)


def add_setup_routes(api: Api, organization: GenesysOrganization) -> None:
    """Add these operations."""
    _add_integrations(api, organization)
    _add_identity_resolution(api, organization.setup)
    _add_topics(api, organization.setup)
    _add_rules(api, organization.setup)


def _add_integrations(api: Api, organization: GenesysOrganization) -> None:
    setup = organization.setup

    @api.operation("GET", _INTEGRATIONS, all_of=_VIEW)
    def read_all(request: Request) -> Answer:
        found = [setup.show(integration) for integration in setup.integrations.values()]
        return 200, _listing(found, request)

    @api.operation("POST", _INTEGRATIONS, all_of=("messaging:integration:add",))
    def create(request: Request) -> Answer:
        wanted = request.parse(INTEGRATION)
        created = setup.add_integration(
            wanted.name,
            wanted.outbound_notification_webhook_url,
            wanted.outbound_notification_webhook_signature_secret_token,
            wanted.webhook_headers or {},
        )
        return (202 if created.reads_until_created else 200), setup.show(created)

    @api.operation("GET", f"{_INTEGRATIONS}/<integration_id>", all_of=_VIEW)
    def read(request: Request, integration_id: str) -> Answer:
        integration = setup.integration(integration_id)
        answer = setup.show(integration)
        integration.reads_until_created = max(0, integration.reads_until_created - 1)
        return 200, answer

    @api.operation("PATCH", f"{_INTEGRATIONS}/<integration_id>", all_of=_EDIT)
    def update(request: Request, integration_id: str) -> Answer:
        integration = setup.integration(integration_id)
        wanted = request.parse(INTEGRATION_UPDATE)
        integration.name = wanted.name
        url = wanted.outbound_notification_webhook_url
        secret = wanted.outbound_notification_webhook_signature_secret_token
        integration.webhook_url = url or integration.webhook_url
        integration.webhook_secret = secret or integration.webhook_secret
        if wanted.webhook_headers is not None:
            integration.webhook_headers = wanted.webhook_headers
        integration.modified_at = organization.now()
        return 200, setup.show(integration)


def _add_identity_resolution(api: Api, setup: Setup) -> None:
    permission = "messaging:identityResolutionOpen"

    @api.operation("GET", f"{_IDENTITY}/<integration_id>", all_of=(*_VIEW, f"{permission}:view"))
    def read(request: Request, integration_id: str) -> Answer:
        return 200, setup.integration(integration_id).identity_resolution

    @api.operation("PUT", f"{_IDENTITY}/<integration_id>", all_of=(*_EDIT, f"{permission}:edit"))
    def update(request: Request, integration_id: str) -> Answer:
        integration = setup.integration(integration_id)
        if integration.reads_until_created:
            raise conflict("integration.not.active", "Integration is not active")
        wanted = request.parse(IDENTITY_RESOLUTION)
        _check_identity_resolution(setup, wanted)
        integration.identity_resolution = wanted.model_dump(by_alias=True, exclude_none=True)
        return 200, integration.identity_resolution


def _check_identity_resolution(setup: Setup, wanted: IdentityResolution) -> None:
    if wanted.division is not None and wanted.division.id != setup.division_id:
        raise ApiError(400, "division.not.found", "Division with that ID not found")
    source = wanted.external_source
    if source is not None and source.id not in setup.sources:
        message = "The configuration you specified is invalid."
        raise ApiError(422, "validation.failed", message)


def _add_topics(api: Api, setup: Setup) -> None:
    view = ("socialmedia:topic:view",)

    @api.operation("GET", _TOPICS, any_of=view)
    def read_all(request: Request) -> Answer:
        name = request.query.get("name", "").lower()
        topics = [
            topic.as_json_with_rules()
            for topic in setup.topics.values()
            if name in topic.name.lower()
        ]
        return 200, _listing(topics, request)

    @api.operation("POST", _TOPICS, any_of=("socialmedia:topic:add",))
    def create(request: Request) -> Answer:
        wanted = request.parse(TOPIC)
        created = setup.add_topic(wanted.name, wanted.description or "", wanted.division_id)
        return 200, created.as_json()

    @api.operation("GET", f"{_TOPICS}/<topic_id>", any_of=view)
    def read(request: Request, topic_id: str) -> Answer:
        return 200, setup.topic(topic_id).as_json_with_rules()


def _add_rules(api: Api, setup: Setup) -> None:
    rules = f"{_TOPICS}/<topic_id>/dataingestionrules"
    permission = "socialmedia:openDataIngestionRule"

    @api.operation("GET", rules, any_of=("socialmedia:topic:view",))
    def read_all(request: Request, topic_id: str) -> Answer:
        found = [rule.as_listed() for rule in setup.topic(topic_id).rules.values()]
        return 200, _listing(found, request)

    @api.operation("POST", f"{rules}/open", any_of=(f"{permission}:add",))
    def create(request: Request, topic_id: str) -> Answer:
        wanted = request.parse(RULE)
        source_id = wanted.external_source.id
        created = setup.add_rule(topic_id, wanted.name, wanted.description or "", source_id)
        return 202, created.as_json()

    @api.operation("GET", f"{rules}/open/<rule_id>", all_of=(f"{permission}:view",))
    def read(request: Request, topic_id: str, rule_id: str) -> Answer:
        return 200, setup.rule(topic_id, rule_id).as_json()


def _listing(entities: Sequence[Json], request: Request) -> Json:
    page, size = request.number("pageNumber", 1), request.number("pageSize", 25)
    return {
        "entities": list(entities[(page - 1) * size : page * size]),
        "pageNumber": page,
        "pageSize": size,
        "total": len(entities),
        "pageCount": -(-len(entities) // size),
    }

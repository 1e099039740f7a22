"""The organization: login, the things that were set up in it, and the permissions to see them."""

from __future__ import annotations

from actors.genesys.client import GenesysClient
from actors.genesys.delivery import NOT_FOUND, has_status
from actors.genesys.endpoints import (
    ENRICH_CONTACT,
    make_external_source_path,
    make_message_path,
)
from actors.genesys.faults import PermissionMissing
from actors.genesys.reconciler import explain
from actors.messages import Author, Json
from actors.translation.contact import make_contact_state, make_enrichment
from connector.check.items import Finding, Item, NotAsItShouldBe
from connector.clients import make_endpoints
from connector.organization import read_integration
from connector.settings import Settings
from runtime.errors import AuthRejected, Rejected

_LOGIN = "genesys_login"
_NO_MESSAGE = "00000000000000000000000000000000"
_NOBODY = Author(did="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", handle="nobody.invalid")


def make_genesys_items(settings: Settings, genesys: GenesysClient) -> list[Item]:
    """Login, integration, topic, rule, and what is turned on besides."""
    items = [_login_item(settings, genesys), _integration_item(settings, genesys)]
    items += _social_items(settings, genesys)
    if settings.reconcile_window > 0:
        items.append(_missed_answers_item(genesys))
    if settings.enable_external_contacts:
        items += _contact_items(settings, genesys)
    return items


def _login_item(settings: Settings, genesys: GenesysClient) -> Item:
    async def log_in() -> Finding:
        await genesys.log_in()
        return Finding(f"{settings.gc_login_url} gives tokens")

    return Item(
        _LOGIN,
        "Genesys Cloud login",
        log_in,
        "Check GC_REGION, GC_CC_CLIENT_ID and GC_CC_CLIENT_SECRET.",
    )


def _integration_item(settings: Settings, genesys: GenesysClient) -> Item:
    async def look() -> Finding:
        found = await read_integration(settings, genesys)
        name, address = found.name, found.webhook_url
        if found.create_status == "Error":
            raise NotAsItShouldBe(
                f"“{name}” could not be created by Genesys Cloud",
                action="Create another one and set its id as GC_INTEGRATION_ID.",
            )
        if not address.endswith("/webhook"):
            raise NotAsItShouldBe(
                f"“{name}” sends agents' messages to {address or 'nowhere'}",
                action="Set its Outbound Notification Webhook URL to https://YOUR-ADDRESS/webhook.",
            )
        return Finding(f"“{name}” sends agents' messages to {address}")

    return Item(
        "integration",
        "Open Messaging integration",
        look,
        "Copy GC_INTEGRATION_ID from Admin → Message → Platforms.",
        needs=_LOGIN,
    )


def _social_items(settings: Settings, genesys: GenesysClient) -> list[Item]:
    endpoints = make_endpoints(settings)

    async def read_topic() -> Finding:
        return _name_if_active(await genesys.request("GET", endpoints.topic))

    async def read_rule() -> Finding:
        return _name_if_active(await genesys.request("GET", endpoints.rule))

    return [
        Item(
            "topic",
            "Social listening topic",
            read_topic,
            "Copy GC_SOCIAL_TOPIC_ID from Admin → Social Media.",
            needs=_LOGIN,
        ),
        Item(
            "rule",
            "Open data ingestion rule",
            read_rule,
            "Copy GC_SOCIAL_RULE_ID from the topic in Admin → Social Media.",
            needs="topic",
        ),
    ]


def _missed_answers_item(genesys: GenesysClient) -> Item:
    async def read_a_message() -> Finding:
        # Whoever may read messages is told that there is none of this name.
        try:
            await genesys.request("GET", make_message_path(_NO_MESSAGE))
        except AuthRejected as error:
            raise explain(error) from error
        except Rejected as error:
            if not has_status(error, NOT_FOUND):
                raise
        return Finding("can be looked for after an outage")

    return Item("missed_answers", "Answers that were missed", read_a_message, needs=_LOGIN)


def _contact_items(settings: Settings, genesys: GenesysClient) -> list[Item]:
    async def read_source() -> Finding:
        path = make_external_source_path(settings.gc_external_source_id)
        found = await genesys.request("GET", path)
        if found.get("active") is False:
            raise NotAsItShouldBe(
                f"“{found.get('name')}” is inactive", action="Activate it in External Sources."
            )
        return Finding(f"“{found.get('name')}”")

    async def try_contact() -> Finding:
        # A dry run names the division, writes nothing, and shows at the same time whether
        # contacts may be written.
        path = make_external_source_path(settings.gc_external_source_id)
        source = await genesys.request("GET", path)
        state = make_contact_state(
            _NOBODY,
            source_id=settings.gc_external_source_id,
            division_id=settings.gc_ec_division_id,
        )
        body = make_enrichment(state, str(source.get("name", "")), frozenset())
        try:
            await genesys.request("POST", f"{ENRICH_CONTACT}?dryRun=true", body)
        except PermissionMissing:
            return Finding(
                "not tried: contacts will be looked up and written one by one",
                "Give the OAuth client externalContacts:contact:enrich, or at least :view, :add "
                "and :edit.",
            )
        return Finding("contacts can be written there (dry run)")

    return [
        Item(
            "external_source",
            "External source",
            read_source,
            "Copy GC_EXTERNAL_SOURCE_ID from Admin → External Sources.",
            needs=_LOGIN,
        ),
        Item(
            "division",
            "Division for contacts",
            try_contact,
            "Copy GC_EC_DIVISION_ID from Admin → Organization → Divisions.",
            needs="external_source",
        ),
    ]


def _name_if_active(found: Json) -> Finding:
    status = found.get("status")
    if status not in {"Active", "Pending", None}:
        raise NotAsItShouldBe(
            f"“{found.get('name')}” is {status}", action="Activate it in Admin → Social Media."
        )
    return Finding(f"“{found.get('name')}”")

"""``bluesky-genesys check``: is everything set up, and if not, what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from actors.bluesky.client import BlueskyClient
from actors.genesys.client import GenesysClient
from actors.genesys.delivery import NOT_FOUND, has_status
from actors.genesys.endpoints import (
    ENRICH_CONTACT,
    make_external_source_path,
    make_message_path,
)
from actors.genesys.faults import PermissionMissing
from actors.genesys.reconciler import explain
from actors.messages import Author
from actors.translation.contact import make_contact_state, make_enrichment
from connector.clients import make_endpoints
from connector.house import make_commands
from connector.lone_store import open_lone_store
from connector.parts import Parts
from connector.settings import Settings
from runtime.errors import AuthRejected, Fault, Rejected

Probe: TypeAlias = Callable[[], Awaitable[str]]
"""Looks at one thing and says what it found; raises :class:`runtime.errors.Fault`."""

_STORE = "Store"
_GENESYS_LOGIN = "Genesys Cloud login"
_NO_MESSAGE = "00000000000000000000000000000000"
_NOBODY = Author(did="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", handle="nobody.invalid")


class NotAsItShouldBe(Fault):
    """It can be reached, but is not as the connector needs it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at.

    Args:
        name: as shown.
        probe: looks.
        remedy: said when the fault itself names no action.
        needs: the item without which looking makes no sense.
    """

    name: str
    probe: Probe
    remedy: str
    needs: str | None = None


async def check_everything(settings: Settings, tell: Callable[[str], None]) -> int:
    """Look at everything, in order; returns 0 if all is well and 1 otherwise.

    The login is the connector's own: a session that it keeps is used, and one that is made here
    is kept for it, because logins are limited to a few a day.
    """
    async with open_lone_store(settings) as parts:
        to_mend = await _look_at_all(_make_items(settings, parts), tell)
    tell("")
    tell(
        f"{to_mend} to mend."
        if to_mend
        else "Everything that can be seen without sending is as it should be."
    )
    return 1 if to_mend else 0


async def _look_at_all(items: list[Item], tell: Callable[[str], None]) -> int:
    failed: set[str] = set()
    to_mend = 0
    for item in items:
        if item.needs in failed:
            failed.add(item.name)
            tell(f"  --    {item.name}: not tried, because of: {item.needs}")
            continue
        try:
            found = await item.probe()
        except Fault as fault:
            failed.add(item.name)
            to_mend += 1
            tell(f"failed  {item.name}: {fault}")
            tell(f"        → {fault.action or item.remedy}")
        else:
            tell(f"  ok    {item.name}: {found}")
    return to_mend


def _make_items(settings: Settings, parts: Parts) -> list[Item]:
    items = [_store_item(parts), *_bluesky_items(settings, parts.bluesky)]
    items += _genesys_items(settings, parts.genesys)
    if settings.reconcile_window > 0:
        items.append(_missed_answers_item(parts.genesys))
    if settings.enable_external_contacts:
        items += _contact_items(settings, parts.genesys)
    return items


def _store_item(parts: Parts) -> Item:
    async def ask() -> str:
        await parts.store.read("cursor", "check")
        state = parts.gauge.read()
        sealed = (
            "sealed with STATE_KEY" if make_commands(parts.settings).sealer.seals else "not sealed"
        )
        beware = f"; beware: {state.reason}" if state.reason else ""
        return f"{state.kind} answers; what it keeps is {sealed}{beware}"

    return Item(_STORE, ask, "Check REDIS_URL and REDIS_TOKEN, or STATE_DIR.")


def _bluesky_items(settings: Settings, bluesky: BlueskyClient) -> list[Item]:
    async def log_in() -> str:
        return f"@{settings.bluesky_handle} is {await bluesky.did()}"

    async def read_notifications() -> str:
        await bluesky.query("app.bsky.notification.listNotifications", {"limit": 1})
        return "can be read"

    async def read_chat() -> str:
        await bluesky.query("chat.bsky.convo.listConvos", {"limit": 1}, chat=True)
        return "can be read"

    login = "Bluesky login"
    return [
        Item(
            login,
            log_in,
            "Check BLUESKY_HANDLE, BLUESKY_APP_PASSWORD and BLUESKY_SERVICE_URL.",
            needs=_STORE,
        ),
        Item("Notifications", read_notifications, "Try again in a while.", needs=login),
        Item("Direct messages", read_chat, "Try again in a while.", needs=login),
    ]


def _genesys_items(settings: Settings, genesys: GenesysClient) -> list[Item]:
    endpoints = make_endpoints(settings)

    async def log_in() -> str:
        await genesys.log_in()
        return f"{settings.gc_login_url} gives tokens"

    async def read_integration() -> str:
        found = await genesys.request("GET", endpoints.integration)
        address = str(found.get("outboundNotificationWebhookUrl", ""))
        if not address.endswith("/webhook"):
            raise NotAsItShouldBe(
                f"“{found.get('name')}” sends agents' messages to {address or 'nowhere'}",
                action="Set its Outbound Notification Webhook URL to https://YOUR-ADDRESS/webhook.",
            )
        return f"“{found.get('name')}” sends agents' messages to {address}"

    async def read_topic() -> str:
        return _name_if_active(await genesys.request("GET", endpoints.topic))

    async def read_rule() -> str:
        return _name_if_active(await genesys.request("GET", endpoints.rule))

    login = _GENESYS_LOGIN
    return [
        Item(login, log_in, "Check GC_REGION, GC_CC_CLIENT_ID and GC_CC_CLIENT_SECRET."),
        Item(
            "Open Messaging integration",
            read_integration,
            "Copy GC_INTEGRATION_ID from Admin → Message → Platforms.",
            needs=login,
        ),
        Item(
            "Social listening topic",
            read_topic,
            "Copy GC_SOCIAL_TOPIC_ID from Admin → Social Media.",
            needs=login,
        ),
        Item(
            "Open data ingestion rule",
            read_rule,
            "Copy GC_SOCIAL_RULE_ID from the topic in Admin → Social Media.",
            needs="Social listening topic",
        ),
    ]


def _missed_answers_item(genesys: GenesysClient) -> Item:
    async def read_a_message() -> str:
        # Whoever may read messages is told that there is none of this name.
        try:
            await genesys.request("GET", make_message_path(_NO_MESSAGE))
        except AuthRejected as error:
            raise explain(error) from error
        except Rejected as error:
            if not has_status(error, NOT_FOUND):
                raise
        return "can be looked for after an outage"

    return Item(
        "Answers that were missed", read_a_message, "Try again in a while.", needs=_GENESYS_LOGIN
    )


def _contact_items(settings: Settings, genesys: GenesysClient) -> list[Item]:
    async def read_source() -> str:
        path = make_external_source_path(settings.gc_external_source_id)
        found = await genesys.request("GET", path)
        if found.get("active") is False:
            raise NotAsItShouldBe(
                f"“{found.get('name')}” is inactive", action="Activate it in External Sources."
            )
        return f"“{found.get('name')}”"

    async def try_contact() -> str:
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
            return (
                "not tried: without externalContacts:contact:enrich contacts are looked up and "
                "written one by one, which needs :view, :add and :edit"
            )
        return "contacts can be written there (dry run)"

    return [
        Item(
            "External source",
            read_source,
            "Copy GC_EXTERNAL_SOURCE_ID from Admin → External Sources.",
            needs=_GENESYS_LOGIN,
        ),
        Item(
            "Division for contacts",
            try_contact,
            "Copy GC_EC_DIVISION_ID from Admin → Organization → Divisions.",
            needs="External source",
        ),
    ]


def _name_if_active(found: object) -> str:
    if not isinstance(found, dict):
        raise NotAsItShouldBe("the answer is not what the API promises")
    status = found.get("status")
    if status not in {"Active", "Pending", None}:
        raise NotAsItShouldBe(
            f"“{found.get('name')}” is {status}", action="Activate it in Admin → Social Media."
        )
    return f"“{found.get('name')}”"

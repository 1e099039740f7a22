"""Both platforms on loopback, with a company and its customers, ready for a connector."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import trio

from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.bluesky.server.app import create_app as create_bluesky
from sandbox.genesys.app import create_app as create_genesys
from sandbox.genesys.delivery import RETRY_AFTER_S, WebhookDelivery
from sandbox.genesys.organization import GenesysOrganization
from sandbox.serving import serve

BRAND_HANDLE = "acme.example"
BRAND_PASSWORD = "sandbox-app-password"  # noqa: S105 (it opens nothing but the sandbox)
CUSTOMERS = (("alice.example", "Alice"), ("bob.example", "Bob"), ("carol.example", "Carol"))
SEARCH_QUERY = "acmephone"


@dataclass(frozen=True, slots=True)
class World:
    """Two served platforms. ``brand`` is the company's account on this Bluesky."""

    bluesky: BlueskyNetwork
    genesys: GenesysOrganization
    brand: Account
    customers: tuple[Account, ...]
    bluesky_url: str
    genesys_url: str

    def environ(self) -> dict[str, str]:
        """The variables that connect a connector to this world."""
        genesys = self.genesys
        return {
            "BLUESKY_HANDLE": self.brand.handle,
            "BLUESKY_APP_PASSWORD": BRAND_PASSWORD,
            "BLUESKY_SERVICE_URL": self.bluesky_url,
            "BLUESKY_SEARCH_QUERY": SEARCH_QUERY,
            "JETSTREAM_URL": f"{self.bluesky_url.replace('http', 'ws', 1)}/subscribe",
            "GC_REGION": genesys.region,
            "GC_API_URL": self.genesys_url,
            "GC_LOGIN_URL": self.genesys_url,
            "GC_CC_CLIENT_ID": genesys.client_id,
            "GC_CC_CLIENT_SECRET": genesys.client_secret,
            "GC_INTEGRATION_ID": genesys.integration_id,
            "GC_WEBHOOK_SECRET": genesys.webhook_secret,
            "GC_SOCIAL_TOPIC_ID": genesys.topic_id,
            "GC_SOCIAL_RULE_ID": genesys.rule_id,
            "FETCH_ALLOW_PRIVATE": "true",
            "ENABLE_EXTERNAL_CONTACTS": "true",
            "GC_EXTERNAL_SOURCE_ID": genesys.external_source_id,
            "GC_EC_DIVISION_ID": genesys.division_id,
        }


@asynccontextmanager
async def open_world(
    rng: random.Random, *, retry_after_s: float = RETRY_AFTER_S
) -> AsyncIterator[World]:
    """Serve both platforms while the block runs.

    Agents' messages are delivered to ``world.genesys.webhook_url``: set it to where the connector
    listens. Cancellation ends both servers at once.

    Args:
        rng: source of all ids.
        retry_after_s: between two deliveries of a webhook.
    """
    bluesky = BlueskyNetwork(clock=_now, rng=rng)
    brand = bluesky.create_account(
        BRAND_HANDLE, password=f"{rng.getrandbits(128):032x}", display_name="Acme"
    )
    bluesky.allow_incoming(brand, "all")
    bluesky.add_app_password(brand, BRAND_PASSWORD)
    customers = tuple(_create_customer(bluesky, *customer) for customer in CUSTOMERS)
    genesys = GenesysOrganization(rng=rng, now=_now, webhook_url="http://127.0.0.1:9/webhook")
    async with (
        serve(create_bluesky(bluesky)) as bluesky_url,
        serve(create_genesys(genesys)) as genesys_url,
        httpx.AsyncClient(timeout=10.0) as client,
        trio.open_nursery() as nursery,
    ):
        genesys.files.base_url = genesys_url
        delivery = WebhookDelivery(genesys, client, retry_after_s=retry_after_s)
        await nursery.start(delivery.run)
        yield World(bluesky, genesys, brand, customers, bluesky_url, genesys_url)
        nursery.cancel_scope.cancel()


def _create_customer(bluesky: BlueskyNetwork, handle: str, name: str) -> Account:
    account = bluesky.create_account(handle, password=handle, display_name=name)
    bluesky.allow_incoming(account, "all")
    return account


def _now() -> datetime:
    return datetime.now(UTC)

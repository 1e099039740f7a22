"""The two platforms as this process reaches them."""

from __future__ import annotations

import random
import ssl
from dataclasses import dataclass
from importlib.metadata import version

import httpx

from actors.bluesky.client import BlueskyClient
from actors.bluesky.media import Media
from actors.bluesky.session import SessionOwner
from actors.bluesky.tokens import Credentials
from actors.bluesky.xrpc import Xrpc
from actors.dedup_store import Database
from actors.genesys.client import GenesysClient
from actors.genesys.endpoints import Endpoints
from actors.genesys.files import AgentFiles
from actors.genesys.token import TokenKeeper
from actors.media.fetcher import Fetcher
from actors.media.workshop import Workshop
from actors.store import Store
from connector.settings import Settings
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.rate import Budget, Rate

# What Bluesky lets one account write.
BLUESKY_WRITE_POINTS = (Rate(5000, 3600), Rate(35_000, 86_400))


@dataclass(frozen=True, slots=True)
class Outside:
    """What the house stands on: connections, time, chance, and where it writes its log."""

    database: Database
    bluesky_http: httpx.AsyncClient
    genesys_http: httpx.AsyncClient
    files_http: httpx.AsyncClient
    clock: WallClock
    rng: random.Random
    log: EventLog


@dataclass(frozen=True, slots=True)
class Budgets:
    """What the platforms allow all actors together.

    ``bluesky`` and ``genesys`` count requests, ``bluesky_writes`` the points that writing costs.
    """

    bluesky: Budget
    bluesky_writes: Budget
    genesys: Budget


def open_http(settings: Settings, *, verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    """Connections to one of the two platforms. ``verify`` saves loading the certificates anew."""
    return httpx.AsyncClient(
        verify=verify,
        timeout=settings.request_deadline_s,
        headers={"User-Agent": make_user_agent()},
    )


def make_user_agent() -> str:
    """How the connector calls itself, whomever it asks."""
    return f"bluesky-genesys/{version('bluesky-genesys')}"


def make_budgets(settings: Settings) -> Budgets:
    """Full at first."""
    return Budgets(
        bluesky=Budget(settings.bluesky_budget),
        bluesky_writes=Budget(*BLUESKY_WRITE_POINTS),
        genesys=Budget(settings.genesys_budget),
    )


def make_bluesky(
    settings: Settings, outside: Outside, store: Store, budget: Budget
) -> BlueskyClient:
    """The company's account on Bluesky."""
    xrpc = Xrpc(
        outside.bluesky_http,
        budget,
        outside.clock,
        timeout_s=settings.request_deadline_s,
    )
    credentials = Credentials(
        settings.bluesky_service_url,
        settings.bluesky_handle,
        settings.bluesky_app_password.get_secret_value(),
    )
    return BlueskyClient(xrpc, SessionOwner(xrpc, store, outside.clock, credentials))


def make_tokens(settings: Settings, http: httpx.AsyncClient) -> TokenKeeper:
    """The one owner of the token of Genesys Cloud."""
    return TokenKeeper(
        http,
        login_url=settings.gc_login_url,
        client_id=settings.gc_cc_client_id,
        client_secret=settings.gc_cc_client_secret.get_secret_value(),
        deadline_s=settings.request_deadline_s,
    )


def make_genesys(
    settings: Settings, http: httpx.AsyncClient, tokens: TokenKeeper, budget: Budget
) -> GenesysClient:
    """The organization on Genesys Cloud."""
    return GenesysClient(
        http,
        api_url=settings.gc_api_url,
        tokens=tokens,
        budget=budget,
        deadline_s=settings.request_deadline_s,
    )


def make_media(settings: Settings, outside: Outside, tokens: TokenKeeper, budget: Budget) -> Media:
    """How files come: those of agents with the token, all others without."""
    fetcher = Fetcher(outside.files_http, admit=lambda _address: settings.fetch_allow_private)
    files = AgentFiles(
        fetcher,
        tokens=tokens,
        budget=budget,
        api_url=settings.gc_api_url,
        region=settings.gc_region,
    )
    return Media(
        files=files,
        pages=fetcher if settings.link_cards == "on" else None,
        workshop=Workshop(),
        window_s=settings.attachment_window,
        link_in_direct_messages=settings.dm_attachments == "link",
    )


def make_endpoints(settings: Settings) -> Endpoints:
    """Where messages go in that organization."""
    return Endpoints(
        topic_id=settings.gc_social_topic_id,
        rule_id=settings.gc_social_rule_id,
        integration_id=settings.gc_integration_id,
    )

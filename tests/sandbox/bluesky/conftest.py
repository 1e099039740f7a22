"""A network with a brand and two customers, served on loopback."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.bluesky.server.app import create_app
from sandbox.serving import serve
from tests.contracts.lexicon import Lexicons
from tests.sandbox.bluesky.client import Client, Clock, Session


@pytest.fixture(scope="session")
def lexicons(contracts_dir: Path) -> Lexicons:
    """The official lexicons."""
    return Lexicons(contracts_dir / "lexicons")


@pytest.fixture(scope="session")
def lexicons_if_there(request: pytest.FixtureRequest) -> Lexicons | None:
    """The same for tests that are worth running without them too."""
    try:
        found: Lexicons = request.getfixturevalue("lexicons")
    except pytest.skip.Exception:
        return None
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network(clock: Clock) -> BlueskyNetwork:
    return BlueskyNetwork(clock=clock, rng=random.Random(7))  # noqa: S311 (no secrets here)


@pytest.fixture
def brand(network: BlueskyNetwork) -> Account:
    account = network.create_account(
        "brand.test", password="brand-password", display_name="Brand", allow_incoming="all"
    )
    network.add_app_password(account, "with-messages")
    network.add_app_password(account, "without-messages", direct_messages=False)
    return account


@pytest.fixture
def alice(network: BlueskyNetwork) -> Account:
    return network.create_account("alice.test", password="alice-password", display_name="Alice")


@pytest.fixture
def bob(network: BlueskyNetwork) -> Account:
    return network.create_account("bob.test", password="bob-password")


@pytest.fixture
async def base_url(network: BlueskyNetwork) -> AsyncIterator[str]:
    async with serve(create_app(network)) as served:
        yield served


@pytest.fixture
async def client(base_url: str, lexicons_if_there: Lexicons | None) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=base_url) as http:
        yield Client(http, lexicons_if_there)


@pytest.fixture
async def session(client: Client, brand: Account) -> Session:
    """The brand, logged in."""
    return await client.log_in(brand)

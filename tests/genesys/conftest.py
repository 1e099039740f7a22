"""Fixtures for the Genesys wing: a platform, and a client that is logged in to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from actors.genesys.client import GenesysClient
from actors.genesys.token import TokenKeeper
from runtime.rate import Budget, Rate
from tests.contracts.swagger import Swagger
from tests.genesys.fake_platform import API_URL, CLIENT_ID, CLIENT_SECRET, LOGIN_URL, FakeGenesys
from tests.genesys.reconciling import Return
from tests.genesys.sender_bench import Bench
from tests.genesys.webhook_desk import Desk
from tests.support.memory_store import MemoryStore


@pytest.fixture
def genesys(request: pytest.FixtureRequest) -> Iterator[FakeGenesys]:
    """The platform. Where the Swagger is there, every body of every test is checked against it."""
    try:
        swagger: Swagger | None = request.getfixturevalue("swagger")
    except pytest.skip.Exception:
        swagger = None
    platform = FakeGenesys(swagger)
    yield platform
    assert platform.violations == []


@pytest.fixture
async def http(genesys: FakeGenesys) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(genesys)) as client:
        yield client


@pytest.fixture
def budget() -> Budget:
    return Budget(Rate(300, 60.0))


@pytest.fixture
def tokens(http: httpx.AsyncClient) -> TokenKeeper:
    return TokenKeeper(
        http,
        login_url=LOGIN_URL,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        deadline_s=10.0,
    )


@pytest.fixture
def client(http: httpx.AsyncClient, tokens: TokenKeeper, budget: Budget) -> GenesysClient:
    return GenesysClient(http, api_url=API_URL, tokens=tokens, budget=budget, deadline_s=30.0)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def bench(client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys) -> Bench:
    """A sender. A test of it takes the ``autojump_clock`` too."""
    return Bench(client, memory, genesys)


@pytest.fixture
def desk() -> Desk:
    """A webhook receiver, and agents who write to it."""
    return Desk()


@pytest.fixture
def back(client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys) -> Return:
    """A connector that comes back."""
    return Return(client, memory, genesys)

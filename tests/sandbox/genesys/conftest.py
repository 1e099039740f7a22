"""An organization, and a client that talks to it in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trio

from sandbox.genesys import Call, GenesysOrganization, create_app
from tests.conftest import find_contracts
from tests.contracts.swagger import Swagger

START = datetime(2026, 6, 10, 21, 0, tzinfo=UTC)
WEBHOOK_URL = "https://connector.test/webhook"


def now() -> datetime:
    """The wall clock: it runs with trio's."""
    return START + timedelta(seconds=trio.current_time())


@pytest.fixture(scope="session")
def official() -> Swagger | None:
    """The official Swagger, where it is there."""
    contracts = find_contracts()
    return None if contracts is None else Swagger.load(contracts)


@pytest.fixture
async def organization(official: Swagger | None) -> AsyncIterator[GenesysOrganization]:
    """An organization whose every answer is checked when the test is over."""
    rng = random.Random(1)  # noqa: S311 - the ids of a sandbox guard nothing
    organization = GenesysOrganization(rng=rng, now=now, webhook_url=WEBHOOK_URL)
    yield organization
    if official is not None:
        faults = [fault for call in organization.calls for fault in faults_of(official, call)]
        assert faults == []


def faults_of(official: Swagger, call: Call) -> list[str]:
    """Where the sandbox took or gave what the platform would not."""
    if official.find_operation(call.method, call.path.partition("?")[0]) is None:
        return []
    faults = official.check_response(call.method, call.path, call.status, call.answer)
    if call.status < 300:
        faults += official.check_request(call.method, call.path, call.body)
    return [f"{call.method} {call.path}: {fault}" for fault in faults]


@pytest.fixture
async def stranger(organization: GenesysOrganization) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    transport = httpx.ASGITransport(app=create_app(organization))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
        yield client


async def log_in(organization: GenesysOrganization, client: httpx.AsyncClient) -> str:
    answer = await client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(organization.client_id, organization.client_secret),
    )
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture
async def client(
    organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> httpx.AsyncClient:
    """A client with a token."""
    token = await log_in(organization, stranger)
    stranger.headers["Authorization"] = f"Bearer {token}"
    return stranger

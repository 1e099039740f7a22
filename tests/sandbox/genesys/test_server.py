"""The sandbox over real sockets: faults, and an agent's answer on its way round."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
import trio
from quart import request
from quart_trio import QuartTrio

from sandbox.faults import Delay, DropAfter, RateLimit, Reset, Status
from sandbox.genesys import GenesysOrganization, WebhookDelivery, create_app
from sandbox.serving import serve
from tests.sandbox.genesys.bodies import bulk_path, inbound_path, public_message, receipt
from tests.sandbox.genesys.conftest import log_in


@pytest.fixture
async def organization() -> GenesysOrganization:
    rng = random.Random(1)  # noqa: S311 - the ids of a sandbox guard nothing
    return GenesysOrganization(
        rng=rng, now=lambda: datetime.now(UTC), webhook_url="http://127.0.0.1:1/webhook"
    )


@asynccontextmanager
async def connected(organization: GenesysOrganization) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve(create_app(organization)) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=5) as client,
    ):
        client.headers["Authorization"] = f"Bearer {await log_in(organization, client)}"
        yield client


async def test_an_answer_lost_after_ingestion_shows_as_a_repeat(
    organization: GenesysOrganization,
) -> None:
    organization.faults.add("/messages/bulk$", DropAfter())
    async with connected(organization) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(bulk_path(organization), json=[public_message()])
        await client.post(bulk_path(organization), json=[public_message()])
    assert [message.repeat for message in organization.ingested] == [False, True]


async def test_a_reset_connection_took_nothing_in(organization: GenesysOrganization) -> None:
    organization.faults.add("/messages/bulk$", Reset())
    async with connected(organization) as client:
        with pytest.raises(httpx.ReadError):
            await client.post(bulk_path(organization), json=[public_message()])
    assert organization.ingested == []


async def test_refusals_to_order_are_in_the_platforms_words(
    organization: GenesysOrganization,
) -> None:
    message = "The server is down for maintenance."
    organization.faults.add("/bulk$", Status(503, "service.unavailable", message))
    organization.faults.add("/bulk$", RateLimit(2.5))
    async with connected(organization) as client:
        away = await client.post(bulk_path(organization), json=[public_message()])
        limited = await client.post(bulk_path(organization), json=[public_message()])
    assert away.status_code == away.json()["status"] == 503
    assert (away.json()["code"], away.json()["message"]) == ("service.unavailable", message)
    assert away.headers["inin-correlation-id"] == away.json()["contextId"]
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert limited.json()["code"] == "too.many.requests.retry.after"


async def test_a_slow_platform_still_acts(organization: GenesysOrganization) -> None:
    organization.faults.add("/bulk$", Delay(0.1))
    async with connected(organization) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(bulk_path(organization), json=[public_message()], timeout=0.02)
        with trio.fail_after(5):
            await organization.wait_until(lambda: len(organization.ingested) == 1)


async def test_an_agents_answer_goes_round_and_its_receipt_comes_back(
    organization: GenesysOrganization,
) -> None:
    got: list[dict[str, object]] = []
    connector = QuartTrio("connector")

    @connector.post("/webhook")
    async def webhook() -> str:
        got.append(await request.get_json())
        return ""

    async with AsyncExitStack() as stack:
        webhook_base = await stack.enter_async_context(serve(connector))
        organization.webhook_url = f"{webhook_base}/webhook"
        client = await stack.enter_async_context(connected(organization))
        poster = await stack.enter_async_context(httpx.AsyncClient())
        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(WebhookDelivery(organization, poster).run)
        await client.post(bulk_path(organization), json=[public_message()])
        (conversation,) = organization.conversations.values()
        sent = organization.agent_reply(conversation, "Thanks", public=True)
        with trio.fail_after(5):
            await organization.wait_until(lambda: sent.status == "delivered")
        body = receipt(sent.message_id)
        await client.post(inbound_path(organization, "receipt"), json=body)
        nursery.cancel_scope.cancel()
    assert [body["id"] for body in got] == [sent.message_id]
    assert sent.receipt is not None
    assert sent.receipt.status == "Delivered"

"""Webhooks: signed, tried again as documented, given up as documented."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import httpx
import pytest
import trio
from trio.testing import MockClock

from sandbox.genesys import Conversation, GenesysOrganization, WebhookDelivery
from sandbox.genesys.message_models import PRIVATE_MESSAGE
from sandbox.genesys.wire import Json
from tests.sandbox.genesys.bodies import private_message
from tests.sandbox.genesys.conftest import WEBHOOK_URL

Answer = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class Webhook:
    """A connector's webhook that answers as told, and keeps what it got and when."""

    def __init__(self, *answers: int | Exception | None) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(trio.current_time())
        answer = self._answers.pop(0) if self._answers else 200
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer or 200)

    @property
    def bodies(self) -> list[Json]:
        return [httpx.Response(200, content=request.content).json() for request in self.requests]


@asynccontextmanager
async def delivering(organization: GenesysOrganization, webhook: Answer) -> AsyncIterator[None]:
    transport = httpx.MockTransport(webhook)
    async with httpx.AsyncClient(transport=transport) as client, trio.open_nursery() as nursery:
        await nursery.start(WebhookDelivery(organization, client).run)
        with trio.fail_after(3600):
            yield
        nursery.cancel_scope.cancel()


def converse(organization: GenesysOrganization, customer_id: str = "did:plc:a") -> Conversation:
    body = private_message(customer_id, customer_id)
    message = PRIVATE_MESSAGE.validate_python(body)
    accepted = organization.messaging.receive(organization.integration_id, message, body)
    return organization.conversations[accepted.conversation_id]


async def test_a_webhook_is_signed_over_its_raw_body(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    webhook = Webhook()
    async with delivering(organization, webhook):
        sent = organization.agent_reply(converse(organization), "Grüße 👋", public=False)
        await organization.wait_until(lambda: sent.status == "delivered")
    (request,) = webhook.requests
    digest = hmac.digest(organization.webhook_secret.encode(), request.content, hashlib.sha256)
    expected = "sha256=" + base64.b64encode(digest).decode()
    assert request.headers["x-hub-signature-256"] == expected
    assert request.url == WEBHOOK_URL
    assert webhook.bodies == [sent.body]
    assert "Grüße 👋".encode() in request.content


async def test_the_integrations_own_headers_url_and_secret_are_used(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    organization.webhook_url = "https://elsewhere.test/hook"
    organization.integration.webhook_headers["x-route"] = "blue"
    webhook = Webhook()
    async with delivering(organization, webhook):
        sent = organization.agent_reply(converse(organization), "x", public=False)
        await organization.wait_until(lambda: sent.status == "delivered")
    assert webhook.requests[0].url == "https://elsewhere.test/hook"
    assert webhook.requests[0].headers["x-route"] == "blue"


@pytest.mark.parametrize(
    "answer", [429, 500, 503, httpx.ConnectError("refused"), httpx.ReadError("cut")]
)
async def test_what_may_pass_is_tried_again_after_five_seconds(
    autojump_clock: MockClock, organization: GenesysOrganization, answer: int | Exception
) -> None:
    webhook = Webhook(answer, answer)
    async with delivering(organization, webhook):
        sent = organization.agent_reply(converse(organization), "x", public=False)
        await organization.wait_until(lambda: sent.status != "waiting")
    assert sent.status == "delivered"
    assert [later - webhook.times[0] for later in webhook.times] == [0, 5, 10]
    assert len({request.content for request in webhook.requests}) == 1


async def test_five_retries_and_then_never_again(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    webhook = Webhook(*[503] * 20)
    async with delivering(organization, webhook):
        sent = organization.agent_reply(converse(organization), "x", public=False)
        await organization.wait_until(lambda: sent.status != "waiting")
        await trio.sleep(600)
    assert sent.status == "failed"
    assert sent.attempts == [503] * 6
    assert len(webhook.requests) == 6


async def test_a_hanging_webhook_is_given_up_after_eighty_five_seconds(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    webhook = Webhook(*[None] * 20)
    async with delivering(organization, webhook):
        began = trio.current_time()
        sent = organization.agent_reply(converse(organization), "x", public=False)
        await organization.wait_until(lambda: sent.status != "waiting")
        assert trio.current_time() - began == pytest.approx(85)
    assert sent.attempts == ["TimeOut"] * 6


@pytest.mark.parametrize("answer", [301, 400, 401, 413])
async def test_any_other_refusal_is_final(
    autojump_clock: MockClock, organization: GenesysOrganization, answer: int
) -> None:
    webhook = Webhook(answer)
    async with delivering(organization, webhook):
        sent = organization.agent_reply(converse(organization), "x", public=False)
        await organization.wait_until(lambda: sent.status != "waiting")
        await trio.sleep(60)
    assert (sent.status, sent.attempts) == ("failed", [answer])


async def test_one_conversation_keeps_its_order_while_others_go_ahead(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    webhook = Webhook(503)
    alice, bob = converse(organization), converse(organization, "did:plc:b")
    async with delivering(organization, webhook):
        for conversation, text in ((alice, "a1"), (alice, "a2"), (bob, "b1"), (alice, "a3")):
            organization.agent_reply(conversation, text, public=False)
        await organization.wait_until(
            lambda: all(sent.status == "delivered" for sent in (*alice.outbound, *bob.outbound))
        )
    assert [body["text"] for body in webhook.bodies] == ["a1", "b1", "a1", "a2", "a3"]


async def test_a_message_given_up_lets_the_next_one_go(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    webhook = Webhook(400)
    alice = converse(organization)
    async with delivering(organization, webhook):
        organization.agent_reply(alice, "1", public=False)
        last = organization.agent_reply(alice, "2", public=False)
        await organization.wait_until(lambda: last.status == "delivered")
    assert [sent.status for sent in alice.outbound] == ["failed", "delivered"]


async def test_a_thousand_messages_go_out_twenty_at_a_time(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    busy, most = 0, 0

    async def webhook(request: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await trio.sleep(0.1)
        busy -= 1
        return httpx.Response(200)

    conversations = [converse(organization, f"did:plc:{number}") for number in range(1_000)]
    async with delivering(organization, webhook):
        for conversation in conversations:
            organization.agent_reply(conversation, "x", public=False)
        await organization.wait_until(
            lambda: all(each.outbound[0].status == "delivered" for each in conversations[-20:])
        )
    assert most == 20


async def test_any_body_can_be_sent_and_its_receipt_is_awaited(
    autojump_clock: MockClock, organization: GenesysOrganization
) -> None:
    body: Json = {"id": "f" * 32, "type": "Carousel", "channel": {"to": {"id": "did:plc:a"}}}
    webhook = Webhook()
    async with delivering(organization, webhook):
        sent = organization.send_webhook(body)
        await organization.wait_until(lambda: sent.status == "delivered")
    assert webhook.bodies == [body]
    assert organization.messaging.message("f" * 32) is sent

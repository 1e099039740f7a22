"""The whole wing against the sandbox's Genesys Cloud, over real sockets and the real clock."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import httpx
import pytest
import trio

from actors.items import (
    make_direct_message_item,
    make_failure,
    make_post_item,
    make_receipt_item,
)
from actors.messages import (
    AgentMessage,
    Author,
    Done,
    JournalItem,
    Receipt,
    Refused,
)
from sandbox.faults import DropAfter, RateLimit, Reset, Status
from sandbox.genesys import GenesysOrganization, OutboundMessage, create_app
from sandbox.genesys import WebhookDelivery as WebhookPoster
from sandbox.serving import serve
from tests.genesys.sandbox_house import House
from tests.genesys.sender_bench import make_message, make_post, make_uri

ALICE = Author("did:plc:alice", "alice.test", "Alice")


@pytest.fixture
async def organization() -> GenesysOrganization:
    rng = random.Random(1)  # noqa: S311 - the ids of a sandbox guard nothing
    return GenesysOrganization(
        rng=rng, now=lambda: datetime.now(UTC), webhook_url="http://127.0.0.1:1/webhook"
    )


@pytest.fixture
async def house(organization: GenesysOrganization) -> AsyncIterator[House]:
    async with (
        serve(create_app(organization)) as base_url,
        httpx.AsyncClient(timeout=10) as http,
    ):
        with trio.fail_after(20):
            yield House(organization, base_url, http)


def make_items(*numbers: int) -> list[JournalItem]:
    return [make_post_item(make_post(number)) for number in numbers]


async def test_posts_and_direct_messages_arrive_with_their_senders(house: House) -> None:
    await house.send(*make_items(1, 2, 3), make_direct_message_item(make_message(4)))
    assert [message.provider_message_id for message in house.organization.ingested] == [
        make_uri(1),
        make_uri(2),
        make_uri(3),
    ]
    (private,) = house.organization.private_messages
    assert (private.sender_id, private.text) == ("did:plc:4", "hi")
    assert house.outcomes() == [Done()] * 4


@pytest.mark.parametrize("fault", [DropAfter(), Reset(), Status(503, "service.unavailable")])
async def test_whatever_happens_to_the_answer_everything_is_ingested_once(
    house: House, fault: DropAfter | Reset | Status
) -> None:
    house.organization.faults.add("/messages/bulk$", fault)
    await house.send(*make_items(1, 2))
    assert house.outcomes() == []
    await house.send()
    kept = [message for message in house.organization.ingested if not message.repeat]
    assert [message.provider_message_id for message in kept] == [make_uri(1), make_uri(2)]
    assert house.outcomes() == [Done()] * 2


async def test_a_smaller_limit_of_the_platform_only_costs_requests(house: House) -> None:
    house.organization.bulk_limit = 3
    await house.send(*make_items(*range(10)))
    assert len(house.organization.ingested) == 10
    assert house.outcomes() == [Done()] * 10


async def test_a_revoked_token_and_a_pause_are_got_over(house: House) -> None:
    await house.send(*make_items(1))
    house.organization.access.revoke_tokens()
    await house.send(*make_items(2))
    house.organization.faults.add("/messages/bulk$", RateLimit(1.0))
    started = trio.current_time()
    await house.send(*make_items(3))
    await house.send()
    assert trio.current_time() - started >= 1.0
    assert house.outcomes() == [Done()] * 3
    assert house.organization.access.granted == 2


async def test_a_missing_permission_names_itself_and_stops_nothing_else(house: House) -> None:
    house.organization.permissions.discard("socialmedia:message:receive")
    await house.send(*make_items(1), make_direct_message_item(make_message(2)))
    assert house.outcomes() == [Done()]
    assert house.closures.error is not None
    assert "socialmedia:message:receive" in (house.closures.error.action or "")
    assert len(house.memory.entries) == 1


async def test_a_rule_that_does_not_exist_loses_no_message(house: House) -> None:
    house.sender = house.make_sender("no-such-rule")
    await house.send(*make_items(1))
    assert house.closures.error is not None
    assert "GC_SOCIAL_RULE_ID" in (house.closures.error.action or "")
    house.sender = house.make_sender(house.organization.rule_id)
    await house.send()
    assert house.outcomes() == [Done()]


async def test_a_receipt_that_genesys_does_not_want_is_a_dead_letter(house: House) -> None:
    await house.send(make_receipt_item(Receipt("no-such-message", ALICE.did, "Delivered")))
    (outcome,) = house.outcomes()
    assert isinstance(outcome, Refused)
    assert outcome.code == "not.found"


async def test_an_agents_answers_come_in_signed_and_get_their_receipts(house: House) -> None:
    organization = house.organization
    await house.send(*make_items(1))
    (conversation,) = organization.conversations.values()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serve(house.make_webhook_app()))
        organization.webhook_url = f"{address}/webhook"
        http = await stack.enter_async_context(httpx.AsyncClient())
        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(WebhookPoster(organization, http).run)
        sent = [
            organization.agent_types(conversation),
            organization.agent_reply(conversation, "Thanks", public=True),
            organization.agent_reply(conversation, "In private", public=False),
            organization.send_webhook({"type": "Hologram", "direction": "Outbound"}),
        ]
        await organization.wait_until(lambda: all(one.status == "delivered" for one in sent))
        nursery.cancel_scope.cancel()
    public, private = [
        payload for payload in house.memory.payloads if isinstance(payload, AgentMessage)
    ]
    assert (public.text, public.reply_to_uri) == ("Thanks", make_uri(1))
    assert (private.text, private.recipient_did) == ("In private", "did:plc:1")
    await house.send(
        make_receipt_item(Receipt(public.message_id, public.recipient_did, "Delivered")),
        make_failure(private.message_id, private.recipient_did, "RecipientOptedOut", "No DMs."),
    )
    assert _receipts(sent[1:3]) == [
        ("Delivered", True, ()),
        ("Failed", True, (("RecipientOptedOut", "No DMs."),)),
    ]


def _receipts(sent: list[OutboundMessage]) -> list[tuple[str, bool, tuple[object, ...]]]:
    return [
        (one.receipt.status, one.receipt.final, one.receipt.reasons)
        for one in sent
        if one.receipt is not None
    ]


@pytest.mark.parametrize("enrich", [True, False])
async def test_a_contact_follows_its_account_and_not_over_an_agents_words(
    house: House, enrich: bool
) -> None:
    organization = house.organization
    if not enrich:
        organization.permissions.discard("externalContacts:contact:enrich")
    await house.resolve(ALICE, "post:1")
    await house.resolve(Author(ALICE.did, "alice.example", "Alice B."), "post:2")
    (contact,) = organization.contacts.by_id.values()
    assert contact["firstName"] == "Alice B."
    assert contact["externalSystemUrl"] == "https://bsky.app/profile/alice.example"
    organization.contacts.by_id[contact["id"]]["firstName"] = "Dr Smith"
    await house.resolve(ALICE, "post:3")
    (contact,) = organization.contacts.by_id.values()
    assert contact["firstName"] == "Dr Smith"
    assert contact["externalSystemUrl"] == "https://bsky.app/profile/alice.test"
    assert [identifier["value"] for identifier in contact["externalIds"]] == [ALICE.did]

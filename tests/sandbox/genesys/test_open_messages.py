"""Private messages, typing and receipts as they come into the sandbox, and what can be read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.genesys import GenesysOrganization, OutboundMessage
from tests.sandbox.genesys.bodies import (
    ALICE,
    ROOT,
    bulk_path,
    inbound_path,
    private_message,
    public_message,
    receipt,
    typing_event,
)

BOB = "did:plc:bob"


async def talk(organization: GenesysOrganization, client: httpx.AsyncClient) -> OutboundMessage:
    """Alice writes in private and an agent answers."""
    await client.post(inbound_path(organization, "message"), json=private_message())
    conversation = organization.private_conversation(ALICE)
    assert conversation is not None
    return organization.agent_reply(conversation, "Hi, how can I help?", public=False)


async def test_the_same_customer_continues_the_same_conversation(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = inbound_path(organization, "message")
    answers = [
        await client.post(path, json=body)
        for body in (private_message("1"), private_message("2", BOB), private_message("3"))
    ]
    ids = [answer.json()["conversationId"] for answer in answers]
    assert ids[0] == ids[2] != ids[1]
    alice = organization.private_conversation(ALICE)
    assert alice is not None
    assert [message.provider_message_id for message in alice.inbound] == ["1", "3"]


async def test_a_repeated_private_message_is_marked_and_answered_like_the_first(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = inbound_path(organization, "message")
    first, second = [await client.post(path, json=private_message()) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert [message.repeat for message in organization.private_messages] == [False, True]


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("from", "image", "https://cdn.test/a.jpg"),
        ("from", "nickname", ""),
        ("from", "idType", "Topic"),
        ("channel", "type", "Private"),
        ("body", "type", "Text"),
        ("body", "direction", "Inbound"),
        ("body", "text", ""),
        ("body", "metadata", {"a": 1}),
        ("attachment", "mime", None),
        ("attachment", "contentSizeBytes", 3),
    ],
)
async def test_what_does_not_belong_in_a_private_message_is_refused(
    organization: GenesysOrganization,
    client: httpx.AsyncClient,
    place: str,
    name: str,
    value: object,
) -> None:
    body = private_message()
    places: dict[str, Any] = {
        "body": body,
        "channel": body["channel"],
        "from": body["channel"]["from"],
        "attachment": body["content"][0]["attachment"],
    }
    places[place][name] = value
    answer = await client.post(inbound_path(organization, "message"), json=body)
    assert answer.status_code == 400
    assert organization.private_messages == []


async def test_typing_is_kept_and_starts_no_conversation(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    answer = await client.post(inbound_path(organization, "event"), json=typing_event())
    assert answer.status_code == 202
    assert organization.messaging.typing == [typing_event()]
    assert not organization.conversations


async def test_the_first_final_receipt_decides_and_repeats_are_counted(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    path = inbound_path(organization, "receipt")
    for status in ("Failed", "Delivered"):
        answer = await client.post(path, json=receipt(sent.message_id, status))
        assert answer.status_code == 202
    assert sent.receipt is not None
    assert sent.receipt.status == "Failed"
    assert sent.receipt.reasons == (("MessageNotAllowed", "DMs are closed"),)
    assert [kept.repeat for kept in organization.receipts] == [False, True]


async def test_a_receipt_that_is_not_final_decides_nothing(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    body = receipt(sent.message_id) | {"isFinalReceipt": False}
    await client.post(inbound_path(organization, "receipt"), json=body)
    assert sent.receipt is None
    assert len(sent.receipts) == 1


async def test_a_receipt_for_an_unknown_message_or_another_recipient_is_refused(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    path = inbound_path(organization, "receipt")
    unknown = await client.post(path, json=receipt("0" * 32))
    other = await client.post(path, json=receipt(sent.message_id, recipient_id=BOB))
    assert (unknown.status_code, other.status_code) == (404, 400)
    assert organization.receipts == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Published"},
        {"status": "Delivered", "reasons": [{"message": "x"}]},
        {"status": "Failed", "reasons": [{"code": "Nonsense", "message": "x"}]},
        {"status": "Failed", "reasons": [{"code": "GeneralError"}]},
        {"direction": "Outbound"},
        {"channel": {"to": {"id": ALICE, "idType": "Opaque"}, "time": "2026-06-10T21:05:40Z"}},
    ],
)
async def test_a_receipt_has_its_exact_shape(
    organization: GenesysOrganization, client: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    sent = await talk(organization, client)
    body = receipt(sent.message_id) | change
    answer = await client.post(inbound_path(organization, "receipt"), json=body)
    assert answer.status_code == 400
    assert sent.receipts == []


async def test_an_unknown_integration_is_not_found(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = inbound_path(organization, "message").replace(organization.integration_id, "x")
    assert (await client.post(path, json=private_message())).status_code == 404


async def test_a_conversation_shows_its_people_and_why_an_answer_failed(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    await client.post(
        inbound_path(organization, "receipt"), json=receipt(sent.message_id, "Failed")
    )
    path = f"/api/v2/conversations/messages/{sent.conversation_id}"
    customer, agent = (await client.get(path)).json()["participants"]
    assert (customer["purpose"], customer["address"], customer["name"]) == (
        "customer",
        ALICE,
        "Alice",
    )
    (shown,) = agent["messages"]
    assert (shown["messageId"], shown["messageStatus"]) == (sent.message_id, "delivery-failed")
    assert shown["errorInfo"] == {"code": "MessageNotAllowed", "message": "DMs are closed"}


async def test_message_details_can_be_read_in_both_directions(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    received = organization.private_messages[0]
    for message, direction in ((received, "inbound"), (sent, "outbound")):
        path = f"/api/v2/conversations/messages/{message.message_id}/details"
        body = (await client.get(path)).json()
        assert (body["direction"], body["textBody"]) == (direction, message.text)
        assert body["normalizedMessage"]["id"] == message.message_id
    assert (await client.get("/api/v2/conversations/messages/x/details")).status_code == 404
    assert (await client.get("/api/v2/conversations/messages/x")).status_code == 404


async def test_several_messages_of_a_conversation_can_be_read_together(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    received = organization.private_messages[0]
    path = f"/api/v2/conversations/messages/{sent.conversation_id}/messages/bulk"
    wanted = [sent.message_id, "of another", received.message_id]
    entities = (await client.post(path, json=wanted)).json()["entities"]
    assert {entity["id"] for entity in entities} == {sent.message_id, received.message_id}
    for entity in entities:
        details = await client.get(f"/api/v2/conversations/messages/{entity['id']}/details")
        assert details.json() == entity


async def test_no_more_than_a_thousand_messages_are_read_together(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    path = f"/api/v2/conversations/messages/{sent.conversation_id}/messages/bulk"
    many = [str(number) for number in range(1000)]
    assert (await client.post(path, json=many)).json() == {"entities": []}
    assert (await client.post(path, json=[*many, "one more"])).status_code == 400
    unknown = path.replace(sent.conversation_id or "", "x")
    assert (await client.post(unknown, json=many)).status_code == 404


async def test_reading_messages_needs_its_permission(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    sent = await talk(organization, client)
    organization.permissions.discard("conversation:message:view")
    base = "/api/v2/conversations/messages"
    several = f"{base}/{sent.conversation_id}/messages/bulk"
    assert (await client.post(several, json=[sent.message_id])).status_code == 403
    assert (await client.get(f"{base}/{sent.message_id}/details")).status_code == 403
    assert (await client.get(f"{base}/no-such-message/details")).status_code == 403


async def test_public_and_private_words_of_one_customer_are_two_conversations(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    await talk(organization, client)
    await client.post(bulk_path(organization), json=[public_message()])
    public = organization.public_conversation(ROOT)
    private = organization.private_conversation(ALICE)
    assert public is not None
    assert private is not None
    assert public.conversation_id != private.conversation_id

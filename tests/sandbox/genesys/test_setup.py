"""What an administrator's tool sets up in the sandbox stays set up and works."""

from __future__ import annotations

import httpx
import pytest

from sandbox.genesys import GenesysOrganization
from tests.sandbox.genesys.bodies import Json, bulk_path, private_message, public_message

INTEGRATIONS = "/api/v2/conversations/messaging/integrations/open"
IDENTITY = "/api/v2/conversations/messaging/identityresolution/integrations/open"
TOPICS = "/api/v2/socialmedia/topics"
SOURCES = "/api/v2/externalcontacts/externalsources"
SECRET = "a secret of more than 15 characters"


async def test_the_organization_comes_with_all_that_a_connector_needs(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    integration = (await client.get(f"{INTEGRATIONS}/{organization.integration_id}")).json()
    assert integration["outboundNotificationWebhookUrl"] == organization.webhook_url
    topic = f"{TOPICS}/{organization.topic_id}"
    assert (await client.get(topic)).json()["status"] == "Active"
    rule = (await client.get(f"{topic}/dataingestionrules/open/{organization.rule_id}")).json()
    assert rule["externalSource"]["id"] == organization.external_source_id
    source = (await client.get(f"{SOURCES}/{organization.external_source_id}")).json()
    assert source["name"] == "Bluesky"


async def test_a_webhook_address_is_changed_in_place(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    change = {"name": "New", "outboundNotificationWebhookUrl": "https://new.test/webhook"}
    path = f"{INTEGRATIONS}/{organization.integration_id}"
    assert (await client.patch(path, json=change)).status_code == 200
    assert organization.webhook_url == "https://new.test/webhook"
    assert (await client.get(path)).json()["name"] == "New"


async def test_a_new_integration_takes_messages_and_sends_the_answers(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    body = {
        "name": "Second",
        "outboundNotificationWebhookUrl": "https://second.test/webhook",
        "outboundNotificationWebhookSignatureSecretToken": SECRET,
    }
    created = (await client.post(INTEGRATIONS, json=body)).json()
    path = f"/api/v2/conversations/messages/{created['id']}/inbound/open/message"
    accepted = (await client.post(path, json=private_message())).json()
    conversation = organization.conversations[accepted["conversationId"]]
    sent = organization.agent_reply(conversation, "x", public=False)
    assert sent.body["channel"]["id"] == created["id"]
    assert len((await client.get(INTEGRATIONS)).json()["entities"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"outboundNotificationWebhookSignatureSecretToken": "15 characters.."},
        {"outboundNotificationWebhookUrl": "connector.test/webhook"},
        {"name": ""},
        {"status": "Active"},
    ],
)
async def test_an_integration_that_could_not_work_is_refused(
    organization: GenesysOrganization, client: httpx.AsyncClient, change: Json
) -> None:
    body = {
        "name": "Second",
        "outboundNotificationWebhookUrl": "https://second.test/webhook",
        "outboundNotificationWebhookSignatureSecretToken": SECRET,
    }
    assert (await client.post(INTEGRATIONS, json=body | change)).status_code == 400
    assert len(organization.setup.integrations) == 1


async def test_a_new_topic_with_a_new_rule_takes_messages(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    body = {"name": "Second", "divisionId": organization.division_id}
    topic = (await client.post(TOPICS, json=body)).json()
    rules = f"{TOPICS}/{topic['id']}/dataingestionrules"
    source = {"id": organization.external_source_id}
    wanted = {"name": "Second", "externalSource": source}
    created = await client.post(f"{rules}/open", json=wanted)
    assert created.status_code == 202
    path = bulk_path(organization).replace(organization.topic_id, topic["id"])
    path = path.replace(organization.rule_id, created.json()["id"])
    assert (await client.post(path, json=[public_message()])).status_code == 202
    assert (await client.get(rules)).json()["total"] == 1


async def test_names_are_taken_once(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    rules = f"{TOPICS}/{organization.topic_id}/dataingestionrules/open"
    source = {"id": organization.external_source_id}
    for path, body, status in (
        (TOPICS, {"name": "Bluesky", "divisionId": organization.division_id}, 400),
        (rules, {"name": "Bluesky", "externalSource": source}, 400),
        (SOURCES, {"name": "Bluesky"}, 409),
    ):
        assert (await client.post(path, json=body)).status_code == status


async def test_a_rule_needs_a_known_source(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    rules = f"{TOPICS}/{organization.topic_id}/dataingestionrules/open"
    body = {"name": "Second", "externalSource": {"id": "x"}}
    answer = await client.post(rules, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "external.source.error")


async def test_identity_resolution_is_set_and_read_back(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = f"{IDENTITY}/{organization.integration_id}"
    wanted = {
        "resolveIdentities": True,
        "division": {"id": organization.division_id},
        "externalSource": {"id": organization.external_source_id},
    }
    assert (await client.get(path)).json() == {"resolveIdentities": False}
    assert (await client.put(path, json=wanted)).json() == wanted
    assert (await client.get(path)).json() == wanted
    unknown = wanted | {"externalSource": {"id": "x"}}
    assert (await client.put(path, json=unknown)).status_code == 422


async def test_a_source_is_found_by_its_name(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    link = {"uriTemplate": "https://bsky.app/profile/{{externalId.value}}"}
    created = await client.post(SOURCES, json={"name": "Second", "linkConfiguration": link})
    found = (await client.get(f"{SOURCES}?name=Second")).json()["entities"]
    assert found == [created.json()]
    assert found[0]["linkConfiguration"] == link


async def test_a_contact_is_tied_to_a_conversation_and_untied(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    await client.post(bulk_path(organization), json=[public_message()])
    (conversation,) = organization.conversations.values()
    contact = (await client.post("/api/v2/externalcontacts/contacts", json={})).json()
    path = f"/api/v2/externalcontacts/conversations/{conversation.conversation_id}"
    body = {
        "conversationId": conversation.conversation_id,
        "communicationId": "x",
        "mediaType": "MESSAGE",
        "externalContactId": contact["id"],
    }
    assert (await client.put(path, json=body)).status_code == 202
    assert conversation.external_contact_id == contact["id"]
    del body["externalContactId"]
    assert (await client.put(path, json=body)).status_code == 202
    assert conversation.external_contact_id is None


async def test_a_secret_may_be_kept_from_view(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.setup.shows_secrets = False
    path = f"{INTEGRATIONS}/{organization.integration_id}"
    name = "outboundNotificationWebhookSignatureSecretToken"
    assert (await client.get(path)).json()[name] == ""
    change = {"name": "Bluesky", name: SECRET}
    assert (await client.patch(path, json=change)).json()[name] == ""
    assert organization.webhook_secret == SECRET


async def test_a_new_integration_may_take_a_while(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.setup.reads_until_created = 1
    body = {
        "name": "Second",
        "outboundNotificationWebhookUrl": "https://second.test/webhook",
        "outboundNotificationWebhookSignatureSecretToken": SECRET,
    }
    created = await client.post(INTEGRATIONS, json=body)
    path = f"{INTEGRATIONS}/{created.json()['id']}"
    assert (created.status_code, created.json()["createStatus"]) == (202, "Initiated")
    identity = f"{IDENTITY}/{created.json()['id']}"
    assert (await client.put(identity, json={"resolveIdentities": False})).status_code == 409
    assert (await client.get(path)).json()["createStatus"] == "Initiated"
    assert (await client.get(path)).json()["createStatus"] == "Completed"


async def test_lists_are_filtered_and_paged_as_the_platform_does(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    for number in range(12):
        await client.post(SOURCES, json={"name": f"Bluesky {number}"})
    first = (await client.get(f"{SOURCES}?name=Bluesky&limit=10")).json()
    rest = (
        await client.get(f"{SOURCES}?name=Bluesky&limit=10&cursor={first['cursors']['after']}")
    ).json()
    assert (len(first["entities"]), len(rest["entities"])) == (10, 3)
    assert "cursors" not in rest
    topics = (await client.get(f"{TOPICS}?name=blue")).json()["entities"]
    assert [topic["name"] for topic in topics] == ["Bluesky"]

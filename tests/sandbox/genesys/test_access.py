"""Login, tokens, permissions and the rate limit of the sandbox Genesys Cloud."""

from __future__ import annotations

import httpx
import pytest
import trio
from trio.testing import MockClock

from sandbox.genesys import GenesysOrganization
from tests.sandbox.genesys.bodies import (
    bulk_path,
    enrichment,
    identifier,
    inbound_path,
    private_message,
    public_message,
)
from tests.sandbox.genesys.conftest import log_in

GRANT = {"grant_type": "client_credentials"}


async def test_right_credentials_get_a_token_that_lasts_as_configured(
    organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> None:
    organization.access.expires_in_s = 60
    credentials = (organization.client_id, organization.client_secret)
    answer = await stranger.post("/oauth/token", data=GRANT, auth=credentials)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert answer.json()["expires_in"] == 60


@pytest.mark.parametrize(
    ("wrong", "status", "description"),
    [("id", 400, "client not found"), ("secret", 401, "authentication failed")],
)
async def test_wrong_credentials_are_refused_in_the_words_of_oauth(
    organization: GenesysOrganization,
    stranger: httpx.AsyncClient,
    wrong: str,
    status: int,
    description: str,
) -> None:
    credentials = (
        "x" if wrong == "id" else organization.client_id,
        "x" if wrong == "secret" else organization.client_secret,
    )
    answer = await stranger.post("/oauth/token", data=GRANT, auth=credentials)
    assert answer.status_code == status
    assert answer.json() == {
        "error": "invalid_client",
        "description": description,
        "error_description": description,
    }


@pytest.mark.parametrize("header", [None, "Basic ü", "Basic !!!", "Bearer x"])
async def test_credentials_come_as_http_basic_or_not_at_all(
    organization: GenesysOrganization, stranger: httpx.AsyncClient, header: str | None
) -> None:
    headers = {} if header is None else {b"authorization": header.encode()}
    form = GRANT | {"client_id": organization.client_id}
    answer = await stranger.post("/oauth/token", data=form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_other_grants_are_refused(
    organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> None:
    credentials = (organization.client_id, organization.client_secret)
    answer = await stranger.post("/oauth/token", data={"grant_type": "password"}, auth=credentials)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_neither_secret_nor_token_is_kept_in_the_log(
    organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> None:
    token = await log_in(organization, stranger)
    written = repr(organization.calls)
    assert token not in written
    assert organization.client_secret not in written


async def test_without_a_token_nothing_works(
    organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> None:
    answer = await stranger.post(bulk_path(organization), json=[public_message()])
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication.required")
    assert organization.ingested == []


async def test_a_token_expires(
    autojump_clock: MockClock, organization: GenesysOrganization, stranger: httpx.AsyncClient
) -> None:
    organization.access.expires_in_s = 60
    token = await log_in(organization, stranger)
    stranger.headers["Authorization"] = f"Bearer {token}"
    path = f"/api/v2/socialmedia/topics/{organization.topic_id}"
    await trio.sleep(59)
    assert (await stranger.get(path)).status_code == 200
    await trio.sleep(1)
    answer = await stranger.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad.credentials")


async def test_a_revoked_token_is_refused_before_it_expires_and_a_new_one_works(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = f"/api/v2/socialmedia/topics/{organization.topic_id}"
    organization.access.revoke_tokens()
    assert (await client.get(path)).status_code == 401
    client.headers["Authorization"] = f"Bearer {await log_in(organization, client)}"
    assert (await client.get(path)).status_code == 200
    assert organization.access.granted == 2


async def test_a_missing_permission_is_named(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.permissions.discard("socialmedia:message:receive")
    answer = await client.post(bulk_path(organization), json=[public_message()])
    assert (answer.status_code, answer.json()["code"]) == (403, "missing.permissions")
    assert "socialmedia:message:receive" in answer.json()["message"]
    assert organization.ingested == []


async def test_enrich_can_be_switched_off_alone(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.permissions.discard("externalContacts:contact:enrich")
    base = "/api/v2/externalcontacts"
    refused = await client.post(f"{base}/contacts/enrich", json=enrichment(organization))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing.any.permissions")
    body = identifier(organization)
    looked_up = await client.post(f"{base}/identifierlookup/contacts", json=body)
    assert looked_up.status_code == 404


async def test_three_hundred_requests_a_minute_and_no_more(
    autojump_clock: MockClock, organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = f"/api/v2/socialmedia/topics/{organization.topic_id}"
    answers = [await client.get(path) for _ in range(301)]
    assert [answer.status_code for answer in answers] == [200] * 300 + [429]
    assert answers[0].headers["inin-ratelimit-allowed"] == "300"
    assert answers[6].headers["inin-ratelimit-count"] == "7"
    assert answers[-1].headers["retry-after"] == answers[-1].headers["inin-ratelimit-reset"]
    assert answers[-1].json()["code"] == "too.many.requests.retry.after"
    await trio.sleep(float(answers[-1].headers["retry-after"]))
    assert (await client.get(path)).status_code == 200


async def test_each_token_has_its_own_budget(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.access.rate_limit = 1
    path = f"/api/v2/socialmedia/topics/{organization.topic_id}"
    assert [(await client.get(path)).status_code for _ in range(2)] == [200, 429]
    client.headers["Authorization"] = f"Bearer {await log_in(organization, client)}"
    assert (await client.get(path)).status_code == 200


async def test_every_refusal_is_an_error_body_with_its_context(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = inbound_path(organization, "message")
    for answer in (
        await client.get("/api/v2/nowhere"),
        await client.delete(path),
        await client.post(path, content=b"{", headers={"content-type": "application/json"}),
        await client.post(path, content=b"{}", headers={"content-type": "text/plain"}),
        await client.post(path, json=private_message() | {"direction": "Inbound"}),
    ):
        body = answer.json()
        assert body.keys() == {"message", "code", "status", "contextId", "details", "errors"}
        assert body["status"] == answer.status_code >= 400
        assert body["contextId"] == answer.headers["inin-correlation-id"]


async def test_calls_are_logged_with_body_and_answer(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = inbound_path(organization, "message") + "?prefetchConversationId=true"
    answer = await client.post(path, json=private_message())
    call = organization.calls[-1]
    assert (call.method, call.path, call.status) == ("POST", path, answer.status_code)
    assert call.body == private_message()
    assert call.answer == answer.json()

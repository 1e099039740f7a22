"""Each answer of the platform becomes the error that says what to do next."""

from __future__ import annotations

from contextlib import nullcontext

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.genesys.faults import GenesysRejected, PermissionMissing
from actors.genesys.token import LONGEST_HOLD_OFF_S
from runtime.errors import AuthRejected, Effect, Fault, RateLimited, Retryable
from runtime.rate import Budget
from tests.genesys.fake_platform import CLIENT_SECRET, FakeGenesys, error

PATH = "/api/v2/externalcontacts/externalsources/source-1"


async def ask(client: GenesysClient) -> object:
    return await client.request("GET", PATH)


async def test_a_request_carries_the_token_and_returns_the_answer(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    assert await client.request("GET", PATH) == {
        "id": "source-1",
        "name": "Bluesky",
        "active": True,
    }
    assert genesys.logins == 1


async def test_a_revoked_token_is_renewed_once_without_anybody_noticing(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    await ask(client)
    genesys.valid_tokens.clear()
    await ask(client)
    assert genesys.logins == 2
    assert len(genesys.calls) == 3


async def test_many_who_meet_a_revoked_token_share_one_login(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    await ask(client)
    genesys.valid_tokens.clear()
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask, client)
    assert genesys.logins == 2


async def test_a_token_refused_although_it_is_new_is_for_a_person_and_no_login_loop(
    genesys: FakeGenesys, client: GenesysClient, mock_clock: MockClock
) -> None:
    def revoke(_: object) -> None:
        genesys.valid_tokens.clear()

    genesys.before = revoke
    for _ in range(20):
        with pytest.raises(AuthRejected) as caught:
            await ask(client)
        assert not isinstance(caught.value, PermissionMissing)
        assert "OAuth client" in (caught.value.action or "")
    assert genesys.logins == 2
    # The second hold is twice as long; after a success the first is as short as ever.
    for seconds, logins in ((60, 4), (60, 4), (60, 6), (LONGEST_HOLD_OFF_S, 7), (0, 8), (60, 10)):
        mock_clock.jump(seconds)
        genesys.before = None if logins == 7 else revoke
        with nullcontext() if logins == 7 else pytest.raises(AuthRejected):
            await ask(client)
        assert genesys.logins == logins


async def test_an_address_that_is_not_allowed_is_named_as_such(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.faults = [error(401, "ip.not.authorized"), error(401, "ip.not.authorized")]
    with pytest.raises(AuthRejected) as caught:
        await ask(client)
    assert "allowed IP addresses" in (caught.value.action or "")


async def test_a_missing_permission_is_named_from_the_answer(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.denied = {"externalsources": "externalContacts:externalSource:view"}
    with pytest.raises(PermissionMissing, match="context-1") as caught:
        await ask(client)
    assert "externalContacts:externalSource:view" in (caught.value.action or "")
    assert genesys.logins == 1


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        (
            "POST",
            "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk",
            "socialmedia:message:receive",
        ),
        (
            "POST",
            "/api/v2/conversations/messages/i/inbound/open/receipt",
            "conversation:message:receive",
        ),
        ("GET", "/api/v2/conversations/messages/m/details", "conversation:message:view"),
        ("POST", "/api/v2/conversations/messages/c/messages/bulk", "conversation:message:view"),
        ("POST", "/api/v2/externalcontacts/contacts/enrich", "externalContacts:contact:enrich"),
        ("POST", "/api/v2/externalcontacts/contacts", "externalContacts:contact:add"),
        ("PATCH", "/api/v2/externalcontacts/contacts/c", "externalContacts:contact:edit"),
        ("GET", "/api/v2/socialmedia/topics/t", "socialmedia:topic:view"),
    ],
)
async def test_a_missing_permission_that_the_answer_does_not_name_is_known_by_the_operation(
    http: httpx.AsyncClient,
    genesys: FakeGenesys,
    client: GenesysClient,
    method: str,
    path: str,
    permission: str,
) -> None:
    genesys.swagger = None
    genesys.faults = [error(403, "not.authorized", "You are not authorized.")]
    with pytest.raises(PermissionMissing) as caught:
        await client.request(method, path)
    assert permission in (caught.value.action or "")


@pytest.mark.parametrize("status", [400, 404, 409, 413, 415, 422])
async def test_a_refusal_keeps_genesys_code_and_context(
    genesys: FakeGenesys, client: GenesysClient, status: int
) -> None:
    genesys.faults = [error(status, "some.code", "Some words.")]
    with pytest.raises(GenesysRejected, match=r"Some words\. \(contextId context-1\)") as caught:
        await ask(client)
    assert (caught.value.status, caught.value.code) == (status, "some.code")


async def test_a_refusal_without_context_id_names_the_correlation_id(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.headers = {"inin-correlation-id": "correlation-1"}
    genesys.faults = [httpx.Response(422, json={"code": "validation.failed", "message": "bad"})]
    with pytest.raises(GenesysRejected, match="correlation-1"):
        await ask(client)


async def test_a_gateway_that_says_too_large_in_its_own_words_is_believed(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.faults = [httpx.Response(413, text="<html>too large</html>")]
    with pytest.raises(GenesysRejected):
        await ask(client)


@pytest.mark.parametrize("status", [302, 400, 404, 407, 418])
async def test_a_refusal_that_is_not_genesys_own_never_condemns_what_was_sent(
    genesys: FakeGenesys, client: GenesysClient, status: int
) -> None:
    genesys.faults = [httpx.Response(status, text="<html>proxy</html>")]
    with pytest.raises(Retryable) as caught:
        await ask(client)
    assert caught.value.effect is Effect.NOT_DONE
    assert "GC_API_URL" in (caught.value.action or "")


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (error(500, "internal.server.error"), Effect.UNKNOWN),
        (error(503, "service.unavailable"), Effect.UNKNOWN),
        (httpx.Response(502, text="<html>"), Effect.UNKNOWN),
        (error(408, "client.timeout"), Effect.NOT_DONE),
        (httpx.ConnectError("refused"), Effect.NOT_DONE),
        (httpx.ConnectTimeout("slow"), Effect.NOT_DONE),
        (httpx.ReadTimeout("slow"), Effect.UNKNOWN),
        (httpx.RemoteProtocolError("cut"), Effect.UNKNOWN),
        (httpx.Response(200, text="not json"), Effect.UNKNOWN),
        (httpx.Response(200, json=[1]), Effect.UNKNOWN),
    ],
)
async def test_trouble_says_whether_it_may_have_happened(
    genesys: FakeGenesys, client: GenesysClient, fault: httpx.Response | Exception, effect: Effect
) -> None:
    genesys.faults = [fault]
    with pytest.raises(Retryable) as caught:
        await ask(client)
    assert caught.value.effect is effect
    assert not isinstance(caught.value, RateLimited)


async def test_an_empty_answer_is_an_empty_mapping(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.faults = [httpx.Response(204)]
    assert await ask(client) == {}


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"Retry-After": "42", "inin-ratelimit-reset": "50"}, 42.0),
        ({"inin-ratelimit-reset": "50"}, 50.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "-3"}, 0.0),
    ],
)
async def test_too_fast_says_how_long_to_wait(
    genesys: FakeGenesys, client: GenesysClient, headers: dict[str, str], after_s: float | None
) -> None:
    genesys.faults = [httpx.Response(429, json={"code": "too.many.requests"}, headers=headers)]
    with pytest.raises(RateLimited) as caught:
        await ask(client)
    assert caught.value.after_s == after_s
    assert caught.value.effect is Effect.NOT_DONE


async def test_too_fast_makes_everybody_wait_who_shares_the_budget(
    genesys: FakeGenesys, client: GenesysClient, budget: Budget, autojump_clock: MockClock
) -> None:
    genesys.faults = [error(429, "too.many.requests", Retry_After="42")]
    with pytest.raises(RateLimited):
        await ask(client)
    assert client.waiting_s() == pytest.approx(42.0)
    await ask(client)
    assert trio.current_time() == pytest.approx(42.0)


async def test_the_budget_pauses_when_the_platform_says_that_nothing_is_left(
    genesys: FakeGenesys, client: GenesysClient, mock_clock: MockClock
) -> None:
    genesys.headers = {
        "inin-ratelimit-count": "299",
        "inin-ratelimit-allowed": "300",
        "inin-ratelimit-reset": "33",
    }
    await ask(client)
    assert client.waiting_s() == 0.0
    genesys.headers["inin-ratelimit-count"] = "300"
    await ask(client)
    assert client.waiting_s() == pytest.approx(33.0)


async def test_a_request_that_hangs_ends_at_its_deadline(
    genesys: FakeGenesys, client: GenesysClient, autojump_clock: MockClock
) -> None:
    await ask(client)
    token = next(iter(genesys.valid_tokens))

    async def hang(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"Bearer {token}"
        await trio.sleep_forever()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
        hanging = GenesysClient(
            http,
            api_url="https://x",
            tokens=vars(client)["_tokens"],
            budget=vars(client)["_budget"],
            deadline_s=30.0,
        )
        with pytest.raises(Retryable, match="no answer within 30 s") as caught:
            await ask(hanging)
    assert caught.value.effect is Effect.UNKNOWN
    assert trio.current_time() == pytest.approx(30.0)


async def test_a_text_that_has_no_encoding_does_not_stop_the_request(
    genesys: FakeGenesys, client: GenesysClient
) -> None:
    genesys.swagger = None
    with pytest.raises(GenesysRejected):
        await client.request("POST", "/api/v2/nowhere", {"text": "half a pair: \ud83e"})
    assert genesys.calls[-1].body == {"text": "half a pair: \ud83e"}


async def test_no_error_shows_a_secret(genesys: FakeGenesys, client: GenesysClient) -> None:
    faults: list[httpx.Response | Exception] = [
        error(400, "bad.request"),
        error(403, "not.authorized"),
        httpx.ReadError("cut"),
        error(500, "internal.server.error"),
    ]
    for fault in faults:
        genesys.faults = [fault]
        with pytest.raises(Fault) as caught:
            await ask(client)
        shown = f"{caught.value!r} {caught.value.action} {client!r}"
        assert CLIENT_SECRET not in shown
        assert not any(token in shown for token in genesys.valid_tokens)

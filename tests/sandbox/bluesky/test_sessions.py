"""Sessions and rate limits."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from tests.sandbox.bluesky.client import Client, Clock, Session

CREATE = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
GET = "com.atproto.server.getSession"
DELETE = "com.atproto.server.deleteSession"
EXPIRED = (400, "ExpiredToken", "Token has expired")
REVOKED = (400, "ExpiredToken", "Token has been revoked")
UNVERIFIED = (400, "InvalidToken", "Token could not be verified")


def decode(token: str, part: int) -> dict[str, object]:
    text = token.split(".")[part]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


async def bearer(client: Client, nsid: str, token: str) -> httpx.Response:
    """POST without a body, as the methods with a refresh token want it."""
    return await client.http.post(f"/xrpc/{nsid}", headers={"authorization": f"Bearer {token}"})


def error(response: httpx.Response) -> tuple[int, str, str]:
    return response.status_code, response.json()["error"], response.json()["message"]


async def test_a_login_tells_who_it_is(client: Client, brand: Account, base_url: str) -> None:
    """DID, handle, e-mail and a DID document that names this server as the account's PDS."""
    body = {"identifier": "BRAND.test", "password": brand.password}
    answer = await client.call(CREATE, body)
    assert (answer["did"], answer["handle"], answer["active"]) == (brand.did, "brand.test", True)
    (service,) = answer["didDoc"]["service"]
    assert (service["id"], service["serviceEndpoint"]) == ("#atproto_pds", base_url)


@pytest.mark.parametrize("identifier", ["brand.test", "BRAND.TEST", "brand@example.com"])
async def test_a_login_takes_handles_in_any_case_and_e_mail(
    client: Client, brand: Account, identifier: str
) -> None:
    """And the DID; see below for what it does not take."""
    for known in (identifier, brand.did):
        await client.call(CREATE, {"identifier": known, "password": brand.password})


@pytest.mark.parametrize("identifier", ["@brand.test", "nobody.test", "brand"])
async def test_wrong_credentials_are_refused_alike(
    client: Client, brand: Account, identifier: str
) -> None:
    """An unknown account, a handle with ``@`` and a wrong password: 401, the same words."""
    tries = [(identifier, brand.password), ("brand.test", "wrong")]
    for name, password in tries:
        response = await client.http.post(
            f"/xrpc/{CREATE}", json={"identifier": name, "password": password}
        )
        expected = (401, "AuthenticationRequired", "Invalid identifier or password")
        assert error(response) == expected


@pytest.mark.parametrize(
    ("password", "scope"),
    [
        ("brand-password", "com.atproto.access"),
        ("with-messages", "com.atproto.appPassPrivileged"),
        ("without-messages", "com.atproto.appPass"),
    ],
)
async def test_tokens_say_what_they_are_for(
    client: Client, clock: Clock, brand: Account, password: str, scope: str
) -> None:
    """HS256, ``typ``, and the claims of the real PDS; the scope is kept over a refresh."""
    session = await client.log_in(brand, password)
    assert decode(session.access, 0) == {"typ": "at+jwt", "alg": "HS256"}
    claims = decode(session.access, 1)
    now = int(clock.now.timestamp())
    expected = {"scope": scope, "sub": brand.did, "aud": "did:web:localhost"}
    assert claims == {**expected, "iat": now, "exp": now + 7200}
    assert decode(session.refresh, 0)["typ"] == "refresh+jwt"
    refresh = decode(session.refresh, 1)
    assert refresh.keys() == {"scope", "sub", "aud", "jti", "iat", "exp"}
    assert refresh["scope"] == "com.atproto.refresh"
    assert refresh["exp"] == now + 90 * 86_400
    renewed = client.check(REFRESH, await bearer(client, REFRESH, session.refresh))
    assert decode(renewed["accessJwt"], 1)["scope"] == scope


async def test_an_expired_access_token_is_a_400(session: Session, clock: Clock) -> None:
    """``ExpiredToken`` with 400, not 401, for PDS, AppView and chat alike."""
    await session.get(GET)
    clock.advance(7200)
    for nsid in (GET, "app.bsky.notification.listNotifications", "chat.bsky.convo.getLog"):
        assert await session.refused(nsid) == EXPIRED
    assert await session.refused("com.atproto.repo.createRecord", body={}) == EXPIRED


async def test_the_life_of_access_tokens_can_be_set(
    network: BlueskyNetwork, client: Client, clock: Clock, brand: Account
) -> None:
    """For tokens given from then on."""
    network.sessions.access_ttl_s = 5
    session = await client.log_in(brand)
    clock.advance(4)
    await session.get(GET)
    clock.advance(1)
    assert await session.refused(GET) == EXPIRED


async def test_a_missing_or_wrong_token_is_told_by_name(client: Client, session: Session) -> None:
    """``AuthMissing`` is 401; garbage, the wrong kind and a forged signature are 400."""
    assert error(await client.http.get(f"/xrpc/{GET}")) == (
        401,
        "AuthMissing",
        "Authentication Required",
    )
    forged = session.access[:-4] + ("AAAA" if session.access[-4:] != "AAAA" else "BBBB")
    for token in ("garbage", session.refresh, forged, "é.é.é"):
        headers = {b"authorization": f"Bearer {token}".encode()}
        assert error(await client.http.get(f"/xrpc/{GET}", headers=headers)) == UNVERIFIED
    assert error(await bearer(client, REFRESH, session.access)) == UNVERIFIED


async def test_a_refresh_token_used_again_gives_the_same_successor(
    client: Client, session: Session, clock: Clock
) -> None:
    """Within the grace of two hours; the old access token goes on working meanwhile."""
    answers = [await bearer(client, REFRESH, session.refresh) for _ in range(3)]
    tokens = {decode(answer.json()["refreshJwt"], 1)["jti"] for answer in answers}
    assert len(tokens) == 1
    assert tokens != {decode(session.refresh, 1)["jti"]}
    await session.get(GET)
    clock.advance(2 * 3600)
    assert error(await bearer(client, REFRESH, session.refresh)) == REVOKED
    assert (await bearer(client, REFRESH, answers[0].json()["refreshJwt"])).status_code == 200


async def test_a_refresh_takes_no_body(client: Client, session: Session) -> None:
    """Not even an empty object."""
    headers = {"authorization": f"Bearer {session.refresh}"}
    response = await client.http.post(f"/xrpc/{REFRESH}", json={}, headers=headers)
    message = "A request body was provided when none was expected"
    assert error(response) == (400, "InvalidRequest", message)


async def test_a_closed_session_cannot_be_refreshed(client: Client, session: Session) -> None:
    """200 and nothing in it; the error has the name of an expired access token."""
    response = await bearer(client, DELETE, session.refresh)
    assert (response.status_code, response.content) == (200, b"")
    assert "content-type" not in response.headers
    assert error(await bearer(client, REFRESH, session.refresh)) == REVOKED
    await session.get(GET)  # the access token works until it expires


async def test_a_revoked_app_password_opens_and_refreshes_nothing(
    network: BlueskyNetwork, client: Client, brand: Account
) -> None:
    """Sessions of other passwords go on."""
    revoked = await client.log_in(brand, "with-messages")
    other = await client.log_in(brand, "without-messages")
    network.revoke_app_password(brand, "with-messages")
    assert error(await bearer(client, REFRESH, revoked.refresh)) == REVOKED
    assert (await bearer(client, REFRESH, other.refresh)).status_code == 200
    await revoked.get(GET)
    body = {"identifier": brand.handle, "password": "with-messages"}
    assert (await client.http.post(f"/xrpc/{CREATE}", json=body)).status_code == 401


async def test_accounts_out_of_service_say_so(
    client: Client, session: Session, brand: Account
) -> None:
    """Taken down: no login, no write. Deactivated: a login that says so, and no write."""
    write = {"repo": brand.did, "collection": "app.bsky.feed.post", "record": {}}
    login = {"identifier": brand.handle, "password": brand.password}
    brand.status = "takendown"
    taken_down = (401, "AccountTakedown", "Account has been taken down")
    assert error(await client.http.post(f"/xrpc/{CREATE}", json=login)) == taken_down
    assert await session.refused("com.atproto.repo.createRecord", body=write) == taken_down
    gone = (400, "InvalidRequest", f"Could not find user info for account: {brand.did}")
    assert await session.refused(GET) == gone
    brand.status = "deactivated"
    answer = await client.call(CREATE, login)
    assert (answer["active"], answer["status"]) == (False, "deactivated")
    refused = await session.refused("com.atproto.repo.createRecord", body=write)
    assert refused == (401, "AccountDeactivated", "Account is deactivated")


async def test_the_thirty_first_login_in_five_minutes_is_refused(
    client: Client, brand: Account, clock: Clock
) -> None:
    """429 with the window in the headers; the same account by DID has a bucket of its own."""
    login = {"identifier": brand.handle, "password": brand.password}
    for _ in range(30):
        await client.call(CREATE, login)
    response = await client.http.post(f"/xrpc/{CREATE}", json=login)
    assert error(response) == (429, "RateLimitExceeded", "Rate Limit Exceeded")
    headers = response.headers
    assert headers["ratelimit-limit"] == "30"
    assert headers["ratelimit-remaining"] == "0"
    assert headers["ratelimit-policy"] == "30;w=300"
    wait = int(headers["retry-after"])
    assert 0 < wait <= 300
    assert int(headers["ratelimit-reset"]) == pytest.approx(clock.now.timestamp() + wait, abs=1)
    await client.call(CREATE, {**login, "identifier": brand.did})
    clock.advance(wait)
    await client.call(CREATE, login)


async def test_every_answer_tells_what_is_left(client: Client, session: Session) -> None:
    """3000 calls in five minutes and address; refusals tell it too; uploads have their own."""
    first = await session.send(GET)
    second = await session.send("app.bsky.feed.getPosts")
    assert first.headers["ratelimit-policy"] == "3000;w=300"
    assert second.status_code == 400
    left = [int(one.headers["ratelimit-remaining"]) for one in (first, second)]
    assert left[0] - left[1] == 1
    headers = {"authorization": f"Bearer {session.access}", "content-type": "text/plain"}
    upload = "/xrpc/com.atproto.repo.uploadBlob"
    response = await client.http.post(upload, content=b"x", headers=headers)
    assert response.headers["ratelimit-policy"] == "1000;w=86400"

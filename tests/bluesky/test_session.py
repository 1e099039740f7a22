"""The session has one owner: renewed in time, kept across restarts, and seldom logged in anew."""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress

import httpx
import pytest
import trio
from trio.abc import Clock

from actors.bluesky.session import LOGINS_NAME, SESSION_NAME
from actors.store import StoreUnavailable
from runtime.errors import AuthRejected, Effect, RateLimited, Retryable
from tests.bluesky.server import DID, PASSWORD, World, error

LOGIN = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
GET = "app.bsky.actor.getProfile"
HOUR_S = 3600.0


async def test_a_session_survives_a_restart(autojump_clock: Clock) -> None:
    """The next process goes on with the stored one."""
    world = World()
    assert await world.client().did() == DID
    assert await world.client().did() == DID
    assert world.server.count(LOGIN) == 1


async def test_a_leading_at_sign_is_left_out(autojump_clock: Clock) -> None:
    """The server refuses a handle that is written like a mention."""
    assert await World().client(identifier="@brand.test").did() == DID


async def test_the_token_is_renewed_before_it_ends(autojump_clock: Clock) -> None:
    """No request is ever refused for it."""
    world = World()
    client = world.client()
    for _ in range(100):
        await client.query(GET, {})
        await trio.sleep(HOUR_S / 2)
    assert world.server.count(LOGIN) == 1
    assert world.server.count(GET) == 100
    assert 23 <= world.server.count(REFRESH) <= 35


@pytest.mark.parametrize("clock_error_s", [-9 * HOUR_S, 9 * HOUR_S])
async def test_a_wrong_clock_does_no_harm(clock_error_s: float, autojump_clock: Clock) -> None:
    """How long a token lives is measured by its own two times."""
    world = World()
    world.server.clock_error_s = clock_error_s
    client = world.client()
    for _ in range(5):
        await client.query(GET, {})
    assert (world.server.count(LOGIN), world.server.count(REFRESH)) == (1, 0)


async def test_a_token_that_lives_shortly_is_used_for_half_its_life(autojump_clock: Clock) -> None:
    """A margin longer than its life would mean a refresh per request."""
    world = World()
    world.server.life_s = 10.0
    client = world.client()
    for _ in range(20):
        await client.query(GET, {})
    assert world.server.count(REFRESH) == 0


async def test_a_token_refused_as_expired_is_renewed_and_the_request_sent_again(
    autojump_clock: Clock,
) -> None:
    """It comes as a 400, for whatever reason it came early."""
    world = World()
    client = world.client()
    await client.query(GET, {})
    world.server.expire()
    assert (await client.procedure("com.atproto.repo.putRecord", {"a": 1}))["nsid"]
    assert (world.server.count(LOGIN), world.server.count(REFRESH)) == (1, 1)


async def test_tasks_that_meet_renew_once(autojump_clock: Clock) -> None:
    """The others wait and take what the first one got."""
    world = World()
    client = world.client()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(client.query, GET, {})
    world.server.expire()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(client.query, GET, {})
    assert (world.server.count(LOGIN), world.server.count(REFRESH)) == (1, 1)


async def test_a_revoked_refresh_token_leads_to_one_login(autojump_clock: Clock) -> None:
    """It says ExpiredToken like an access token; refreshing again would never help."""
    world = World()
    client = world.client()
    await client.did()
    await trio.sleep(HOUR_S)
    world.server.revoke()
    world.server.expire()
    await client.query(GET, {})
    assert (world.server.count(LOGIN), world.server.count(REFRESH)) == (2, 1)


async def test_a_session_that_another_process_renewed_is_taken_from_the_store(
    autojump_clock: Clock,
) -> None:
    """At a deploy the last leader may have refreshed last."""
    world = World()
    ours, theirs = world.client(), world.client()
    await ours.did()
    await theirs.did()
    world.server.expire()
    world.server.revoke()
    await trio.sleep(HOUR_S)
    await theirs.query(GET, {})
    await ours.query(GET, {})
    assert world.server.count(LOGIN) == 2


async def test_a_refused_password_is_tried_once_not_in_a_loop(autojump_clock: Clock) -> None:
    """Nor by another task, nor by the next process with the same password."""
    world = World()
    world.server.password = "changed"
    client = world.client()
    for _ in range(60):
        with pytest.raises(AuthRejected) as refused:
            await client.query(GET, {})
        assert "BLUESKY_APP_PASSWORD" in str(refused.value.action)
        await trio.sleep(60)
    with pytest.raises(AuthRejected):
        await world.client().did()
    assert world.server.count(LOGIN) == 1
    assert world.server.count(GET) == 0


async def test_a_new_password_is_tried_at_once(autojump_clock: Clock) -> None:
    """The hold was for the wrong one; a person has mended it."""
    world = World()
    world.server.password = "right"
    with pytest.raises(AuthRejected):
        await world.client().did()
    await trio.sleep(60)
    assert await world.client(password="right").did() == DID


async def test_a_crash_loop_does_not_log_in_in_a_loop(autojump_clock: Clock) -> None:
    """Each process forgets the session, but not how often it was asked for."""
    world = World()
    for _ in range(100):
        world.memory.forget("session", SESSION_NAME)
        with suppress(RateLimited):
            await world.client().did()
        await trio.sleep(600)
    assert 5 <= world.server.count(LOGIN) <= 10


async def test_a_crash_during_a_login_does_not_lead_to_the_next_one_at_once(
    autojump_clock: Clock,
) -> None:
    """The attempt is written down before it is made."""
    world = World()
    world.server.answer_after_s = 5
    with trio.move_on_after(1):
        await world.client().did()
    with pytest.raises(RateLimited):
        await world.client().did()
    assert world.server.count(LOGIN) == 1
    await trio.sleep(30)
    assert await world.client().did() == DID


async def test_a_login_that_fails_is_spaced_out_and_succeeds_in_the_end(
    autojump_clock: Clock,
) -> None:
    """Two hours of 5xx, asked for every five seconds by everybody."""
    world = World()
    world.server.script[LOGIN] = deque(error(503, "Unavailable") for _ in range(12))
    client = world.client()
    faults: list[Retryable] = []
    did = None
    while did is None:
        try:
            did = await client.did()
        except Retryable as failed:
            faults.append(failed)
        await trio.sleep(5)
    assert trio.current_time() < 3 * HOUR_S
    assert all(one.effect is Effect.NOT_DONE for one in faults)
    assert all(one.after_s is None or one.after_s <= 900 for one in faults)
    assert world.server.count(LOGIN) == 13


async def test_a_login_that_never_reached_the_server_does_not_count(autojump_clock: Clock) -> None:
    """Bluesky starts a little later than the connector: no need to wait for half an hour."""
    world = World()
    world.server.script[LOGIN] = deque(httpx.ConnectError("refused") for _ in range(20))
    client = world.client()
    for _ in range(20):
        with pytest.raises(Retryable):
            await client.did()
    assert await client.did() == DID


async def test_a_login_limit_is_obeyed_across_restarts(autojump_clock: Clock) -> None:
    """With the server's own time."""
    world = World()
    world.server.script[LOGIN] = deque(
        [error(429, "RateLimitExceeded", retry_after="288", ratelimit_policy="30;w=300")]
    )
    for client in (world.client(), world.client()):
        with pytest.raises(RateLimited) as limited:
            await client.did()
        assert limited.value.after_s == pytest.approx(288, abs=1)
    assert world.server.count(LOGIN) == 1
    assert world.budget.waiting_s() == 0
    await trio.sleep(288)
    assert await world.client().did() == DID


async def test_a_store_that_is_away_forces_no_login(autojump_clock: Clock) -> None:
    """A session may be in it; and without it no login can be counted."""
    world = World()
    await world.client().did()
    world.memory.away = True
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await world.client().did()
    world.memory.away = False
    assert await world.client().did() == DID
    assert world.server.count(LOGIN) == 1


async def test_a_session_holds_while_the_store_is_away_and_is_saved_later(
    autojump_clock: Clock,
) -> None:
    """Renewing needs no store, and the next process gets the new tokens."""
    world = World()
    client = world.client()
    await client.did()
    world.memory.away = True
    await trio.sleep(7199)
    await client.query(GET, {})
    world.memory.away = False
    await trio.sleep(20)
    await client.query(GET, {})
    requests = len(world.memory.requests)
    await client.query(GET, {})
    assert len(world.memory.requests) == requests
    await world.client().query(GET, {})
    assert (world.server.count(LOGIN), world.server.count(REFRESH)) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [{"password": "other"}, {"identifier": "DID"}, {"service": "https://other.test"}],
)
async def test_a_session_of_other_credentials_is_not_used(
    other: dict[str, str], autojump_clock: Clock
) -> None:
    """Another handle is another account, and another app password may have other rights."""
    world = World()
    await world.client().did()
    await trio.sleep(60)
    client = world.client(**other)
    if "service" in other:
        await client.did()
    else:
        with pytest.raises(AuthRejected):
            await client.did()
    assert world.server.count(LOGIN) == 2


@pytest.mark.parametrize(
    "answer",
    [
        error(401, "AccountTakedown", "Account has been taken down"),
        httpx.Response(
            200,
            json={
                "did": DID,
                "handle": "brand.test",
                "accessJwt": "a.b.c",
                "refreshJwt": "r",
                "active": False,
                "status": "deactivated",
            },
        ),
    ],
)
async def test_a_closed_account_is_for_a_person_to_mend(
    answer: httpx.Response, autojump_clock: Clock
) -> None:
    """It is tried again now and then, since it may be mended without our knowing."""
    world = World()
    world.server.script[LOGIN] = deque([answer])
    client = world.client()
    for _ in range(10):
        with pytest.raises(AuthRejected) as closed:
            await client.did()
        assert "bsky.app" in str(closed.value.action)
    assert world.server.count(LOGIN) == 1
    await trio.sleep(1000)
    assert await client.did() == DID


async def test_requests_go_where_the_did_document_says(autojump_clock: Clock) -> None:
    """The account's own server, which may not be the one that we log in at."""
    world = World()
    world.server.extra = {
        "didDoc": {
            "service": [
                {"id": "#labeler", "serviceEndpoint": "https://wrong.test"},
                {"id": "#atproto_pds", "serviceEndpoint": "https://own.test/"},
            ]
        }
    }
    client = world.client()
    assert (await client.query(GET, {}))["host"] == "own.test"
    world.server.expire()
    await client.query(GET, {})
    assert [one.url.host for one in world.server.requests if REFRESH in one.url.path] == [
        "own.test"
    ]


@pytest.mark.parametrize("endpoint", ["http://own.test", 5, "file:///etc/passwd"])
async def test_a_less_safe_server_is_not_followed(endpoint: object, autojump_clock: Clock) -> None:
    """Tokens do not leave by an unencrypted door."""
    world = World()
    world.server.extra = {
        "didDoc": {"service": [{"id": "#atproto_pds", "serviceEndpoint": endpoint}]}
    }
    assert (await world.client().query(GET, {}))["host"] == "pds.test"


async def test_a_senseless_answer_to_a_login_harms_nobody(autojump_clock: Clock) -> None:
    """Whoever asked for something else may try again: theirs is not malformed."""
    world = World()
    world.server.script[LOGIN] = deque([httpx.Response(200, json={"did": DID})])
    with pytest.raises(Retryable) as failed:
        await world.client().procedure("com.atproto.repo.putRecord", {})
    assert failed.value.effect is Effect.NOT_DONE
    assert "accessJwt" in str(failed.value)


async def test_neither_password_nor_token_is_kept_in_the_history_or_told(
    autojump_clock: Clock,
) -> None:
    """What is stored of logins are times; the password is nowhere."""
    world = World()
    client = world.client()
    await client.did()
    session = json.loads(world.memory.values["session", SESSION_NAME].text)
    assert PASSWORD not in str(world.memory.values)
    assert session["access"] not in world.memory.values["session", LOGINS_NAME].text
    world.server.expire()
    world.server.script[GET] = deque([httpx.ReadError("cut")])
    with pytest.raises(Retryable) as failed:
        await client.query(GET, {})
    assert session["access"] not in repr(failed.value)
    owner = client._sessions
    assert session["access"] not in repr(owner._session)
    assert PASSWORD not in repr(owner._credentials)

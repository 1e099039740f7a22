"""Each answer of Bluesky becomes the error that says what to do next."""

from __future__ import annotations

from collections import deque
from urllib.parse import parse_qsl

import httpx
import pytest
import trio
from trio.abc import Clock

from actors.bluesky.errors import ALLOW_MESSAGES, MEND_LOGIN
from runtime.errors import AuthRejected, Effect, Malformed, RateLimited, Rejected, Retryable
from tests.bluesky.server import World, error
from tests.support.memory_store import NEW_YEAR_2026

GET = "app.bsky.feed.getPosts"
PUT = "com.atproto.repo.putRecord"


async def test_a_query_carries_its_parameters_and_the_token(autojump_clock: Clock) -> None:
    """A list repeats its parameter; nothing else is added."""
    world = World()
    await world.client().query(GET, {"uris": ["at://a/b/c", "at://d/e/f"], "limit": 5})
    request = world.server.requests[-1]
    assert request.method == "GET"
    assert str(request.url.params) == "uris=at%3A%2F%2Fa%2Fb%2Fc&uris=at%3A%2F%2Fd%2Fe%2Ff&limit=5"
    assert request.headers["authorization"].startswith("Bearer header.")
    assert "atproto-proxy" not in request.headers


@pytest.mark.parametrize("text", ["a b", "a&b=c", "50 % + 1", "ü\U0001f44b", "at://a/b#c?d", ""])
async def test_every_text_arrives_as_a_parameter(text: str, autojump_clock: Clock) -> None:
    """Addresses keep their colons and slashes; whatever else a text has is escaped."""
    world = World()
    await world.client().query(GET, {"q": text, "uris": ["at://a/b/c", text]})
    address = world.server.requests[-1].url
    assert parse_qsl(address.query.decode("ascii"), keep_blank_values=True) == [
        ("q", text),
        ("uris", "at://a/b/c"),
        ("uris", text),
    ]
    assert b"at://a/b/c" in address.query


async def test_chat_goes_through_the_proxy_header(autojump_clock: Clock) -> None:
    """Without it the PDS does not know the method."""
    world = World()
    await world.client().procedure("chat.bsky.convo.sendMessage", {"a": 1}, chat=True)
    request = world.server.requests[-1]
    assert request.headers["atproto-proxy"] == "did:web:api.bsky.chat#bsky_chat"
    assert request.read() == b'{"a":1}'


async def test_an_empty_answer_is_an_empty_object(autojump_clock: Clock) -> None:
    """updateSeen and deleteSession answer 200 with nothing."""
    world = World()
    world.server.script[PUT] = deque([httpx.Response(200)])
    assert await world.client().procedure(PUT, {}) == {}


async def test_every_text_of_an_answer_can_be_encoded_again(autojump_clock: Clock) -> None:
    """Half a surrogate pair would make the store refuse a whole page."""
    world = World()
    content = b'{"a\\ud83d": ["x\\uDC4b", "\\ud83d\\udc4b"], "b": "\xff", "n": [1, null]}'
    world.server.script[GET] = deque([httpx.Response(200, content=content)])
    answer = await world.client().query(GET, {})
    assert answer == {"a\ufffd": ["x\ufffd", "\U0001f44b"], "b": "\ufffd", "n": [1, None]}


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"\xff", b"[" * 200_000])
async def test_an_answer_that_is_no_object_is_malformed(
    content: bytes, autojump_clock: Clock
) -> None:
    """A proxy's page, a list, bytes, or a bomb: of a procedure nobody knows what happened."""
    world = World()
    world.server.script[PUT] = deque([httpx.Response(200, content=content)])
    world.server.script[GET] = deque([httpx.Response(200, content=content)])
    client = world.client()
    with pytest.raises(Malformed) as put:
        await client.procedure(PUT, {})
    with pytest.raises(Malformed) as get:
        await client.query(GET, {})
    assert (put.value.effect, get.value.effect) == (Effect.UNKNOWN, Effect.NOT_DONE)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(400, "InvalidSwap", "Record was at bafy"), "InvalidSwap"),
        (error(400, "BlobNotFound", "Could not find blob"), "BlobNotFound"),
        (error(501, "MethodNotImplemented", "Method Not Implemented"), "MethodNotImplemented"),
        (error(413, "PayloadTooLargeError"), "PayloadTooLargeError"),
        (httpx.Response(404, text="not here"), "HTTP404"),
        (httpx.Response(403, json=["odd"]), "HTTP403"),
        (httpx.Response(301, headers={"location": "https://evil.test"}), "HTTP301"),
    ],
)
async def test_what_will_never_be_accepted_is_rejected_by_name(
    answer: httpx.Response, code: str, autojump_clock: Clock
) -> None:
    """Most failures are 400; the name tells them apart. Nobody is redirected with the token."""
    world = World()
    world.server.script[PUT] = deque([answer])
    with pytest.raises(Rejected) as rejected:
        await world.client().procedure(PUT, {})
    assert rejected.value.code == code
    assert rejected.value.effect is Effect.NOT_DONE
    assert {one.url.host for one in world.server.requests} == {"pds.test"}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_failing_server_may_have_acted(status: int, autojump_clock: Clock) -> None:
    """Not so with a query, which does nothing."""
    world = World()
    world.server.script[PUT] = deque([error(status, "InternalServerError")])
    world.server.script[GET] = deque([error(status, "UpstreamFailure", retry_after="7")])
    client = world.client()
    with pytest.raises(Retryable) as put:
        await client.procedure(PUT, {})
    with pytest.raises(Retryable) as get:
        await client.query(GET, {})
    assert (put.value.effect, get.value.effect) == (Effect.UNKNOWN, Effect.NOT_DONE)
    assert get.value.after_s == (7.0 if status >= 500 else None)


@pytest.mark.parametrize(
    ("cut", "effect"),
    [
        (httpx.ConnectError("refused"), Effect.NOT_DONE),
        (httpx.ConnectTimeout("slow"), Effect.NOT_DONE),
        (httpx.PoolTimeout("busy"), Effect.NOT_DONE),
        (httpx.ReadError("[Errno 104] Connection reset by peer"), Effect.UNKNOWN),
        (httpx.RemoteProtocolError("Server disconnected without sending"), Effect.UNKNOWN),
        (httpx.ReadTimeout("slow"), Effect.UNKNOWN),
        (httpx.WriteError("broken pipe"), Effect.UNKNOWN),
        (httpx.DecodingError("gzip"), Effect.UNKNOWN),
    ],
)
async def test_a_cut_connection_may_have_acted_unless_it_was_never_made(
    cut: httpx.RequestError, effect: Effect, autojump_clock: Clock
) -> None:
    """A reset before and a drop after the server acted look the same."""
    world = World()
    world.server.script[PUT] = deque([cut])
    with pytest.raises(Retryable) as failed:
        await world.client().procedure(PUT, {})
    assert failed.value.effect is effect


async def test_no_answer_in_time_is_retryable(autojump_clock: Clock) -> None:
    """From connecting to the end of the answer, however slowly it drips."""
    world = World()
    client = world.client()
    await client.did()
    world.server.answer_after_s = 10_000
    started = trio.current_time()
    with pytest.raises(Retryable) as failed:
        await client.procedure(PUT, {})
    assert failed.value.effect is Effect.UNKNOWN
    assert trio.current_time() - started == pytest.approx(30, abs=0.1)


async def test_an_app_password_without_message_access_says_how_to_mend_it(
    autojump_clock: Clock,
) -> None:
    """The token is good, so neither a refresh nor a login would help."""
    world = World()
    world.server.script["chat.bsky.convo.getLog"] = deque(
        [error(400, "InvalidToken", "Bad token method")]
    )
    client = world.client()
    with pytest.raises(AuthRejected) as rejected:
        await client.query("chat.bsky.convo.getLog", {}, chat=True)
    assert rejected.value.action == ALLOW_MESSAGES
    assert len(world.server.requests) == 2


async def test_a_token_that_is_refused_even_when_new_is_for_a_person(
    autojump_clock: Clock,
) -> None:
    """It is renewed once, not for ever."""
    world = World()
    world.server.script[GET] = deque(
        error(400, "InvalidToken", "Token could not be verified") for _ in range(9)
    )
    with pytest.raises(AuthRejected) as rejected:
        await world.client().query(GET, {})
    assert rejected.value.action == MEND_LOGIN
    assert world.server.count(GET) == 2


async def test_a_limit_is_told_with_the_servers_own_time_and_pauses_everybody(
    autojump_clock: Clock,
) -> None:
    """The 3000 in five minutes are shared; nobody waits in silence, nobody asks meanwhile."""
    world = World()
    world.server.script[GET] = deque(
        [error(429, "RateLimitExceeded", retry_after="100", ratelimit_policy="3000;w=300")]
    )
    client = world.client()
    with pytest.raises(RateLimited) as limited:
        await client.query(GET, {})
    assert limited.value.after_s == 100
    sent = len(world.server.requests)
    with pytest.raises(RateLimited) as waiting:
        await client.procedure(PUT, {})
    assert waiting.value.after_s == pytest.approx(100, abs=1)
    assert waiting.value.effect is Effect.NOT_DONE
    assert len(world.server.requests) == sent
    await trio.sleep(97)
    await client.query(GET, {})
    assert trio.current_time() >= 100


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"ratelimit_reset": str(NEW_YEAR_2026 + 61)}, 61.0),
        ({"ratelimit_reset": str(NEW_YEAR_2026 + 9e9), "ratelimit_policy": "3000;w=300"}, 300.0),
        ({"ratelimit_reset": str(NEW_YEAR_2026 - 500)}, 0.0),
        ({"retry_after": "Thu, 01 Jan 2026 00:00:51 GMT"}, 51.0),
        ({"retry_after": "soon", "ratelimit_reset": "never"}, None),
        ({"retry_after": "nan"}, None),
        ({}, None),
    ],
)
async def test_a_limit_without_retry_after_is_read_from_its_reset(
    headers: dict[str, str], after_s: float | None, autojump_clock: Clock
) -> None:
    """Never longer than its window, whatever the clocks say; unknown stays unknown."""
    world = World()
    world.server.script[GET] = deque([error(429, "RateLimitExceeded", **headers)])
    with pytest.raises(RateLimited) as limited:
        await world.client().query(GET, {})
    expected = None if after_s is None else pytest.approx(after_s, abs=0.5)
    assert limited.value.after_s == expected


async def test_a_spent_limit_is_obeyed_before_it_is_broken(autojump_clock: Clock) -> None:
    """The last answer within the limit says that it was the last."""
    world = World()
    headers = {
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(NEW_YEAR_2026 + 60),
        "ratelimit-policy": "3000;w=300",
    }
    world.server.script[GET] = deque([httpx.Response(200, json={}, headers=headers)])
    client = world.client()
    await client.query(GET, {})
    with pytest.raises(RateLimited):
        await client.query(GET, {})
    assert world.server.count(GET) == 1


async def test_a_limit_of_one_method_does_not_stop_the_others(autojump_clock: Clock) -> None:
    """Writes have limits by the hour and the day; polling goes on."""
    world = World()
    world.server.script[PUT] = deque(
        [error(429, "RateLimitExceeded", retry_after="3000", ratelimit_policy="5000;w=3600")]
    )
    client = world.client()
    for _ in range(2):
        with pytest.raises(RateLimited) as limited:
            await client.procedure(PUT, {})
        assert limited.value.after_s == pytest.approx(3000, abs=1)
    await client.query(GET, {})
    assert world.server.count(PUT) == 1
    await trio.sleep(3001)
    assert await client.procedure(PUT, {})

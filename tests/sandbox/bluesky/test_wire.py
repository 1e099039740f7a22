"""The wire itself: faults, the log of calls, compression."""

from __future__ import annotations

import httpx
import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.faults import Delay, DropAfter, RateLimit, Reset, Status
from tests.sandbox.bluesky.client import Session, make_post

CREATE = "com.atproto.repo.createRecord"
LIST = "app.bsky.notification.listNotifications"


def create_body(session: Session) -> dict[str, object]:
    return {"repo": session.did, "collection": "app.bsky.feed.post", "record": make_post()}


async def test_an_answer_lost_after_the_act(
    network: BlueskyNetwork, session: Session, brand: Account
) -> None:
    """The post is there; the caller sees a server that left. Once only, as ordered."""
    network.faults.add(CREATE, DropAfter())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await session.send(CREATE, body=create_body(session))
    assert len(network.posts(brand)) == 1
    await session.create(make_post())
    assert [call.status for call in network.calls.all(CREATE)] == [200, 200]


async def test_a_connection_reset_before_the_act(
    network: BlueskyNetwork, session: Session, brand: Account
) -> None:
    """Nothing happened; the caller sees a read error."""
    rule = network.faults.add(CREATE, Reset())
    with pytest.raises(httpx.ReadError):
        await session.send(CREATE, body=create_body(session))
    assert (len(network.posts(brand)), rule.hits) == (0, 1)
    assert network.calls.all(CREATE) == ()


async def test_refusals_to_order(network: BlueskyNetwork, session: Session) -> None:
    """Any status with its error; 429 with the headers of the PDS."""
    network.faults.add("listNotifications", Status(503, "NotEnoughResources", "Busy"), count=2)
    for _ in range(2):
        assert await session.refused(LIST) == (503, "NotEnoughResources", "Busy")
    await session.get(LIST)
    network.faults.add(LIST, RateLimit(retry_after_s=7))
    response = await session.send(LIST)
    assert (response.status_code, response.json()["error"]) == (429, "RateLimitExceeded")
    assert response.headers["retry-after"] == "7"
    assert response.headers["ratelimit-remaining"] == "0"


async def test_a_delayed_request_acts_though_its_caller_has_gone(
    network: BlueskyNetwork, session: Session, brand: Account
) -> None:
    """A time-out of the caller says nothing about what happened."""
    network.faults.add(CREATE, Delay(0.2))
    seen = network.changes.count
    with pytest.raises(httpx.ReadTimeout):
        await session.client.http.post(
            f"/xrpc/{CREATE}",
            json=create_body(session),
            headers={"authorization": f"Bearer {session.access}"},
            timeout=0.05,
        )
    assert network.posts(brand) == ()
    await network.changes.wait(seen)
    assert len(network.posts(brand)) == 1


async def test_calls_are_noted(
    network: BlueskyNetwork, session: Session, brand: Account, alice: Account
) -> None:
    """Method, query, body and status, without secrets."""
    await session.get("app.bsky.feed.getPosts", uris=[f"at://{alice.did}/app.bsky.feed.post/2"])
    login, query = network.calls.all()
    assert login.nsid == "com.atproto.server.createSession"
    assert login.body == {"identifier": "brand.test", "password": "***"}
    assert (query.method, query.did, query.status) == ("GET", brand.did, 200)
    assert query.query == {"uris": (f"at://{alice.did}/app.bsky.feed.post/2",)}
    await session.get("chat.bsky.convo.listConvos")
    assert network.calls.all()[-1].proxy == "did:web:api.bsky.chat#bsky_chat"
    network.calls.clear()
    assert network.calls.all() == ()


async def test_long_answers_are_compressed_when_asked(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """As the real server does; without ``accept-encoding`` they are not."""
    for number in range(10):
        network.post(alice, f"@brand.test {number}")
    plain = await session.send(LIST, headers={"accept-encoding": "identity"})
    packed = await session.send(LIST)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()


async def test_a_mistake_of_the_server_is_a_bare_500(
    network: BlueskyNetwork, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Told like any server's; the log has the details."""
    network.rate_limits = None  # type: ignore[assignment]
    refused = await session.refused(LIST)
    assert refused == (500, "InternalServerError", "Internal Server Error")
    assert "cannot answer GET app.bsky.notification.listNotifications" in caplog.text

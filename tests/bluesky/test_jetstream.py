"""The websocket to Jetstream, against the sandbox's and against servers that are none."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio

from actors.bluesky.jetstream import LONGEST, Jetstream, open_jetstream
from runtime.errors import Retryable
from sandbox.bluesky import Account, BlueskyNetwork
from sandbox.bluesky.server.app import create_app
from sandbox.serving import serve


@pytest.fixture
def network() -> BlueskyNetwork:
    return BlueskyNetwork(clock=lambda: datetime.now(UTC), rng=random.Random(3))  # noqa: S311


@pytest.fixture
def alice(network: BlueskyNetwork) -> Account:
    return network.create_account("alice.test", password="a")


@pytest.fixture
async def url(network: BlueskyNetwork) -> AsyncIterator[str]:
    async with serve(create_app(network)) as address:
        yield address.replace("http", "ws", 1) + "/subscribe"


@asynccontextmanager
async def listen(url: str, cursor_us: int | None = None) -> AsyncIterator[Jetstream]:
    """A connection, as the connector opens it."""
    with trio.fail_after(10):
        async with open_jetstream(url, cursor_us, user_agent="test") as stream:
            yield stream


async def read_one(stream: Jetstream) -> str:
    """The next event."""
    while not (events := await stream.read()):
        pass
    (event,) = events
    assert isinstance(event, str)
    return event


async def test_events_come_as_they_happen(
    network: BlueskyNetwork, alice: Account, url: str
) -> None:
    """A post is told of, a like is not asked for; what was before is not told."""
    network.post(alice, "before")
    async with listen(url) as stream:
        post = network.post(alice, "now 🌞")
        network.like(alice, post)
        event = json.loads(await read_one(stream))
        network.post(alice, "next")
        assert json.loads(await read_one(stream))["commit"]["record"]["text"] == "next"
    assert event["did"] == alice.did
    assert event["commit"]["record"]["text"] == "now 🌞"
    assert f"at://{alice.did}/app.bsky.feed.post/{event['commit']['rkey']}" == post.uri


async def test_what_was_missed_is_told_from_the_cursor_on(
    network: BlueskyNetwork, alice: Account, url: str
) -> None:
    """That event included."""
    async with listen(url) as stream:
        for text in ("one", "two"):
            network.post(alice, text)
            event = json.loads(await read_one(stream))
    network.post(alice, "three")
    async with listen(url, event["time_us"]) as stream:
        texts: list[str] = []
        while len(texts) < 2:
            texts += [json.loads(one)["commit"]["record"]["text"] for one in await stream.read()]
    assert texts == ["two", "three"]


async def test_who_is_asked_answers(url: str) -> None:
    """A ping is answered while somebody reads."""
    async with listen(url) as stream, trio.open_nursery() as nursery:
        nursery.start_soon(stream.read)
        await stream.ping()
        nursery.cancel_scope.cancel()


async def test_a_closed_connection_is_said(network: BlueskyNetwork, url: str) -> None:
    """And what came before it closed is not lost."""
    async with listen(url) as stream:
        network.commits.babble("the last one")
        assert await read_one(stream) == "the last one"
        network.commits.cut()
        with pytest.raises(Retryable, match="1012 restarting"):
            await stream.read()
        with pytest.raises(Retryable):
            await stream.read()


async def test_too_long_an_event_is_not_asked_for(
    network: BlueskyNetwork, alice: Account, url: str
) -> None:
    """The next one comes."""
    async with listen(url) as stream:
        content = {"kind": "commit", "commit": {"text": "x" * LONGEST}}
        network.commits.tell(alice.did, "app.bsky.feed.post", content)
        network.post(alice, "next")
        assert "next" in await read_one(stream)


async def test_no_such_address(url: str) -> None:
    """What is no Jetstream says so."""
    with pytest.raises(Retryable, match="404"):
        async with listen(url.replace("subscribe", "xrpc")):
            pass
    with pytest.raises(Retryable, match=r"127\.0\.0\.1:9: .*(refused|\[Errno)"):
        async with listen("ws://127.0.0.1:9/subscribe"):
            pass


Talk = Callable[[trio.SocketStream], Awaitable[None]]


@asynccontextmanager
async def served(talk: Talk) -> AsyncIterator[str]:
    """The address of a server that says whatever it likes."""

    async def handle(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some(65536)
            await talk(stream)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, handle, [listener])
        yield f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/subscribe"
        nursery.cancel_scope.cancel()


async def _talk_nonsense(stream: trio.SocketStream) -> None:
    await stream.send_all(b"\x00\xff nonsense\r\n\r\n")


async def _say_nothing(stream: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def _hang_up(stream: trio.SocketStream) -> None:
    pass


@pytest.mark.parametrize("talk", [_talk_nonsense, _hang_up])
async def test_a_server_that_talks_nonsense(talk: Talk) -> None:
    """It is in trouble, and so is nobody else."""
    async with served(talk) as url:
        with pytest.raises(Retryable):
            async with listen(url):
                pass


async def test_a_server_that_says_nothing(autojump_clock: trio.abc.Clock) -> None:
    """It is given up after a while; TLS or not."""
    async with served(_say_nothing) as url:
        for address in (url, url.replace("ws:", "wss:")):
            with pytest.raises(Retryable, match="15 s"):
                async with open_jetstream(address, None, user_agent="test"):
                    pass

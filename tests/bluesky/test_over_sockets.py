"""The client and the pollers against the sandbox's Bluesky, over real sockets and real time."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trio

from actors.bluesky.client import BlueskyClient
from actors.bluesky.dm_poller import DMPoller
from actors.bluesky.errors import ALLOW_MESSAGES
from actors.bluesky.notification_poller import NotificationPoller
from actors.bluesky.search_poller import SearchPoller
from actors.bluesky.session import SessionOwner
from actors.bluesky.tokens import Credentials
from actors.bluesky.xrpc import Xrpc
from actors.messages import InboundDirectMessage, InboundPost
from actors.store import Store
from runtime.actor import Runs
from runtime.errors import AuthRejected, Fault, RateLimited
from runtime.rate import Budget, Rate
from sandbox.bluesky import Account, BlueskyNetwork, Image, Link
from sandbox.bluesky.server.app import create_app
from sandbox.faults import DropAfter, RateLimit, Reset, Status
from sandbox.serving import serve
from tests.support.context import FakeContext
from tests.support.memory_store import MemoryStore

PASSWORD = "with-messages"
INTERVAL_S = 0.05
HOUR_S = 3600.0


@dataclass
class World:
    """The sandbox's network, what is remembered of it, and what went wrong on the way."""

    network: BlueskyNetwork
    url: str
    brand: Account
    alice: Account
    bob: Account
    memory: MemoryStore
    faults: list[Fault] = field(default_factory=list)
    contexts: dict[str, FakeContext] = field(default_factory=dict)

    def client(self, http: httpx.AsyncClient, password: str = PASSWORD) -> BlueskyClient:
        xrpc = Xrpc(http, Budget(Rate(3000, 300.0)), time.time, timeout_s=5.0)
        credentials = Credentials(self.url, "brand.test", password)
        return BlueskyClient(xrpc, SessionOwner(xrpc, self.memory.store, time.time, credentials))

    def context(self, name: str) -> FakeContext:
        return self.contexts.setdefault(name, FakeContext(name, concurrency=2))

    async def keep_running(self, create: Callable[[], Runs]) -> None:
        """Restart an actor whenever it fails, as the supervisor does, but sooner."""
        while True:
            try:
                await create().run()
            except Fault as fault:
                self.faults.append(fault)
                await trio.sleep(0.05)

    @property
    def posts(self) -> list[InboundPost]:
        return [one for one in self.memory.payloads if isinstance(one, InboundPost)]

    @property
    def messages(self) -> list[InboundDirectMessage]:
        return [one for one in self.memory.payloads if isinstance(one, InboundDirectMessage)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    rng = random.Random(7)  # noqa: S311 (no secrets here)
    network = BlueskyNetwork(clock=lambda: datetime.now(UTC), rng=rng)
    brand = network.create_account(
        "brand.test", password="own", display_name="Brand", allow_incoming="all"
    )
    network.add_app_password(brand, PASSWORD)
    network.add_app_password(brand, "without-messages", direct_messages=False)
    alice = network.create_account("alice.test", password="a", display_name="Alice")
    bob = network.create_account("bob.test", password="b")
    async with serve(create_app(network)) as url:
        yield World(network, url, brand, alice, bob, MemoryStore(clock=time.time))


@asynccontextmanager
async def pollers(world: World, *names: str, password: str = PASSWORD) -> AsyncIterator[None]:
    """Run these pollers, all with one client, as in the product."""
    async with httpx.AsyncClient() as http, trio.open_nursery() as nursery:
        client = world.client(http, password)

        def common(name: str) -> tuple[FakeContext, BlueskyClient, Store, Callable[[], float]]:
            return world.context(name), client, world.memory.store, time.time

        def notification_poller() -> NotificationPoller:
            return NotificationPoller(
                *common("NotificationPoller"),
                interval_s=INTERVAL_S,
                lookback_s=HOUR_S,
                deep_sweep_s=HOUR_S,
                at_once=500,
            )

        def search_poller() -> SearchPoller:
            return SearchPoller(
                *common("SearchPoller"),
                queries=["acme"],
                interval_s=INTERVAL_S,
                lookback_s=HOUR_S,
                at_once=500,
            )

        def dm_poller() -> DMPoller:
            return DMPoller(
                *common("DMPoller"),
                interval_s=INTERVAL_S,
                lookback_s=HOUR_S,
                requests="accept",
                at_once=500,
            )

        create: dict[str, Callable[[], Runs]] = {
            "NotificationPoller": notification_poller,
            "SearchPoller": search_poller,
            "DMPoller": dm_poller,
        }
        for name in names:
            nursery.start_soon(world.keep_running, create[name])
        yield
        nursery.cancel_scope.cancel()


async def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    with trio.fail_after(within_s):
        # What is waited for is in the sandbox or in the memory, neither of which tells.
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.02)


async def _poll_twice(world: World, name: str) -> None:
    polls = len(world.context(name).successes)
    await wait_until(lambda: len(world.context(name).successes) >= polls + 2)


async def test_everything_that_customers_do_arrives_once_and_whole(world: World) -> None:
    """Mention, reply, quote, search hit and direct message, with picture and link."""
    network = world.network
    own = network.post(world.brand, "We are acme. Ask us.")
    async with pollers(world, "NotificationPoller", "SearchPoller", "DMPoller"):
        await _poll_twice(world, "NotificationPoller")
        picture = Image(_png(), "a broken box")
        mention = network.post(world.alice, "Hello @brand.test, look", images=[picture])
        reply = network.post(world.bob, "Me too", reply_to=own)
        quote = network.post(world.alice, "Really?", quote=own)
        link = Link("https://x.test/review", "Review", "All about it")
        hit = network.post(world.bob, "I bought an acme anvil", link=link)
        network.direct_messages.send(world.alice, world.brand, "In private: my number is 5")
        await wait_until(lambda: len(world.posts) >= 4 and world.messages)
        await _poll_twice(world, "SearchPoller")
    posts = {one.post.uri: one for one in world.posts}
    assert len(world.posts) == len(posts) == 4
    assert posts[mention.uri].attachments[0].text == "a broken box"
    assert posts[mention.uri].mentioned_dids == (world.brand.did,)
    assert posts[reply.uri].root.uri == own.uri
    assert world.memory.references[reply.uri].root.cid == own.cid
    assert "> We are acme. Ask us." in posts[quote.uri].text
    assert (posts[hit.uri].reason, "Review" in posts[hit.uri].text) == ("search", True)
    (message,) = world.messages
    assert (message.text, message.author.handle) == ("In private: my number is 5", "alice.test")
    assert message.author.display_name == "Alice"
    assert not world.faults


async def test_on_a_bad_day_nothing_is_lost_and_nothing_doubled(world: World) -> None:
    """5xx, resets, cut answers and limits, on every method that the pollers use."""
    network, faults = world.network, world.network.faults
    for fault in (Status(502), Reset(), DropAfter(), RateLimit(0.2)):
        faults.add(
            r"listNotifications|getPosts|searchPosts|getLog|getConvo$", fault, count=2, skip=3
        )
    uris: list[str] = []
    async with pollers(world, "NotificationPoller", "SearchPoller", "DMPoller"):
        for number in range(40):
            uris.append(network.post(world.alice, f"@brand.test number {number}").uri)
            network.direct_messages.send(world.bob, world.brand, f"message {number}")
            await trio.sleep(0.02)
        await wait_until(lambda: len(world.posts) >= 40 and len(world.messages) >= 40, 30)
        await _poll_twice(world, "DMPoller")
    assert [one.post.uri for one in world.posts] == uris
    assert [one.text for one in world.messages] == [f"message {n}" for n in range(40)]
    assert len(world.faults) >= 4


async def test_a_crowd_of_mentions_and_a_backdated_one_all_arrive(world: World) -> None:
    """Pages, batches of 25, and one whose clock is years behind."""
    async with pollers(world, "NotificationPoller"):
        await _poll_twice(world, "NotificationPoller")
    uris = {world.network.post(world.alice, f"@brand.test {n}").uri for n in range(230)}
    past = datetime.now(UTC) - timedelta(days=2000)
    uris.add(world.network.post(world.bob, "@brand.test late", created_at=past).uri)
    async with pollers(world, "NotificationPoller"):
        await wait_until(lambda: len(world.posts) >= 231, 20)
    assert {one.post.uri for one in world.posts} == uris
    assert len(world.posts) == 231


async def test_an_app_password_without_message_access_stops_only_the_messages(
    world: World,
) -> None:
    """The server says it in words that look like a broken token."""
    async with pollers(world, "NotificationPoller", "DMPoller", password="without-messages"):
        await wait_until(lambda: world.faults)
        uri = world.network.post(world.alice, "@brand.test hello").uri
        await wait_until(lambda: world.posts)
    assert world.posts[0].post.uri == uri
    assert {type(one) for one in world.faults} == {AuthRejected}
    assert {one.action for one in world.faults} == {ALLOW_MESSAGES}
    assert len(_logins(world)) == 1


async def test_tokens_that_end_and_a_password_that_is_revoked(world: World) -> None:
    """Renewed in time while that is possible; then one refused login, and a person's turn."""
    world.network.sessions.access_ttl_s = 1
    async with httpx.AsyncClient() as http:
        client = world.client(http)
        for _ in range(15):
            await client.query("app.bsky.notification.listNotifications", {"limit": 1})
            await trio.sleep(0.1)
        assert len(_logins(world)) == 1
        world.network.revoke_app_password(world.brand, PASSWORD)
        await trio.sleep(1.1)
        for _ in range(3):
            with pytest.raises((AuthRejected, RateLimited)):
                await client.query("app.bsky.notification.listNotifications", {"limit": 1})


async def test_a_request_is_accepted_and_a_group_left_out(world: World) -> None:
    """The brand's own answers come back in the log, and are not taken in."""
    async with pollers(world, "DMPoller"):
        await _poll_twice(world, "DMPoller")
        messages = world.network.direct_messages
        messages.send(world.alice, world.brand, "may I ask?")
        await wait_until(lambda: world.messages)
        messages.send(world.brand, world.alice, "of course")
        group = messages.create_group(world.bob, "club", [world.alice, world.brand])
        messages.send_to_group(world.bob, group, "hello all")
        messages.send(world.alice, world.brand, "then: when?")
        await wait_until(lambda: len(world.messages) >= 2)
        await _poll_twice(world, "DMPoller")
    assert [one.text for one in world.messages] == ["may I ask?", "then: when?"]
    skips = world.context("DMPoller").skips
    assert (skips["own_message"], skips["group_conversation"] >= 1) == (1, True)
    accepted = world.network.calls.all("chat.bsky.convo.acceptConvo")
    assert [one.status for one in accepted] == [200]


def _logins(world: World) -> list[object]:
    return list(world.network.calls.all("com.atproto.server.createSession"))


def _png() -> bytes:
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    return header + b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"

"""The whole connector listens to the sandbox's Jetstream, over real sockets and in real time."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from connector.environment import load_settings
from connector.storage import open_store
from sandbox.bluesky import RecordReference
from sandbox.world import open_world
from tests.connector.connected import Connected, connect, open_connected
from tests.connector.dashboard.test_served import TOKEN, pull
from tests.support.silence import Silence

LIVE = {
    "LISTEN_LIVE": "true",
    # So slow that nothing in a test is found by polling.
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "600",
    "POLLING_TIME_SOCIAL_LISTENING": "600",
    "POLLING_TIME_DM": "600",
    "FOLLOW_THREADS": "0",
    "REACTIONS_EVERY": "0",
    "WATCH_DELETES": "0",
}
ACTOR = "LiveListener"


@asynccontextmanager
async def open_listening(state_dir: Path) -> AsyncIterator[Connected]:
    """A connector that is connected to Jetstream, and whose pollers have looked once."""
    async with open_connected(state_dir, LIVE) as connected:
        await listening(connected)
        yield connected


async def listening(connected: Connected) -> None:
    """Return as soon as it is so."""
    for name in ("NotificationPoller", "SearchPoller"):
        await connected.until(name, lambda actor: actor["last_success"] is not None)
    with trio.fail_after(10):
        while connected.world.bluesky.commits.readers == 0:  # noqa: ASYNC110 - another's socket
            await trio.sleep(0.02)


def write(connected: Connected, text: str, *, by: int = 0) -> RecordReference:
    """A customer posts something."""
    return connected.world.bluesky.post(connected.world.customers[by], text)


async def test_a_mention_reaches_genesys_in_no_time(tmp_path: Path) -> None:
    """Fifty of them, one after the other: each is ingested within two seconds, each once."""
    async with open_listening(tmp_path) as connected:
        handle = connected.world.brand.handle
        took = []
        for number in range(50):
            started = time.monotonic()
            await connected.arrives(write(connected, f"Hello @{handle}, number {number}"))
            took.append(time.monotonic() - started)
        ids = [one.provider_message_id for one in connected.world.genesys.ingested]
    took.sort()
    print(f"mention to ingest: p50 {took[24]:.3f} s, p99 {took[-1]:.3f} s")  # noqa: T201
    assert took[-1] < 2.0
    assert len(ids) == len(set(ids)) == 50


async def test_replies_quotes_and_hits_are_heard(tmp_path: Path) -> None:
    """What the pollers would find in their time is there at once."""
    async with open_listening(tmp_path) as connected:
        bluesky, world = connected.world.bluesky, connected.world
        ours = bluesky.post(world.brand, "We are open again.")
        reply = bluesky.post(world.customers[0], "Good!", reply_to=ours)
        quote = bluesky.post(world.customers[1], "Look.", quote=ours)
        hit = write(connected, "My acmephone is dead", by=2)
        unheard = write(connected, "Nothing of interest", by=2)
        for post in (reply, quote, hit):
            await connected.arrives(post)
        ids = {one.provider_message_id for one in connected.world.genesys.ingested}
    assert unheard.uri not in ids


async def test_an_outage_leaves_no_gap_and_nothing_doubles(tmp_path: Path) -> None:
    """Connections are cut in the middle of a burst, garbage comes between; all arrives, once."""
    async with open_listening(tmp_path) as connected:
        handle, commits = connected.world.brand.handle, connected.world.bluesky.commits
        posts = []
        for number in range(40):
            posts.append(write(connected, f"@{handle} {number}"))
            if number % 10 == 5:
                commits.babble("{" * number)
                commits.babble(f'{{"did": "{connected.world.brand.did}"')
                commits.cut()
            await trio.sleep(0.02)
        for post in posts:
            await connected.arrives(post)
        ids = [one.provider_message_id for one in connected.world.genesys.ingested]
        actor = await connected.actor(ACTOR)
    assert sorted(ids) == sorted(post.uri for post in posts)
    assert actor["skipped"]["unreadable"] > 0


async def test_a_thread_keeps_its_order(tmp_path: Path) -> None:
    """Each answers the one before, faster than they can be carried."""
    async with open_listening(tmp_path) as connected:
        bluesky, world = connected.world.bluesky, connected.world
        posts = [write(connected, f"@{world.brand.handle} 0")]
        for number in range(1, 30):
            text = f"@{world.brand.handle} {number}"
            posts.append(bluesky.post(world.customers[number % 3], text, reply_to=posts[-1]))
            if number % 9 == 4:
                bluesky.commits.cut()
            await trio.sleep(0.01)
        for post in posts:
            await connected.arrives(post)
        ids = [one.provider_message_id for one in connected.world.genesys.ingested]
    assert ids == [post.uri for post in posts]


async def test_a_burst_of_strangers_is_read_through(tmp_path: Path) -> None:
    """Thousands of posts that concern nobody; what does arrives, and memory holds only that."""
    async with open_listening(tmp_path) as connected:
        stranger = connected.world.customers[1].did
        for number in range(5000):
            commit = {
                "operation": "create",
                "collection": "app.bsky.feed.post",
                "rkey": f"{number:013d}",
                "record": {"text": "Good morning everybody " * 10, "createdAt": "2026-01-01"},
            }
            connected.world.bluesky.commits.tell(
                stranger, "app.bsky.feed.post", {"kind": "commit", "commit": commit}
            )
        post = write(connected, f"Hello @{connected.world.brand.handle}")
        await connected.arrives(post)
        actor = await connected.actor(ACTOR)
    assert actor["handled"] == 1


async def test_a_new_process_goes_on(tmp_path: Path) -> None:
    """What is written between two processes arrives once, by whichever way."""
    async with open_world(random.SystemRandom()) as world:
        async with connect(world, tmp_path, LIVE) as connected:
            await listening(connected)
            first = write(connected, f"@{world.brand.handle} one")
            await connected.arrives(first)
        second = world.bluesky.post(world.customers[0], f"@{world.brand.handle} two")
        async with connect(world, tmp_path, LIVE) as successor:
            await successor.arrives(second)
            await listening(successor)
            third = write(successor, f"@{world.brand.handle} three")
            await successor.arrives(third)
        ids = [one.provider_message_id for one in world.genesys.ingested]
    assert ids == [first.uri, second.uri, third.uri]


async def test_only_the_leader_listens(tmp_path: Path) -> None:
    """A standby is not connected; when the leader hands over, it is, and nothing is missed."""
    async with open_world(random.SystemRandom()) as world:
        settings = load_settings({**world.environ(), "STATE_DIR": str(tmp_path)})
        # Who has started the store leaves it last.
        async with (
            open_store(settings, Silence()),
            connect(world, tmp_path, LIVE) as leader,
            connect(world, tmp_path, LIVE) as standby,
        ):
            await listening(leader)
            assert (await standby.actor(ACTOR))["state"] == "standby"
            assert world.bluesky.commits.readers == 1
            leader.stop()
            await standby.until(ACTOR, lambda actor: actor["state"] == "running")
            await listening(standby)
            post = write(standby, f"Hello @{world.brand.handle}")
            await standby.arrives(post)
            assert world.bluesky.commits.readers == 1


async def test_without_jetstream_the_pollers_carry_on(tmp_path: Path) -> None:
    """The actor says what is wrong, and posts arrive at the pollers' pace."""
    away = {**LIVE, "JETSTREAM_URL": "ws://127.0.0.1:9/subscribe"}
    quick = {"POLLING_TIME_INBOUND_NOTIFICATIONS": "0.2"}
    async with open_connected(tmp_path, {**away, **quick}) as connected:
        actor = await connected.until(ACTOR, lambda one: one["state"] == "backing_off")
        await connected.arrives(write(connected, f"Hello @{connected.world.brand.handle}"))
    assert "127.0.0.1:9" in actor["last_error"]["message"]


async def test_it_is_listed_only_if_asked_for(tmp_path: Path) -> None:
    """Without LISTEN_LIVE there are eight actors, and nobody connects to Jetstream."""
    async with open_connected(tmp_path) as connected:
        await connected.until("NotificationPoller", lambda one: one["last_success"] is not None)
        assert len((await connected.health())["actors"]) == 8
        assert connected.world.bluesky.commits.readers == 0


def test_who_does_not_listen_loads_nothing_for_it() -> None:
    """Neither the websocket's part nor the listener: start-up and memory are as before."""
    script = (
        "import sys, connector.cli, connector.run; "
        "print([one for one in ('actors.bluesky.live_listener', 'actors.bluesky.jetstream') "
        "if one in sys.modules])"
    )
    run = [sys.executable, "-c", script]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


async def test_a_person_can_pause_it_like_every_actor(tmp_path: Path) -> None:
    """While it is paused nobody listens, and the pollers go on; then it listens again."""
    variables = {**LIVE, "ADMIN_TOKEN": TOKEN}
    async with open_connected(tmp_path, variables) as connected:
        await listening(connected)
        await pull(connected, ACTOR, "pause")
        assert (await connected.actor(ACTOR))["state"] == "paused"
        with trio.fail_after(10):
            while connected.world.bluesky.commits.readers:  # noqa: ASYNC110 - another's socket
                await trio.sleep(0.02)
        await pull(connected, ACTOR, "resume")
        await listening(connected)

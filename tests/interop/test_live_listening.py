"""Real commits of the real network are heard live, through a bridge that stands for Jetstream."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import trio

from sandbox.bluesky.commits import CommitStream
from tests.interop.connected import Desk, open_desk
from tests.interop.firehose import bridged
from tests.interop.net import Net

pytestmark = pytest.mark.interop

LIVE = {
    "LISTEN_LIVE": "true",
    # So slow that nothing in a test is found by polling.
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "600",
    "POLLING_TIME_SOCIAL_LISTENING": "600",
    "FOLLOW_THREADS": "0",
    "REACTIONS_EVERY": "0",
    "WATCH_DELETES": "0",
}


async def wait_listening(desk: Desk) -> None:
    """Return when LiveListener is connected."""
    with trio.fail_after(10):
        while desk.health()[0]["actors"]["LiveListener"]["state"] != "running":  # noqa: ASYNC110
            await trio.sleep(0.05)
    await trio.sleep(0.5)


async def test_fifty_mentions_are_ingested_within_two_seconds(net: Net, tmp_path: Path) -> None:
    """From when the PDS has it to when Genesys has it; each once."""
    alice = await net.log_in("alice")
    async with (
        bridged(net.pds_url) as (url, _),
        open_desk(net, tmp_path, {**LIVE, "JETSTREAM_URL": url}) as desk,
    ):
        await wait_listening(desk)
        took = []
        for number in range(50):
            post = await alice.post(f"Number {number}, @brand.test")
            started = time.monotonic()
            await desk.wait_post(post.uri)
            took.append(time.monotonic() - started)
        ids = [one.provider_message_id for one in desk.genesys.ingested]
    took.sort()
    print(f"mention to ingest: p50 {took[24]:.3f} s, p99 {took[-1]:.3f} s")  # noqa: T201
    assert took[-1] < 2.0
    assert len(ids) == len(set(ids)) == 50


async def test_replies_quotes_and_hits_of_the_real_network_are_matched(
    net: Net, tmp_path: Path
) -> None:
    """In a thread they keep their order, although the connection is cut in the middle."""
    alice, bob, brand = [await net.log_in(name) for name in ("alice", "bob", "brand")]
    async with (
        bridged(net.pds_url) as (url, commits),
        open_desk(net, tmp_path, {**LIVE, "JETSTREAM_URL": url}) as desk,
    ):
        await wait_listening(desk)
        ours = await brand.post("We are open again.")
        quote = await bob.post("Look.", quote=ours)
        hit = await bob.post("my brandphone is dead")
        thread = [ours]
        for number in range(9):
            author = (alice, bob)[number % 2]
            text = f"@brand.test {number}"
            thread.append(await author.post(text, reply_to=thread[-1]))
            if number % 4 == 1:
                await _cut(commits)
        for post in (quote, hit, *thread[1:]):
            await desk.wait_post(post.uri)
        ids = [one.provider_message_id for one in desk.genesys.ingested]
    answers = [post.uri for post in thread[1:]]
    assert [one for one in ids if one in answers] == answers
    assert len(ids) == len(set(ids))


async def _cut(commits: CommitStream) -> None:
    """Cut the connection, and wait for the next one.

    Until then only the listing tells of posts, and the AppView indexes accounts side by side: it
    may list an answer before what that answers.
    """
    commits.cut()
    with trio.fail_after(30):
        for connected in (False, True):
            while (commits.readers > 0) is not connected:  # noqa: ASYNC110 - of a server
                await trio.sleep(0.01)

"""What the connector before this one left in the same Redis is read, and never written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import TypeAlias

import pytest
import redis

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.commands import Command
from actors.dedup_store.opening import open_remote
from actors.messages import PostReference, ThreadReference
from tests.dedup_store.house import House

ROOT = "at://did:plc:alice/app.bsky.feed.post/root"
REPLY = "at://did:plc:bob/app.bsky.feed.post/reply"
KEY = "bluesky:post:"

Keep: TypeAlias = Callable[[str, str], Awaitable[None]]


def state(cid: str, root_uri: str) -> str:
    return json.dumps({"cid": cid, "genesysConversationId": "conversation", "rootUri": root_uri})


@pytest.fixture
async def keep(house: House) -> AsyncIterator[Keep]:
    """Keep something for a post as the predecessor would have."""

    async def keep(uri: str, text: str) -> None:
        await house.database.execute([Command(("SET", KEY + uri, text))])

    yield keep
    await house.database.execute([Command(("DEL", KEY + ROOT, KEY + REPLY))])


async def test_a_reference_is_made_of_what_was_kept_of_the_post_and_of_its_root(
    house: House, keep: Keep
) -> None:
    """A reply under the root that the predecessor knew; a post that is its own root."""
    await keep(ROOT, state("cid-root", ROOT))
    await keep(REPLY, state("cid-reply", ROOT))
    root = PostReference(ROOT, "cid-root")
    async with house.open():
        assert await house.store.find_reference(REPLY) == ThreadReference(
            PostReference(REPLY, "cid-reply"), root, "did:plc:bob"
        )
        assert await house.store.find_reference(ROOT) == ThreadReference(
            root, root, "did:plc:alice"
        )


async def test_our_own_reference_goes_before_it(house: House, keep: Keep) -> None:
    """What the predecessor thought of a thread does not matter any more."""
    await keep(REPLY, state("cid-old", REPLY))
    own = ThreadReference(
        PostReference(REPLY, "cid-reply"), PostReference(ROOT, "cid-root"), "did:plc:bob"
    )
    async with house.open():
        await house.store.record(references=[own])
        assert await house.store.find_reference(REPLY) == own


@pytest.mark.parametrize(
    "text",
    ["[object Object]", "", "{", "[]", '{"cid":""}', state("", ROOT), '{"cid":"c"}'],
)
async def test_what_is_damaged_or_half_there_is_looked_up_anew(
    house: House, keep: Keep, text: str
) -> None:
    """Nothing is guessed, and nothing fails."""
    await keep(REPLY, text)
    async with house.open():
        assert await house.store.find_reference(REPLY) is None


async def test_without_the_root_there_is_no_reference(house: House, keep: Keep) -> None:
    """The predecessor kept a root's cid only with the root itself."""
    await keep(REPLY, state("cid-reply", ROOT))
    async with house.open():
        assert await house.store.find_reference(REPLY) is None


async def test_it_is_known_which_posts_the_predecessor_took_in(house: House, keep: Keep) -> None:
    """Whatever it kept of them."""
    await keep(REPLY, "[object Object]")
    async with house.open():
        assert await house.store.find_inherited([ROOT, REPLY]) == {REPLY}
        assert await house.store.find_inherited([]) == frozenset()


@pytest.mark.redis
async def test_a_user_who_may_not_read_those_keys_is_in_no_trouble(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """To such a user there is nothing, and the store stays available."""
    redis_client.set(KEY + REPLY, state("cid", REPLY))
    redis_client.acl_setuser(
        "narrow",
        enabled=True,
        passwords=["+x"],
        keys=["{bluesky-genesys:*"],
        channels=["*"],
        categories=["+@all"],
    )
    narrow = RedisAddress(path=redis_address.path, username="narrow", password="x")
    try:
        with closing(open_remote(narrow, timeout_s=5.0, connections=1)) as database:
            house = House(database)
            async with house.open():
                assert await house.store.find_reference(REPLY) is None
                assert await house.store.find_inherited([REPLY]) == frozenset()
                assert house.gauge.is_available
    finally:
        redis_client.acl_deluser("narrow")
        redis_client.delete(KEY + REPLY)

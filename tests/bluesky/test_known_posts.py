"""What is known of recorded posts is kept between looks, and stays small."""

from __future__ import annotations

import trio
from trio.abc import Clock

from actors.bluesky.known_posts import KnownPosts
from actors.messages import Author, KnownPost
from actors.store import POSTS_MOST
from tests.support.memory_store import MemoryStore, virtual_wall_clock

DAY_S = 86_400.0


def post(number: int) -> KnownPost:
    """One of a thread of ten. What it has in common with others is equal, and not the same."""
    author = Author("did:plc:alice", "alice.example", "Alice")
    return KnownPost(f"at://post/{number}", f"at://post/{number // 10 * 10}", author, 0.0)


async def find_all(memory: MemoryStore, known: KnownPosts, posts: range) -> list[KnownPost]:
    """What is known once these are recorded as well."""
    await memory.store.record(posts=[post(number) for number in posts])
    return [one.post for one in await known.find(DAY_S)]


async def test_no_more_are_known_than_the_store_keeps(autojump_clock: Clock) -> None:
    """The newest, however many there were within the time."""
    memory = MemoryStore()
    known = KnownPosts(memory.store, virtual_wall_clock, keep_s=DAY_S)
    for first in range(0, POSTS_MOST + 3000, 1000):
        await trio.sleep(120)
        found = await find_all(memory, known, range(first, first + 1000))
    assert len(found) == POSTS_MOST
    assert set(found) == {post(number) for number in range(3000, POSTS_MOST + 3000)}


async def test_what_posts_have_in_common_is_kept_once(autojump_clock: Clock) -> None:
    """An author with a name and a picture takes more memory than a post."""
    memory = MemoryStore()
    known = KnownPosts(memory.store, virtual_wall_clock, keep_s=DAY_S)
    await find_all(memory, known, range(13))
    found = await find_all(memory, known, range(13, 20))
    assert len({id(one.author) for one in found}) == 1
    assert len({id(uri) for one in found for uri in (one.uri, one.root_uri)}) == 20

"""The posts that the store knows are read as they were written, now and by later releases."""

from __future__ import annotations

from actors.dedup_store.codec import decode_post, encode_post
from actors.dedup_store.commands import Command
from actors.messages import Author, KnownPost
from tests.dedup_store import version_1
from tests.dedup_store.house import NEW_YEAR_2026, House

KNOWN = KnownPost(
    "at://did:plc:alice/app.bsky.feed.post/3labc",
    "at://did:plc:bob/app.bsky.feed.post/3lroot",
    Author("did:plc:alice", "alice.example", "Alice Ä", "https://cdn.example/alice.jpg"),
    NEW_YEAR_2026 + 0.5,
    context=True,
)


def test_what_version_1_wrote_is_read_as_it_was_meant() -> None:
    """Every field, on one line; and the same post is always the same text."""
    assert decode_post(version_1.KNOWN_POST) == KNOWN
    assert encode_post(KNOWN) == version_1.KNOWN_POST


async def test_one_that_cannot_be_read_hides_no_other(house: House) -> None:
    """A newer release may have written it before it was taken back."""
    newer = version_1.KNOWN_POST.replace('"version":1', '"version":9')
    async with house.open():
        await house.store.record(posts=[KNOWN])
        await house.database.execute(
            [Command(("ZADD", house.keys.posts, str(NEW_YEAR_2026 + 1), newer))]
        )
        assert [one.post for one in await house.store.find_posts(0)] == [KNOWN]

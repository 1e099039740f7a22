"""searchPosts, with this server's own meaning of a query."""

from __future__ import annotations

import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from tests.sandbox.bluesky.client import Session

SEARCH = "app.bsky.feed.searchPosts"


async def found(session: Session, q: str, **params: str | int) -> list[str]:
    """The texts of the posts on one page."""
    page = await session.get(SEARCH, q=q, **params)
    return [post["record"]["text"] for post in page["posts"]]


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("acme", True),
        ("ACME phone", True),
        ("phone acme", True),
        ('"acme phone"', False),
        ('"Acme makes"', True),
        ("acm", False),
        ("hone", False),
        ("acme tablet", False),
        ("#gadget", True),
        ("@brand.test", True),
        ("größe", True),
        ("from:alice.test acme", True),
        ("from:bob.test acme", False),
        ("from:nobody.test acme", False),
    ],
)
async def test_all_words_must_be_there(
    network: BlueskyNetwork,
    session: Session,
    alice: Account,
    bob: Account,
    query: str,
    matches: bool,
) -> None:
    """In any case and order, as whole words; quoted text as it stands; ``from:`` an author."""
    network.post(alice, "@brand.test Acme makes a phone! GRÖSSE? Größe. #gadget")
    assert bool(await found(session, query)) is matches


async def test_the_newest_come_first_and_pages_go_on(
    network: BlueskyNetwork, session: Session, alice: Account
) -> None:
    """The cursor ends with the last page; a broken one is a 502."""
    for number in range(5):
        network.post(alice, f"acme {number}")
    first = await session.get(SEARCH, q="acme", limit=2)
    second = await session.get(SEARCH, q="acme", limit=2, cursor=first["cursor"])
    third = await session.get(SEARCH, q="acme", limit=2, cursor=second["cursor"])
    shown = [post["record"]["text"] for page in (first, second, third) for post in page["posts"]]
    assert shown == [f"acme {number}" for number in (4, 3, 2, 1, 0)]
    assert "cursor" not in third
    assert (await session.refused(SEARCH, q="acme", cursor="zz"))[0] == 502


async def test_parameters_narrow_the_results(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """Author, mention, tag and time."""
    network.post(alice, "acme one")
    network.post(bob, "acme two @brand.test #Gadget")
    between = "2026-01-01T13:00:00Z"
    assert await found(session, "acme", author="alice.test") == ["acme one"]
    two = ["acme two @brand.test #Gadget"]
    assert await found(session, "acme", mentions=brand.did) == two
    assert await found(session, "acme", tag="gadget") == two
    assert await found(session, "acme", since=between) == []
    assert len(await found(session, "acme", until=between)) == 2


async def test_a_query_is_needed(session: Session) -> None:
    """Nothing asked is refused."""
    message = f'Invalid {SEARCH} params: Missing required key "q"'
    assert await session.refused(SEARCH) == (400, "InvalidRequest", message)

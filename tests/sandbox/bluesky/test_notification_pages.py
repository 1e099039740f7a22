"""Paging through listNotifications, with all that makes it hard to poll without gaps."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.bluesky import Account, BlueskyNetwork
from tests.sandbox.bluesky.client import Clock, Session

LIST = "app.bsky.notification.listNotifications"
UNREAD = "app.bsky.notification.getUnreadCount"
SEEN = "app.bsky.notification.updateSeen"


async def listed(session: Session, **params: object) -> list[dict[str, Any]]:
    """One page."""
    found: list[dict[str, Any]] = (await session.get(LIST, **params))["notifications"]
    return found


async def texts(session: Session, **params: object) -> list[str]:
    """The texts of the posts on one page."""
    return [line["record"]["text"] for line in await listed(session, **params)]


async def test_a_backdated_post_appears_in_the_past(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account, clock: Clock
) -> None:
    """``indexedAt`` is the earlier of the author's clock and the time of indexing."""
    network.post(alice, "@brand.test now")
    network.post(alice, "@brand.test 2020", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    network.post(alice, "@brand.test 2035", created_at=datetime(2035, 1, 1, tzinfo=UTC))
    lines = await listed(session)
    order = ["@brand.test 2035", "@brand.test now", "@brand.test 2020"]
    assert [line["record"]["text"] for line in lines] == order
    assert lines[2]["indexedAt"] == "2020-01-01T00:00:00.000Z"
    assert lines[0]["indexedAt"] < (clock.now + timedelta(seconds=1)).isoformat()


async def test_pages_go_back_in_time(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """The cursor is the last line's time; what is newer never appears; the end has no cursor."""
    for number in range(5):
        network.post(alice, f"@brand.test {number}")
    first = await session.get(LIST, limit=2)
    assert first["cursor"] == first["notifications"][-1]["indexedAt"]
    network.post(alice, "@brand.test new")
    second = await session.get(LIST, limit=2, cursor=first["cursor"])
    third = await session.get(LIST, limit=2, cursor=second["cursor"])
    pages = [page["notifications"] for page in (first, second, third)]
    shown = [line["record"]["text"] for page in pages for line in page]
    assert shown == [f"@brand.test {number}" for number in (4, 3, 2, 1, 0)]
    assert "cursor" not in third


async def test_equal_times_are_lost_at_page_borders(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """Three of one time, paged one by one: one is seen. In one page: all."""
    when = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(3):
        network.post(alice, f"@brand.test {number}", created_at=when)
    page = await session.get(LIST, limit=1)
    rest = await session.get(LIST, limit=1, cursor=page["cursor"])
    assert rest["notifications"] == []
    assert "cursor" not in rest
    assert len(await listed(session)) == 3


async def test_a_cursor_may_be_any_time(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """A client may make its own, a little newer than the last line, to page with an overlap."""
    for number in range(3):
        network.post(alice, f"@brand.test {number}")
    lines = await listed(session)
    later = datetime.fromisoformat(lines[1]["indexedAt"]) + timedelta(milliseconds=1)
    assert (await texts(session, cursor=later.isoformat()))[0] == "@brand.test 1"
    broken = await session.refused(LIST, cursor="zzz")
    assert broken == (502, "InternalServerError", "Internal Server Error")


async def test_reasons_are_filtered_after_the_page_is_read(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """A page may be short, even empty, and still have a cursor: only a missing one is the end."""
    network.post(alice, "@brand.test first")
    own = network.post(brand, "ours")
    network.post(alice, "reply", reply_to=own)
    accounts = [network.create_account(f"c{n}.test", password="x") for n in range(60)]
    for account in accounts:
        network.like(account, own)
    empty = await session.get(LIST, reasons=["mention", "reply"], limit=5)
    assert (empty["notifications"], "cursor" in empty) == ([], True)
    cursor, seen = empty["cursor"], []
    while cursor:
        page = await session.get(LIST, reasons=["mention", "reply"], limit=5, cursor=cursor)
        seen += [line["reason"] for line in page["notifications"]]
        cursor = page.get("cursor")
    assert seen == ["reply", "mention"]


async def test_a_page_is_filled_up_to_half(
    network: BlueskyNetwork, session: Session, alice: Account, bob: Account, brand: Account
) -> None:
    """A page with less is filled from what comes before; one with half is served as it is."""
    own = network.post(brand, "ours")
    for number in range(3):
        network.post(alice, f"@brand.test {number}")
    network.like(alice, own)
    network.like(bob, own)
    page = await session.get(LIST, reasons="mention", limit=2)
    assert [line["record"]["text"] for line in page["notifications"]] == [
        "@brand.test 2",
        "@brand.test 1",
    ]
    network.repost(alice, own)
    page = await session.get(LIST, reasons=["mention", "repost"], limit=2)
    assert [line["reason"] for line in page["notifications"]] == ["repost"]


async def test_updateSeen_marks_and_hides_nothing(  # noqa: N802
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account, clock: Clock
) -> None:
    """Without it only the newest is unread; with it what came later is; it never goes back."""
    for number in range(3):
        network.post(alice, f"@brand.test {number}")
    assert [line["isRead"] for line in await listed(session)] == [False, True, True]
    assert await session.get(UNREAD) == {"count": 3}
    response = await session.send(SEEN, body={"seenAt": clock().isoformat()})
    assert (response.status_code, response.content) == (200, b"")
    assert [line["isRead"] for line in await listed(session)] == [True, True, True]
    assert await session.get(UNREAD) == {"count": 0}
    network.post(alice, "@brand.test later")
    await session.post(SEEN, seenAt="2020-01-01T00:00:00Z")
    assert await session.get(UNREAD) == {"count": 1}
    assert [line["isRead"] for line in await listed(session)] == [False, True, True, True]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": "0"}, "integer too small (minimum 1, got 0)"),
        ({"limit": "101"}, "integer too big (maximum 100, got 101)"),
        ({"limit": "x"}, 'Expected integer value type (got "x")'),
        ({"priority": "maybe"}, 'Expected boolean value type (got "maybe")'),
    ],
)
async def test_parameters_that_are_not_valid_are_refused(
    session: Session, params: dict[str, str], message: str
) -> None:
    """In the words of the AppView."""
    expected = (400, "InvalidRequest", f"Invalid {LIST} params: {message}")
    assert await session.refused(LIST, **params) == expected


async def test_seenAt_is_not_taken_as_a_parameter(session: Session) -> None:  # noqa: N802
    """Though the lexicon has it."""
    refused = await session.refused(LIST, seenAt="2026-01-01T00:00:00Z")
    assert refused == (400, "InvalidRequest", "The seenAt parameter is unsupported")


async def test_two_thousand_mentions_are_listed_quickly(
    network: BlueskyNetwork, session: Session, alice: Account, brand: Account
) -> None:
    """All of them, once each, in twenty pages; a page costs what it shows, not what waits."""
    for number in range(2000):
        network.post(alice, f"@brand.test {number}")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    started = time.perf_counter()
    while True:
        page = await session.get(LIST, limit=100, **cursor)
        seen += [line["uri"] for line in page["notifications"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert len(set(seen)) == len(seen) == 2000
    assert time.perf_counter() - started < 15  # generous: most of it is the check of the answers

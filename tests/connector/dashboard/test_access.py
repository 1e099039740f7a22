"""A login is hard to guess, ends, and is bounded in number."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from connector.dashboard.access import (
    MOST_ATTEMPTS_AT_ONCE,
    MOST_SESSIONS,
    SESSION_S,
    TokenAccess,
    TooManyAttempts,
)

TOKEN = "a-token-of-some-length"


async def log_in(access: TokenAccess) -> str:
    """The secret of a new session."""
    secret = await access.log_in(TOKEN)
    assert secret is not None
    return secret


async def test_only_the_token_opens(autojump_clock: MockClock) -> None:
    """Whatever is near it, empty or not even text does not."""
    access = TokenAccess(TOKEN)
    for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\ud800"):
        assert await access.log_in(wrong) is None
    assert access.find(await log_in(access)) is not None
    assert access.find("") is None
    assert access.find(TOKEN) is None


async def test_wrong_tokens_are_slow_and_the_right_one_is_not(autojump_clock: MockClock) -> None:
    """One guess a second for the whole process, however many try at once."""
    access = TokenAccess(TOKEN)
    await log_in(access)
    assert trio.current_time() == 0
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(access.log_in, "wrong")
    assert trio.current_time() == 5


async def test_a_crowd_is_turned_away(autojump_clock: MockClock) -> None:
    """So many may wait for their turn, and no more."""
    access = TokenAccess(TOKEN)
    async with trio.open_nursery() as nursery:
        for _ in range(MOST_ATTEMPTS_AT_ONCE + 1):
            nursery.start_soon(access.log_in, "wrong")
        await wait_all_tasks_blocked()
        with pytest.raises(TooManyAttempts):
            await access.log_in(TOKEN)
    assert await access.log_in(TOKEN) is not None


async def test_a_session_ends(autojump_clock: MockClock) -> None:
    """By itself after half a day, and at once when somebody logs out."""
    access = TokenAccess(TOKEN)
    first, second = await log_in(access), await log_in(access)
    access.log_out(second)
    assert access.find(second) is None
    await trio.sleep(SESSION_S - 1)
    assert access.find(first) is not None
    await trio.sleep(1)
    assert access.find(first) is None


async def test_sessions_are_bounded(autojump_clock: MockClock) -> None:
    """The oldest ends when there are too many."""
    access = TokenAccess(TOKEN)
    secrets = [await log_in(access) for _ in range(MOST_SESSIONS + 1)]
    assert [access.find(one) is not None for one in secrets] == [False] + [True] * MOST_SESSIONS
    found = [access.find(one) for one in secrets[1:]]
    assert len({one.lever_token for one in found if one}) == MOST_SESSIONS

"""The first login to Bluesky spares the few that are permitted."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.bluesky.xrpc import Parameters
from actors.messages import Json
from connector.setup.bluesky import LONGEST_WAIT_S, look_at_account
from runtime.errors import RateLimited


class HeldBack:
    """An account whose next login has to wait."""

    def __init__(self, wait_s: float) -> None:
        self._permitted_at = trio.current_time() + wait_s
        self._wait_s = wait_s

    async def did(self) -> str:
        """Refuse until it is time."""
        await trio.lowlevel.checkpoint()
        if trio.current_time() < self._permitted_at:
            raise RateLimited("the last login was just now", after_s=self._wait_s)
        return "did:plc:a"

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Answer with nothing."""
        del nsid, parameters, chat
        await trio.lowlevel.checkpoint()
        return {}

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """Nobody does anything here."""
        raise NotImplementedError


async def test_after_a_mistyped_password_the_next_login_is_waited_for(
    autojump_clock: MockClock,
) -> None:
    """Seconds are waited, and it is said for how long."""
    said: list[str] = []

    account = await look_at_account(HeldBack(30.0), said.append)

    assert account.did == "did:plc:a"
    assert said == ["The next login to Bluesky is permitted in 30 s; waiting."]


async def test_nobody_is_kept_waiting_for_long(autojump_clock: MockClock) -> None:
    """For more than a minute a person comes back, and is told when."""
    with pytest.raises(RateLimited):
        await look_at_account(HeldBack(LONGEST_WAIT_S + 1), print)

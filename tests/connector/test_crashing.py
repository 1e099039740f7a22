"""An actor that is told to crash does so once."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from connector.crashing import Crasher, CrashOrderedError
from runtime.actor import ActorSpec
from runtime.rate import Rate
from tests.support.context import FakeContext


class Busy:
    """An actor that runs by itself and works through a mailbox."""

    async def run(self) -> None:
        """Go on for ever."""
        await trio.sleep_forever()

    async def handle(self, message: object) -> None:
        """Do nothing."""


async def test_one_that_runs_and_handles_falls_by_whichever_comes_first() -> None:
    """And not a second time by the other, when both come at once."""
    crasher = Crasher()
    spec = crasher.alter(ActorSpec("Busy", lambda context: Busy(), Rate(1, 1.0)))
    actor = spec.create(FakeContext())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(actor.run)
        await trio.testing.wait_all_tasks_blocked()
        assert crasher.crash("Busy")
        with pytest.raises(CrashOrderedError):
            await actor.handle("a message")
        await trio.testing.wait_all_tasks_blocked()
        await actor.handle("another")
        nursery.cancel_scope.cancel()


async def test_one_that_is_idle_falls_at_once() -> None:
    """Without waiting for a message, and again whenever it is told."""
    crasher = Crasher()
    spec = crasher.alter(ActorSpec("Busy", lambda context: Busy(), Rate(1, 1.0)))
    for _ in range(2):
        assert crasher.crash("Busy")
        with pytest.RaisesGroup(CrashOrderedError), trio.fail_after(5):
            await spec.create(FakeContext()).run()
    assert not crasher.crash("Nobody")

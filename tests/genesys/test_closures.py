"""What is refused is shown with all that a person should do, until it is mended, and not longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing
from trio.testing import MockClock

from actors.genesys.closures import Closures
from runtime.errors import AuthRejected
from tests.support.context import FakeContext

NO_RIGHT = AuthRejected("403", action="Give it the right.")
WRONG_ID = AuthRejected("404", action="Mend the id.")


@asynccontextmanager
async def showing(closures: Closures, context: FakeContext) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(closures.show, context)
        await trio.testing.wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


async def test_nothing_is_shown_while_nothing_is_refused(autojump_clock: MockClock) -> None:
    context = FakeContext()
    async with showing(Closures(), context):
        await trio.sleep(3600)
    assert (context.back_offs, context.successes) == ([], [])


async def test_a_refusal_is_shown_again_and_again_and_its_end_at_once(
    autojump_clock: MockClock,
) -> None:
    closures, context = Closures(), FakeContext(back_off_s=45.0)
    async with showing(closures, context):
        closures.close("/a", NO_RIGHT, 60.0)
        await trio.sleep(100)
        assert context.back_offs == [NO_RIGHT] * 3
        assert context.successes == []
        closures.open("/a")
        await trio.testing.wait_all_tasks_blocked()
        assert context.successes == [0]
        await trio.sleep(3600)
    assert len(context.back_offs) == 3
    assert context.successes == [0]


async def test_of_two_refusals_both_are_shown_until_one_is_mended(
    autojump_clock: MockClock,
) -> None:
    closures, context = Closures(), FakeContext(back_off_s=45.0)
    async with showing(closures, context):
        closures.close("/a", NO_RIGHT, 60.0)
        closures.close("/b", WRONG_ID, 60.0)
        await trio.sleep(1)
        both = context.back_offs[-1]
        assert isinstance(both, AuthRejected)
        assert both.action == "Give it the right. Mend the id."
        closures.open("/a")
        await trio.sleep(1)
        assert context.back_offs[-1] is WRONG_ID
    assert context.successes == []


async def test_a_refusal_that_is_repeated_is_no_news(autojump_clock: MockClock) -> None:
    closures, context = Closures(), FakeContext(back_off_s=45.0)
    async with showing(closures, context):
        for _ in range(10):
            closures.close("/a", AuthRejected("403 again", action=NO_RIGHT.action), 60.0)
            await trio.sleep(1)
    assert len(context.back_offs) == 1


async def test_an_endpoint_is_closed_for_its_time_and_no_other_is(
    autojump_clock: MockClock,
) -> None:
    closures, rng = Closures(), FakeContext().rng
    closures.close("/a", NO_RIGHT, 60.0)
    assert closures.find("/b", rng) is None
    await trio.sleep(20)
    refused = closures.find("/a", rng)
    assert refused is not None
    assert refused.action == NO_RIGHT.action
    assert 40.0 <= (refused.after_s or 0.0) <= 60.0
    await trio.sleep(40)
    assert closures.find("/a", rng) is None
    assert closures.error is NO_RIGHT

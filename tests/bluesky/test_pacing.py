"""Doing something long one step ahead."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.bluesky.pacing import look_ahead
from runtime.errors import Fault, Malformed, Retryable

STEP_S = 10.0


async def test_the_next_is_looked_for_while_the_work_is_done(autojump_clock: MockClock) -> None:
    """Both together take as long as the longer of them."""

    async def work() -> None:
        await trio.sleep(2 * STEP_S)

    async def look() -> str:
        await trio.sleep(STEP_S)
        return "next"

    began_s = trio.current_time()
    assert await look_ahead(work, look) == "next"
    assert trio.current_time() - began_s == 2 * STEP_S


async def test_what_cannot_be_found_takes_nothing_from_the_work(
    autojump_clock: MockClock,
) -> None:
    """The work is done to its end, and only then the fault is raised."""
    done: list[float] = []

    async def work() -> None:
        await trio.sleep(STEP_S)
        done.append(trio.current_time())

    async def look() -> None:
        raise Malformed("not this one")

    with pytest.raises(Malformed):
        await look_ahead(work, look)
    assert done


@pytest.mark.parametrize("fault", [Retryable("away"), Malformed("no")])
async def test_failed_work_ends_the_looking(fault: Fault, autojump_clock: MockClock) -> None:
    """Its fault is raised as it is, without waiting for what comes next."""

    async def work() -> None:
        raise fault

    with pytest.raises(type(fault)) as caught:
        await look_ahead(work, trio.sleep_forever)
    assert caught.value is fault

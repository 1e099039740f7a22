"""Going through something long, one step ahead."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.bluesky.pacing import go_ahead
from runtime.errors import Fault, Malformed, Retryable

STEP_S = 10.0


async def test_the_next_is_prepared_while_one_is_used(autojump_clock: MockClock) -> None:
    """All are used in their order, and each is prepared while the one before is used."""
    told: list[tuple[str, int, float]] = []

    async def prepare(value: int) -> int:
        await trio.sleep(STEP_S)
        told.append(("prepared", value, trio.current_time()))
        return -value

    async def use(value: int, prepared: int) -> None:
        assert prepared == -value
        await trio.sleep(2 * STEP_S)
        told.append(("used", value, trio.current_time()))

    began_s = trio.current_time()
    await go_ahead([1, 2, 3], prepare, use)
    assert [(what, value, time_s - began_s) for what, value, time_s in told] == [
        ("prepared", 1, 10.0),
        ("prepared", 2, 20.0),
        ("used", 1, 30.0),
        ("prepared", 3, 40.0),
        ("used", 2, 50.0),
        ("used", 3, 70.0),
    ]


async def test_what_cannot_be_prepared_takes_nothing_from_what_could(
    autojump_clock: MockClock,
) -> None:
    """All before is used to its end, and only then the fault is raised."""
    used: list[int] = []

    async def prepare(value: int) -> int:
        if value == 3:
            raise Malformed("not this one")
        return value

    async def use(value: int, prepared: int) -> None:
        await trio.sleep(STEP_S)
        used.append(prepared)

    with pytest.raises(Malformed):
        await go_ahead([1, 2, 3, 4], prepare, use)
    assert used == [1, 2]


@pytest.mark.parametrize("fault", [Retryable("away"), Malformed("no")])
async def test_what_cannot_be_used_ends_it_at_once(fault: Fault, autojump_clock: MockClock) -> None:
    """A fault of using is raised as it is, without waiting for what is being prepared."""

    async def prepare(value: int) -> int:
        if value > 1:
            await trio.sleep_forever()
        return value

    async def use(value: int, prepared: int) -> None:
        raise fault

    with pytest.raises(type(fault)) as caught:
        await go_ahead([1, 2], prepare, use)
    assert caught.value is fault

"""While a backlog is worked off, it is said now and then how far; else nothing is said."""

from __future__ import annotations

from typing import Any

import trio
from trio.abc import Clock

from connector.catching_up import show_age, tell_catching_up


class Log:
    """Keeps what is said at info, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.told.append((trio.current_time(), event, fields))

    debug = warning = error = info


async def tell(depths: list[int], lags: list[float | None]) -> Log:
    """Of a process whose backlog is so at each look."""
    log, start = Log(), trio.current_time()

    def health() -> tuple[dict[str, Any], int]:
        at = min(int((trio.current_time() - start) // 10) - 1, len(depths) - 1)
        actors = {"NotificationPoller": {"lag_s": lags[at]}, "GenesysSender": {"lag_s": None}}
        return {"journal": {"depth": depths[at]}, "actors": actors}, 200

    with trio.move_on_after(10 * len(depths) + 25):
        await tell_catching_up(health, log)
    return log


async def test_a_backlog_is_told_every_ten_seconds_and_its_end_once(autojump_clock: Clock) -> None:
    """How far each poller is behind, and how much waits."""
    log = await tell([500, 400, 300, 3], [7500.0, 5400.0, 60.0, 0.2])
    assert log.told == [
        (20.0, "catching up", {"waiting": 400, "NotificationPoller": "90 min"}),
        (30.0, "catching up", {"waiting": 300, "NotificationPoller": "60 s"}),
        (40.0, "caught up", {"waiting": 3}),
    ]


async def test_nothing_is_said_of_usual_traffic(autojump_clock: Clock) -> None:
    """Some messages wait, and pollers are some seconds behind."""
    assert (await tell([5, 40, 3, 0], [3.0, 12.0, None, 0.0])).told == []


async def test_what_does_not_move_is_not_told_again_and_again(autojump_clock: Clock) -> None:
    """A backlog behind an outage is shown by ``/health``, and by the actor that backs off."""
    assert (await tell([500] * 20, [90.0] * 20)).told == []


def test_ages_are_shown_as_people_say_them() -> None:
    assert [show_age(one) for one in (42.4, 600.0, 7500.0, 200_000.0)] == [
        "42 s",
        "10 min",
        "2 h 5 min",
        "2 d 8 h",
    ]

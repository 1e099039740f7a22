"""Several looks that one actor takes in turn, each at its own pace and none too long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import trio

from actors.bluesky.live_intake import LiveIntake
from actors.bluesky.pace import Pace
from runtime.actor import Context


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done every ``interval_s`` seconds, counted from start to start.

    Where there is a ``pace``, that tells the interval.
    """

    interval_s: float
    work: Callable[[], Awaitable[None]]
    pace: Pace | None = None

    @property
    def wait_s(self) -> float:
        """Seconds from the last start to the next."""
        return self.interval_s if self.pace is None else self.pace.wait_s


async def run_in_turn(
    context: Context, turns: Sequence[Turn], live: LiveIntake | None = None
) -> None:
    """Do all at once in their order, then each when it is due, one after the other.

    What was heard ``live`` is taken in first, before each of them and as soon as it is there.
    Whatever escapes one ends all: the supervisor backs off and starts the actor anew.
    """
    started = [-inf] * len(turns)
    while True:
        for number, turn in enumerate(turns):
            if live is not None:
                await live.take_in()
            if trio.current_time() >= started[number] + turn.wait_s:
                started[number] = trio.current_time()
                await turn.work()
        due = (began + turn.wait_s for began, turn in zip(started, turns, strict=True))
        wait_s = max(0.0, min(due) - trio.current_time())
        if live is None:
            await context.sleep(wait_s)
        else:
            await live.rest(wait_s)


def choose(waiting: Sequence[str], most: int, done_at: Mapping[str, int]) -> list[str]:
    """At most so many of those that wait, so that none waits for ever.

    One half are the first of them, the other those of the rest whose number in ``done_at`` is the
    lowest: who has none comes before all.
    """
    if len(waiting) <= most:
        return list(waiting)
    first = -(-most // 2)
    rest = sorted(waiting[first:], key=lambda one: done_at.get(one, -1))
    return [*waiting[:first], *rest[: most - first]]

"""Several looks that one actor takes in turn, each at its own pace and none too long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import trio

from runtime.actor import Context


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done every ``interval_s`` seconds, counted from start to start."""

    interval_s: float
    work: Callable[[], Awaitable[None]]


async def run_in_turn(context: Context, turns: Sequence[Turn]) -> None:
    """Do all at once in their order, then each when it is due, one after the other.

    Whatever escapes one ends all: the supervisor backs off and starts the actor anew.
    """
    due = [trio.current_time()] * len(turns)
    while True:
        for number, turn in enumerate(turns):
            started = trio.current_time()
            if started >= due[number]:
                due[number] = started + turn.interval_s
                await turn.work()
        await context.sleep(max(0.0, min(due) - trio.current_time()))


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

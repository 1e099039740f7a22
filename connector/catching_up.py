"""Says now and then how far a backlog is worked off, and when it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import trio

from runtime.context import EventLog

EVERY_S = 10.0
BEHIND_S = 30.0
"""Less is what a poller is behind from one look to the next."""
MANY = 100

Health: TypeAlias = Callable[[], tuple[Mapping[str, Any], int]]


async def tell_catching_up(health: Health, log: EventLog) -> None:
    """Look every ten seconds, and say something only while a backlog moves. Never returns.

    It asks nobody: what ``/health`` shows is in memory. If cancelled, nothing is said any more.
    """
    before: dict[str, object] = {}
    telling = False
    while True:
        await trio.sleep(EVERY_S)
        document, _ = health()
        behind = _find_behind(document)
        waiting = int(document["journal"]["depth"])
        if not behind and waiting < MANY:
            if telling:
                log.info("caught up", waiting=waiting)
            before, telling = {}, False
            continue
        now: dict[str, object] = {"behind": behind, "waiting": waiting}
        if before and now != before:
            log.info("catching up", waiting=waiting, **behind)
            telling = True
        before = now


def _find_behind(document: Mapping[str, Any]) -> dict[str, str]:
    """How far each poller that is behind is so, in words."""
    lags = {name: actor["lag_s"] for name, actor in document["actors"].items()}
    return {
        name: show_age(lag_s)
        for name, lag_s in lags.items()
        if lag_s is not None and lag_s >= BEHIND_S
    }


def show_age(seconds: float) -> str:
    """A time as a person says it, such as ``2 h 5 min``."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if minutes < 2:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"

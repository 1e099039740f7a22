"""What the dashboard shows, as JSON; drawn from memory, without asking anybody.

Ages are left to the page: times are unix seconds, so that nothing changes by itself.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

from actors.dedup_store import StoreGauge
from connector.dashboard.feed import Throughput
from connector.dashboard.paths import Paths
from runtime.duty import Duty
from runtime.statistics import ActorStatistics


class Picture:
    """Draws all parts of the picture for :class:`connector.dashboard.feed.Feed`.

    Args:
        actors: how every actor is.
        status: how the whole is.
        gauge: how the store is.
        duty: whether this process leads.
        paths: the latest messages.
        started_at: when the process began, in unix seconds.
        version: of the connector.
        warnings: what to beware of.
    """

    def __init__(
        self,
        *,
        actors: Callable[[], Sequence[ActorStatistics]],
        status: Callable[[], str],
        gauge: StoreGauge,
        duty: Duty,
        paths: Paths,
        started_at: float,
        version: str,
        warnings: Sequence[str] = (),
    ) -> None:
        self._actors = actors
        self._status = status
        self._gauge = gauge
        self._duty = duty
        self._paths = paths
        self._about = {"version": version, "started_at": started_at, "warnings": list(warnings)}
        self._throughput = Throughput()

    def draw(self) -> dict[str, str]:
        """``state``: the actors, the store and the journal. ``messages``: the latest messages."""
        state = {
            "status": self._status(),
            "role": "leader" if self._duty.is_on else "standby",
            **self._about,
            **self._describe_store(),
            "actors": [self._describe_actor(one) for one in self._actors()],
        }
        return {"state": json.dumps(state), "messages": json.dumps(self._paths.describe())}

    def _describe_store(self) -> dict[str, Any]:
        state = self._gauge.read()
        return {
            "store": {"status": state.status, "kind": state.kind, "reason": state.reason},
            "journal": {"depth": state.depth, "oldest_at": state.oldest_recorded_at},
            "dead_letters": state.dead_letters,
        }

    def _describe_actor(self, actor: ActorStatistics) -> dict[str, Any]:
        mailbox, error = actor.mailbox, actor.last_error
        return {
            "name": actor.name,
            "state": actor.state,
            "paused": actor.paused,
            "disabled": actor.disabled,
            "busy": actor.busy,
            "concurrency": actor.concurrency,
            "waiting": None if mailbox is None else mailbox.depth,
            "capacity": None if mailbox is None else mailbox.capacity,
            "handled": actor.handled,
            "last_minute": self._throughput.count(actor.name, actor.handled),
            "failed": actor.failed,
            "skipped": sum(actor.skipped.values()),
            "restarts": actor.restarts,
            "last_success_at": actor.last_success,
            "last_error": None if error is None else dataclasses.asdict(error),
            "lag_s": None if actor.lag_s is None else round(actor.lag_s, 1),
        }

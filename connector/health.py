"""What ``/health`` says, and the dashboard with it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import trio

from connector.house import House
from connector.routes import Health
from runtime.clock import WallClock
from runtime.health import StoreHealth, describe, http_status, overall


def make_health(house: House, clock: WallClock) -> Health:
    """The document and its status, of a process that begins now."""
    started_at = trio.current_time()

    def health() -> tuple[dict[str, Any], int]:
        actors, store = house.supervisor.statistics(), read_store(house, clock)
        document = describe(
            actors,
            store,
            version=version("bluesky-genesys"),
            role="leader" if house.duty.is_on else "standby",
            uptime_s=trio.current_time() - started_at,
            warnings=house.warnings,
        )
        return document, http_status(overall(actors, store))

    return health


def read_store(house: House, clock: WallClock) -> StoreHealth:
    """How the store is, as last seen."""
    state = house.gauge.read()
    oldest = state.oldest_recorded_at
    return StoreHealth(
        status=state.status,
        kind=state.kind,
        reason=state.reason,
        depth=state.depth,
        oldest_s=0.0 if oldest is None else max(0.0, clock() - oldest),
        dead_letters=state.dead_letters,
    )

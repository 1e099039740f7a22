"""The dashboard of a house that is built."""

from __future__ import annotations

from importlib.metadata import version

from connector.dashboard.access import Access, OpenAccess, TokenAccess
from connector.dashboard.app import Dashboard
from connector.dashboard.feed import Feed
from connector.dashboard.letters import Letters
from connector.dashboard.levers import Levers
from connector.dashboard.paths import Paths
from connector.dashboard.picture import Picture
from connector.health import read_store
from connector.house import House
from connector.settings import Settings
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.health import overall


def find_access(settings: Settings, *, is_sandbox: bool) -> Access | None:
    """How one gets in; ``None`` if the dashboard is off."""
    if settings.admin_token is not None:
        return TokenAccess(settings.admin_token.get_secret_value())
    return OpenAccess() if is_sandbox else None


def make_dashboard(
    settings: Settings,
    house: House,
    access: Access | None,
    paths: Paths,
    *,
    clock: WallClock,
    log: EventLog,
) -> Dashboard | None:
    """Make it, if there is a way in. Its feed has yet to run."""
    if access is None:
        return None

    picture = Picture(
        actors=house.supervisor.statistics,
        status=lambda: overall(house.supervisor.statistics(), read_store(house, clock)),
        gauge=house.gauge,
        duty=house.duty,
        paths=paths,
        started_at=clock(),
        version=version("bluesky-genesys"),
        warnings=house.warnings,
    )
    return Dashboard(
        access=access,
        feed=Feed(picture.draw, log),
        levers=Levers(house.pauses, house.store, clock, log),
        letters=Letters(house.store, settings.bluesky_handle),
    )

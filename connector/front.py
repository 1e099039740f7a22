"""The front of the house: what listens, on one port or on two, and what is behind each."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import NamedTuple

import trio
from hypercorn.typing import ASGIFramework

from connector.callers import Failures
from connector.dashboard.app import Dashboard, add_dashboard
from connector.door import Door, Rules
from connector.house import House
from connector.openapi import make_document
from connector.refusals import Refusals
from connector.routes import Exposition, Health, create_admin_app, create_app
from connector.settings import Settings
from connector.webhook_route import add_webhook
from runtime.context import EventLog
from runtime.health import liveness, readiness
from runtime.serving import serve


class Ports(NamedTuple):
    """Where it listens; both may be one."""

    webhook: int
    admin: int


class Front:
    """Serves the webhook and, on the same port or on one of their own, metrics and dashboard.

    Each port has a door. They share who failed how often, and what is told of it.

    Args:
        settings: where to listen, and who may come in.
        house: what is behind it.
        log: told of what is turned away.
        health: what ``/health`` answers.
        metrics: what ``/metrics`` answers.
        dashboard: what is at ``/``; ``None`` if it is off.
    """

    def __init__(
        self,
        settings: Settings,
        house: House,
        log: EventLog,
        *,
        health: Health,
        metrics: Exposition,
        dashboard: Dashboard | None,
    ) -> None:
        self._settings = settings
        self._closing = trio.Event()
        self._rules = Rules(
            settings.webhook_max_bytes, settings.webhook_allow, settings.trusted_proxies
        )
        self._failures = Failures()
        self._refusals = Refusals(partial(house.supervisor.note_skipped, "WebhookReceiver"), log)
        is_one = settings.admin_port is None
        app = create_app(
            health=health,
            metrics=metrics if is_one else None,
            why_not_live=lambda: liveness(house.supervisor.statistics()),
            why_not_ready=lambda: readiness(house.supervisor.statistics()),
            document=make_document(version("bluesky-genesys"), has_metrics=is_one),
        )
        self._admin_app = app if is_one else create_admin_app(metrics)
        add_dashboard(self._admin_app, dashboard)
        self._app = add_webhook(app, house.webhooks, is_open=lambda: not self._closing.is_set())

    async def open(self, nursery: trio.Nursery) -> Ports:
        """Listen until :meth:`close`, in that nursery; returns as soon as it does.

        Raises:
            OSError: an address cannot be listened on.
        """
        settings = self._settings
        port: int = await nursery.start(self._serve, self._app, settings.port)
        if settings.admin_port is None:
            return Ports(port, port)
        admin: int = await nursery.start(self._serve, self._admin_app, settings.admin_port)
        return Ports(port, admin)

    def close(self) -> None:
        """Take nothing more. Requests in hand have :data:`runtime.serving.GRACE_S` to end."""
        self._closing.set()

    async def _serve(
        self, app: ASGIFramework, port: int, *, task_status: trio.TaskStatus[int]
    ) -> None:
        door = Door(app, self._rules, self._failures, self._refusals)
        await serve(
            door,
            self._settings.host,
            port,
            shutdown=self._closing,
            is_shared=door.is_shared,
            refused=self._refusals.note,
            task_status=task_status,
        )

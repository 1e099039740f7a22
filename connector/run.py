"""The life of the process: open, start, serve, and stop in order."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx
import trio
from hypercorn.typing import ASGIFramework

from actors.dedup_store import Database
from actors.media.fetcher import make_http
from actors.steps import tell_all
from connector.callers import Failures
from connector.catching_up import tell_catching_up
from connector.clients import Outside
from connector.dashboard.app import add_dashboard
from connector.dashboard.opening import find_access, make_dashboard
from connector.dashboard.paths import Paths
from connector.dashboard.texts import Texts
from connector.door import Door, Rules
from connector.house import Alter, House, build_house
from connector.latencies import Latencies
from connector.logs import create_log
from connector.metrics import Sources, make_exposition
from connector.openapi import make_document
from connector.refusals import Refusals
from connector.routes import create_admin_app, create_app
from connector.settings import Settings
from connector.start_screen import Ports, tell_start
from connector.step_log import make_step_log
from connector.storage import open_store
from connector.tracing import open_traces
from connector.webhook_route import add_webhook
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.health import StoreHealth, describe, http_status, liveness, overall, readiness
from runtime.serving import serve

_STUCK = 3
_OBJECTS_BETWEEN_COLLECTIONS = 5000


@dataclass(frozen=True, slots=True)
class Running:
    """A connector that is up: where it listens, and how it is.

    ``admin_port`` is where the dashboard is, which may be ``port`` as well.
    """

    port: int
    admin_port: int
    health: Callable[[], tuple[dict[str, Any], int]]
    house: House


async def run_until_signal(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    _keep_out_of_collections()
    log = create_log(settings.log_level, sys.stdout)
    shutdown = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(_watch_signals, shutdown, log)
        async with trio.open_nursery() as life:
            running: Running = await life.start(
                partial(
                    run_connector,
                    settings,
                    log=log,
                    clock=time.time,
                    rng=random.SystemRandom(),
                    shutdown=shutdown,
                )
            )
            ports = Ports(running.port, running.admin_port)
            nursery.start_soon(tell_start, settings, running.house, ports, log, _screen())
            nursery.start_soon(tell_catching_up, running.health, log)
        nursery.cancel_scope.cancel()
    return 0


def _screen() -> Callable[[str], None] | None:
    """Where a person looks on, if one does."""
    return print if sys.stdout.isatty() else None


def _keep_out_of_collections() -> None:
    """Let the garbage collector pass over all that is loaded by now, since it stays anyway.

    It is some 100,000 objects. A full collection that looks at them stops everything for 50 ms on
    a good day and 250 ms on a bad one, and under load there is one every few seconds.

    What is made afterwards is seldom garbage that only the collector finds. By default it looks
    after every 700 objects, which under load takes a twelfth of all time; like this it takes less
    than half of that, and 4 MB more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


async def _watch_signals(
    shutdown: trio.Event,
    log: EventLog,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            log.info("stopping", signal=signal.Signals(number).name)
            shutdown.set()


async def run_connector(
    settings: Settings,
    *,
    log: EventLog,
    clock: WallClock,
    rng: random.Random,
    shutdown: trio.Event,
    alter: Alter = lambda spec: spec,
    is_sandbox: bool = False,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the connector until ``shutdown`` is set, then stop it within ``GRACE_S``.

    If cancelled, everything is cancelled at once; what was in hand is in the journal. In the
    sandbox the dashboard is open to whoever sits at the machine.

    Raises:
        OSError: the address cannot be listened on.
    """
    async with (
        open_store(settings, log) as database,
        open_http(settings) as bluesky_http,
        open_http(settings) as genesys_http,
        make_http(_user_agent()) as files_http,
        open_traces(settings, log) as trace,
        trio.open_nursery() as nursery,
        trio.open_nursery() as background,
    ):
        outside = Outside(database, bluesky_http, genesys_http, files_http, clock, rng, log)
        latencies = Latencies()
        texts = Texts() if settings.dashboard_show_text else None
        paths = Paths() if texts is None else Paths(texts.find)
        access = find_access(settings, is_sandbox=is_sandbox)
        told = tell_all(latencies.hear, make_step_log(log), paths.hear, trace)
        house = build_house(
            settings,
            outside,
            told=told,
            alter=alter if texts is None else lambda spec: texts.alter(alter(spec)),
        )
        health = _make_health(house, database, clock)
        warnings = [database.warning] if database.warning else []
        dashboard = make_dashboard(
            settings, house, access, paths, clock=clock, log=log, warnings=warnings
        )
        metrics = _make_metrics(house, latencies, clock)
        closing = trio.Event()
        app = create_app(
            health=health,
            metrics=metrics if settings.admin_port is None else None,
            why_not_live=lambda: liveness(house.supervisor.statistics()),
            why_not_ready=lambda: readiness(house.supervisor.statistics()),
            document=make_document(
                version("bluesky-genesys"), has_metrics=settings.admin_port is None
            ),
        )
        admin_app = app if settings.admin_port is None else create_admin_app(metrics)
        add_dashboard(admin_app, dashboard)
        refusals = Refusals(partial(house.supervisor.note_skipped, "WebhookReceiver"), log)
        rules = Rules(settings.webhook_max_bytes, settings.webhook_allow, settings.trusted_proxies)
        failures = Failures()

        async def serve_here(
            app: ASGIFramework, port: int, *, task_status: trio.TaskStatus[int]
        ) -> None:
            door = Door(app, rules, failures, refusals)
            await serve(
                door,
                settings.host,
                port,
                shutdown=closing,
                is_shared=door.is_shared,
                refused=refusals.note,
                task_status=task_status,
            )

        front = add_webhook(app, house.webhooks, is_open=lambda: not closing.is_set())
        port: int = await nursery.start(serve_here, front, settings.port)
        admin_port = port
        if settings.admin_port is not None:
            admin_port = await nursery.start(serve_here, admin_app, settings.admin_port)
        if dashboard is not None:
            background.start_soon(dashboard.feed.run)
        background.start_soon(house.turn_away_in_pauses, clock)
        await nursery.start(house.supervisor.run)
        log.info("started", version=version("bluesky-genesys"), port=port)
        task_status.started(Running(port, admin_port, health, house))
        await shutdown.wait()
        stuck = await house.supervisor.stop(settings.grace_s)
        if not stuck:
            # Last of all: from here on another process acts.
            await house.give_up_lease()
        closing.set()
        house.turn_away()
        background.cancel_scope.cancel()
        if stuck:
            # A task that shields itself, or a thread, would hold up the exit for ever. What it
            # had in hand is in the journal.
            os._exit(_STUCK)
    log.info("stopped")


def open_http(settings: Settings) -> httpx.AsyncClient:
    """Connections to one of the two platforms."""
    return httpx.AsyncClient(
        timeout=settings.request_deadline_s,
        headers={"User-Agent": _user_agent()},
    )


def _user_agent() -> str:
    return f"bluesky-genesys/{version('bluesky-genesys')}"


def _make_metrics(house: House, latencies: Latencies, clock: WallClock) -> Callable[[], bytes]:
    return make_exposition(
        Sources(
            actors=house.supervisor.statistics,
            store=house.gauge.read,
            leads=lambda: house.duty.is_on,
            budgets=house.budgets,
            latencies=latencies,
            clock=clock,
            version=version("bluesky-genesys"),
        )
    )


def _make_health(
    house: House, database: Database, clock: WallClock
) -> Callable[[], tuple[dict[str, Any], int]]:
    started_at = trio.current_time()
    warnings = [database.warning] if database.warning else []

    def health() -> tuple[dict[str, Any], int]:
        actors = house.supervisor.statistics()
        state = house.gauge.read()
        oldest = state.oldest_recorded_at
        store = StoreHealth(
            status=state.status,
            kind=state.kind,
            reason=state.reason,
            depth=state.depth,
            oldest_s=0.0 if oldest is None else max(0.0, clock() - oldest),
            dead_letters=state.dead_letters,
        )
        document = describe(
            actors,
            store,
            version=version("bluesky-genesys"),
            role="leader" if house.duty.is_on else "standby",
            uptime_s=trio.current_time() - started_at,
            warnings=warnings,
        )
        return document, http_status(overall(actors, store))

    return health

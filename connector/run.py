"""The life of the process: open, start, serve, and stop in order."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import trio

from actors.media.fetcher import make_http
from actors.steps import tell_all
from connector.catching_up import tell_catching_up
from connector.clients import Outside, make_user_agent, open_http
from connector.dashboard.opening import find_access, make_dashboard
from connector.dashboard.paths import Paths
from connector.dashboard.texts import Texts
from connector.front import Front, Ports
from connector.health import make_health
from connector.house import Alter, House, build_house
from connector.latencies import Latencies
from connector.logs import create_log
from connector.memory import prepare_memory
from connector.metrics import make_metrics
from connector.routes import Health
from connector.settings import Settings
from connector.start_screen import tell_start
from connector.step_log import make_step_log
from connector.storage import open_store
from connector.tracing import open_traces
from runtime.clock import WallClock
from runtime.context import EventLog

_STUCK = 3


@dataclass(frozen=True, slots=True)
class Running:
    """A connector that is up: where it listens, and how it is.

    ``admin_port`` is where the dashboard is, which may be ``port`` as well.
    """

    port: int
    admin_port: int
    health: Health
    house: House


async def run_until_signal(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    prepare_memory()
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
        make_http(make_user_agent()) as files_http,
        open_traces(settings, log) as trace,
        trio.open_nursery() as nursery,
        trio.open_nursery() as background,
    ):
        outside = Outside(database, bluesky_http, genesys_http, files_http, clock, rng, log)
        latencies, paths, texts = Latencies(), Paths(), None
        if settings.dashboard_show_text:
            texts = Texts()
            paths = Paths(texts.find)
        told = tell_all(latencies.hear, make_step_log(log), paths.hear, trace)
        house = build_house(settings, outside, told=told, alter=_let_see(alter, texts))
        health = make_health(house, clock)
        access = find_access(settings, is_sandbox=is_sandbox)
        dashboard = make_dashboard(settings, house, access, paths, clock=clock, log=log)
        metrics = make_metrics(house, latencies, clock)
        front = Front(settings, house, log, health=health, metrics=metrics, dashboard=dashboard)

        ports = await front.open(nursery)
        if dashboard is not None:
            background.start_soon(dashboard.feed.run)
        background.start_soon(house.turn_away_in_pauses, clock)
        await nursery.start(house.supervisor.run)
        log.info("started", version=version("bluesky-genesys"), port=ports.webhook)
        task_status.started(Running(ports.webhook, ports.admin, health, house))
        await shutdown.wait()
        await _stop(house, front, settings.grace_s)
        background.cancel_scope.cancel()
    log.info("stopped")


async def _stop(house: House, front: Front, grace_s: float) -> None:
    stuck = await house.supervisor.stop(grace_s)
    if not stuck:
        # Last of all: from here on another process acts.
        await house.give_up_lease()
    front.close()
    house.turn_away()
    if stuck:
        # A task that shields itself, or a thread, would hold up the exit for ever. What it had in
        # hand is in the journal.
        os._exit(_STUCK)


def _let_see(alter: Alter, texts: Texts | None) -> Alter:
    """The same, and the dashboard sees the texts that it may show."""
    return alter if texts is None else lambda spec: texts.alter(alter(spec))

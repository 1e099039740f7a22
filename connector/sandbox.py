"""``bluesky-genesys sandbox``: both platforms and the real connector, on this machine."""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import tempfile
import time
from typing import NoReturn

import click
import trio

from connector.crashing import Crasher
from connector.environment import load_settings
from connector.logs import create_log
from connector.run import Running, run_connector
from sandbox.page.app import create_page
from sandbox.serving import serve
from sandbox.story import StepFailedError, play
from sandbox.world import World, open_world

_INTERRUPTED = 130

_QUICK = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "0.5",
    "POLLING_TIME_SOCIAL_LISTENING": "1",
    "POLLING_TIME_DM": "0.5",
    "FOLLOW_THREADS_EVERY": "1",
    "REACTIONS_EVERY": "1",
    "WATCH_DELETES_EVERY": "1",
    "NOTIFICATION_POLLER_RATE": "600/60s",
    "SEARCH_POLLER_RATE": "600/60s",
    "DM_POLLER_RATE": "600/60s",
}
_PASSED_ON = ("ADMIN_TOKEN", "DASHBOARD_SHOW_TEXT")
"""Of the environment nothing else reaches the sandbox."""


async def run_sandbox(port: int, story: bool, verbose: bool) -> int:
    """Run until Ctrl-C or SIGTERM, or to the end of the story; returns the exit status."""
    status = _INTERRUPTED
    async with trio.open_nursery() as nursery:
        await nursery.start(_end_on_signal, nursery.cancel_scope)
        status = await _play(port, story, verbose)
        nursery.cancel_scope.cancel()
    return 0 if status == _INTERRUPTED and not story else status


async def _end_on_signal(
    scope: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


async def _play(port: int, story: bool, verbose: bool) -> int:
    crasher = Crasher()
    with tempfile.TemporaryDirectory(prefix="bluesky-genesys-") as state_dir:
        async with open_world(random.SystemRandom()) as world, trio.open_nursery() as nursery:
            shutdown = trio.Event()
            running: Running = await nursery.start(
                _run_connector, world, state_dir, crasher, verbose, shutdown
            )
            world.genesys.webhook_url = f"http://127.0.0.1:{running.port}/webhook"
            if story:
                status = await _tell_story(world)
            else:
                await _serve_page(world, running, crasher, port)
            shutdown.set()
    return status


async def _run_connector(
    world: World,
    state_dir: str,
    crasher: Crasher,
    verbose: bool,
    shutdown: trio.Event,
    *,
    task_status: trio.TaskStatus[Running],
) -> None:
    given = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    settings = load_settings({**world.environ(), **_QUICK, **given, "STATE_DIR": state_dir})
    await run_connector(
        settings,
        log=create_log("info", sys.stderr if verbose else io.StringIO()),
        clock=time.time,
        rng=random.SystemRandom(),
        shutdown=shutdown,
        alter=crasher.alter,
        is_sandbox=True,
        task_status=task_status,
    )


async def _tell_story(world: World) -> int:
    started_at = trio.current_time()
    try:
        await play(world, click.echo)
    except StepFailedError as error:
        click.echo(f"The story ended badly: {error}.", err=True)
        return 1
    click.echo(f"Everything arrived, in {trio.current_time() - started_at:.1f} s.")
    return 0


async def _serve_page(world: World, running: Running, crasher: Crasher, port: int) -> NoReturn:
    page = create_page(world, lambda: running.health()[0], crasher.crash)
    async with serve(page, port=port) as address:
        click.echo(f"Open {address} and play both sides. Ctrl-C ends it.")
        click.echo(f"The connector's dashboard: http://127.0.0.1:{running.admin_port}/")
        click.echo(f"Its state for programs: http://127.0.0.1:{running.port}/health")
        await trio.sleep_forever()

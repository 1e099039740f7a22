"""The connector as it is run, but that some messages crash who gets them, and each poller once."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import trio

from connector.environment import load_settings
from connector.logs import create_log
from connector.run import run_connector
from connector.settings import Settings
from runtime.actor import ActorSpec, Context, Handles, HandlesBatch, Runs
from tests.canaries.marks import POISON, TEXT

_CRASHES_AFTER_S = 1.0


def make_fragile(spec: ActorSpec[Any]) -> ActorSpec[Any]:
    """An actor whose errors hold all that it was given."""
    if spec.name == "DedupStore":
        return spec
    fallen: list[str] = []

    def create(context: Context) -> object:
        actor, fragile = spec.create(context), SimpleNamespace()
        if isinstance(actor, Runs):
            fragile.run = _interrupt(actor.run, fallen)
        if isinstance(actor, HandlesBatch):
            fragile.handle_batch = _refuse(actor.handle_batch)
        elif isinstance(actor, Handles):
            fragile.handle = _refuse(actor.handle)
        return fragile

    return dataclasses.replace(spec, create=create)


def _refuse(handle: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def handle_or_crash(work: object) -> None:
        if POISON in repr(work):
            raise RuntimeError(f"cannot bear {work!r}")
        await handle(work)

    return handle_or_crash


def _interrupt(
    run: Callable[[], Awaitable[None]], fallen: list[str]
) -> Callable[[], Awaitable[None]]:
    async def fall() -> None:
        await trio.sleep(_CRASHES_AFTER_S)
        if not fallen:
            fallen.append("once")
            raise RuntimeError(f"{TEXT} made it crash")

    async def run_or_crash() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fall)
            await run()
            nursery.cancel_scope.cancel()

    return run_or_crash


async def run_until_signal(settings: Settings) -> None:
    """As ``bluesky-genesys run`` does."""
    shutdown = trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def stop() -> None:
                async for _ in signals:
                    shutdown.set()

            nursery.start_soon(stop)
            await run_connector(
                settings,
                log=create_log(settings.log_level, sys.stdout),
                clock=time.time,
                rng=random.SystemRandom(),
                shutdown=shutdown,
                alter=make_fragile,
            )
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(run_until_signal, load_settings(os.environ))

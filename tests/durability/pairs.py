"""What is done to two connectors on one store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from tests.durability.front import open_front
from tests.durability.process import ConnectorProcess
from tests.durability.trial import LEADS_WITHIN_S, Trial

HANDED_OVER_WITHIN_S = 3.0
PAUSED_S = 14.0
"""Longer than a lease lasts."""
WARM_UP_S = 2.0
WATCHED_S = 2.0
LOOK_EVERY_S = 0.02


async def kill_leader(trial: Trial, times: int) -> None:
    """``kill -9`` the one that leads; the other one must lead soon. Then start it again."""
    async with _two(trial):
        took = []
        for _ in range(times):
            leader = await _lead(trial)
            await trio.sleep(trial.rng.uniform(0.0, WARM_UP_S))
            await leader.kill()
            trial.faults += 1
            took.append(await _await_other(trial, LEADS_WITHIN_S))
            await leader.start()
            await leader.wait_ready(trial.http)
        trial.notes.append(f"another one led after {_tell(took)} s")


async def deploy(trial: Trial, times: int) -> None:
    """Start a new one beside the old one, then stop the old one, again and again."""
    async with _two(trial):
        took = []
        for _ in range(times):
            leader = await _lead(trial)
            await trio.sleep(trial.rng.uniform(0.0, WARM_UP_S))
            await trial.stop(leader)
            trial.faults += 1
            took.append(await _await_other(trial, HANDED_OVER_WITHIN_S))
            await leader.start()
            await leader.wait_ready(trial.http)
        trial.notes.append(f"another one led {_tell(took)} s after the exit")


async def freeze_leader(trial: Trial, times: int) -> None:
    """SIGSTOP the one that leads past the end of its lease, and then SIGCONT."""
    async with _two(trial):
        for _ in range(times):
            leader = await _lead(trial)
            await trio.sleep(trial.rng.uniform(0.0, WARM_UP_S))
            leader.pause()
            trial.faults += 1
            began = trio.current_time()
            try:
                # Until then it may lead again when it wakes: nobody else does.
                await _await_other(trial, LEADS_WITHIN_S, besides=leader)
                await trio.sleep_until(began + PAUSED_S)
            finally:
                # Nobody else would wake it.
                leader.resume()
            await _expect_standby(trial, leader)


@asynccontextmanager
async def _two(trial: Trial) -> AsyncIterator[None]:
    """Two connectors under load; webhooks go to each in turn."""
    other = trial.add_connector()
    urls = [one.url for one in trial.connectors]
    async with open_front(urls, trial.http) as front:
        trial.world.genesys.webhook_url = f"{front.url}/webhook"
        async with trial.under_load():
            await trial.start()
            await other.start()
            await other.wait_ready(trial.http)
            yield
            await trio.sleep(WARM_UP_S)
        # The rest is for one of them alone, as after the last of several deploys.
        trial.world.genesys.webhook_url = f"{trial.connector.url}/webhook"


async def _lead(trial: Trial, besides: ConnectorProcess | None = None) -> ConnectorProcess:
    with trio.fail_after(LEADS_WITHIN_S + 5.0):
        while (leader := await trial.find_leader(besides)) is None:  # noqa: ASYNC110 - a process
            await trio.sleep(LOOK_EVERY_S)
    return leader


async def _await_other(
    trial: Trial, within_s: float, besides: ConnectorProcess | None = None
) -> float:
    """How many seconds it takes until one leads; a defect if that is too long.

    Args:
        besides: one that stands still, and so cannot be asked.
    """
    began = trio.current_time()
    await _lead(trial, besides)
    took_s = trio.current_time() - began
    if took_s > within_s:
        trial.defects.append(f"nobody led for {took_s:.1f} s")
    return took_s


async def _expect_standby(trial: Trial, sleeper: ConnectorProcess) -> None:
    """Once it says anything at all, it must not say that it leads."""
    with trio.move_on_after(WATCHED_S):
        while True:
            health = await sleeper.health(trial.http)
            if health is not None and health["role"] != "standby":
                trial.defects.append("it woke up and still led")
                return
            await trio.sleep(LOOK_EVERY_S)


def _tell(seconds: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)

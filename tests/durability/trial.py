"""One trial: both sandboxes, one connector process, load, and the account at the end."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trio

from sandbox.bluesky.limits import Limit, RateLimits
from sandbox.world import World, open_world
from tests.durability.audit import Findings, audit
from tests.durability.effects import Effects
from tests.durability.load import Load
from tests.durability.process import ConnectorProcess, make_environ
from tests.durability.store import EmbeddedStore, SeparateStore

GRACE_S = 20.0
PATIENCE_S = 90.0
"""With nothing wrong outside and no progress for so long, what is missing will not come."""
CALM_S = 2.0
"""So long is waited for what must not come."""
LEADS_WITHIN_S = 15.0
"""So long after a leader died there must be another one."""
REQUEST_DEADLINE_S = 4.0
ACCESS_TTL_S = 40
_LOOK_EVERY_S = 0.3

QUICK = {
    "HOST": "127.0.0.1",
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "0.3",
    "POLLING_TIME_SOCIAL_LISTENING": "0.4",
    "POLLING_TIME_DM": "0.3",
    **{
        f"{actor}_RATE": "100000/60s"
        for actor in (
            "NOTIFICATION_POLLER",
            "SEARCH_POLLER",
            "DM_POLLER",
            "GENESYS_SENDER",
            "BLUESKY_SENDER",
            "CONTACT_RESOLVER",
        )
    },
    # So many requests in so short a time are for the load's sake, and not what is tried here.
    "BLUESKY_BUDGET": "1000000/300s",
    "GENESYS_BUDGET": "1000000/60s",
    "BACKOFF_MIN_S": "0.05",
    "BACKOFF_MAX_S": "0.5",
    "REQUEST_DEADLINE_S": str(REQUEST_DEADLINE_S),
    "STORE_DEADLINE_S": "3",
    "GRACE_S": str(GRACE_S),
}


@dataclass(slots=True)
class Trial:
    """What a scenario works with.

    ``faults`` counts what it did to the connector; ``notes`` are what it measured, in words;
    ``more_letters`` is how many dead letters there must be besides those of refused messages.
    """

    world: World
    rng: random.Random
    http: httpx.AsyncClient
    store: EmbeddedStore | SeparateStore
    connectors: list[ConnectorProcess]
    load: Load
    effects: Effects
    faults: int = 0
    more_letters: int = 0
    crashes: int = 0
    defects: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def connector(self) -> ConnectorProcess:
        """The first one, and most often the only one."""
        return self.connectors[0]

    def add_connector(self) -> ConnectorProcess:
        """Another process on the same store. It is not started."""
        self.connectors.append(self.connector.make_other(len(self.connectors)))
        return self.connectors[-1]

    async def find_leader(self, besides: ConnectorProcess | None = None) -> ConnectorProcess | None:
        """The one that says that it leads, ``besides`` one that is not asked."""
        for one in (one for one in self.connectors if one is not besides):
            health = await one.health(self.http)
            if health is not None and health["role"] == "leader":
                return one
        return None

    async def start(self) -> None:
        """Start the connector and wait until it answers."""
        await self.connector.start()
        await self.connector.wait_ready(self.http)

    async def stop(self, connector: ConnectorProcess | None = None) -> None:
        """``SIGTERM``. Another exit status than 0, or too late, is a defect."""
        status = await (connector or self.connector).stop(GRACE_S + 2.0)
        if status != 0:
            self.defects.append(f"SIGTERM ended it with {status}")

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """People write while the block runs."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.load.run)
            yield
            nursery.cancel_scope.cancel()

    async def conclude(self) -> Findings:
        """Wait until all has come that will come, see that a restart repeats nothing, and audit."""
        self.world.bluesky.faults.clear()
        self.world.genesys.faults.clear()
        await self._settle()
        await trio.sleep(CALM_S)
        for one in self.connectors:
            if one.is_running:
                await self.stop(one)
        await self.start()
        await self._wait_for_leader()
        await trio.sleep(CALM_S)
        findings = audit(self.world, self.load.ledger, self.effects)
        await self._check_dead_letters(findings)
        await self.stop()
        self.crashes = sum(one.count_defects() for one in self.connectors)
        if self.crashes:
            self.defects.append(f"the log tells of {self.crashes} crashes")
        return findings

    async def _wait_for_leader(self) -> None:
        with trio.fail_after(LEADS_WITHIN_S):
            while await self.find_leader() is None:  # noqa: ASYNC110 - it is a process
                await trio.sleep(_LOOK_EVERY_S)

    async def _settle(self) -> None:
        least, since = None, trio.current_time()
        while True:
            left = await self._count_left()
            if left == 0:
                return
            if least is None or left < least:
                least, since = left, trio.current_time()
            if trio.current_time() - since > PATIENCE_S:
                return
            await trio.sleep(_LOOK_EVERY_S)

    async def _count_left(self) -> int:
        ledger = self.load.ledger
        waiting = sum(one.message.status == "waiting" for one in ledger.answered)
        missing = audit(self.world, ledger, self.effects).missing
        leader = await self.find_leader()
        health = await leader.health(self.http) if leader is not None else None
        depth: int = health["journal"]["depth"] if health is not None else 1
        return waiting + missing + depth

    async def _check_dead_letters(self, findings: Findings) -> None:
        """Each refused message leaves one, and nothing else does."""
        refused = [one for one in self.load.ledger.answered if one.kind == "refused"]
        wanted = sum(one.message.receipt is not None for one in refused) + self.more_letters
        health = await self.connector.health(self.http)
        found = health["dead_letters"] if health is not None else None
        if found != wanted:
            findings.stray.append(f"{found} dead letters instead of {wanted}")


@asynccontextmanager
async def open_trial(
    seed: str,
    folder: Path,
    *,
    separate_store: bool = False,
    most: int | None = None,
    quick: bool = True,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[Trial]:
    """Open both sandboxes; nothing is started yet. At the end nothing is left running.

    Args:
        seed: of all that is drawn.
        folder: for the files of the connector and of its store.
        separate_store: use a redis-server by ``REDIS_URL`` instead of the embedded one.
        most: how many messages there are to be, by default as many as there is time for.
        quick: poll and retry many times as often as by default, with tokens that soon run out.
        variables: of the connector's environment, instead of what they would be.
    """
    rng = _make_rng(seed)
    store = SeparateStore(folder) if separate_store else EmbeddedStore(folder)
    async with (
        open_world(_make_rng(f"{seed} world")) as world,
        httpx.AsyncClient(timeout=REQUEST_DEADLINE_S) as http,
        trio.open_nursery() as nursery,
    ):
        _lift_limits(world)
        if quick:
            world.bluesky.sessions.access_ttl_s = ACCESS_TTL_S
        pace = QUICK if quick else {"HOST": "127.0.0.1"}
        environ = {**world.environ(), **pace, **store.variables, **(variables or {})}
        connectors = [ConnectorProcess(make_environ(environ), folder)]
        world.genesys.webhook_url = f"{connectors[0].url}/webhook"
        load = Load(world, _make_rng(f"{seed} load"), most=most)
        effects = Effects(world)
        nursery.start_soon(effects.run)
        if isinstance(store, SeparateStore):
            await store.start()
        try:
            yield Trial(world, rng, http, store, connectors, load, effects)
        finally:
            with trio.CancelScope(shield=True):
                for one in connectors:
                    await one.kill()
                await store.kill()
        nursery.cancel_scope.cancel()


def _make_rng(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def _lift_limits(world: World) -> None:
    """Limits are tried on purpose or not at all."""
    world.bluesky.rate_limits = RateLimits(requests=Limit(10**9, 300))
    world.genesys.access.rate_limit = 10**9

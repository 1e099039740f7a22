"""A connector between two sandbox platforms, for tests over real sockets and on the real clock."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import trio

from connector.crashing import Crasher
from connector.environment import load_settings
from connector.run import Running, run_connector
from runtime.context import EventLog
from sandbox.bluesky import RecordReference
from sandbox.genesys.conversations import Conversation, InboundMessage, OutboundMessage
from sandbox.world import World, open_world
from tests.support.bodies import check_bodies
from tests.support.silence import Silence

T = TypeVar("T")

WITHIN_S = 20.0

QUICK = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "0.1",
    "POLLING_TIME_SOCIAL_LISTENING": "0.1",
    "POLLING_TIME_DM": "0.1",
    "NOTIFICATION_POLLER_RATE": "6000/60s",
    "SEARCH_POLLER_RATE": "6000/60s",
    "DM_POLLER_RATE": "6000/60s",
    "BACKOFF_MIN_S": "0.05",
    "BACKOFF_MAX_S": "0.5",
}


@dataclass(frozen=True, slots=True)
class Connected:
    """Both platforms, the connector between them, and the means to make an actor crash."""

    world: World
    crasher: Crasher
    url: str
    admin_url: str
    http: httpx.AsyncClient
    stop: Callable[[], None]

    async def health(self) -> dict[str, Any]:
        """What ``GET /health`` answers."""
        document: dict[str, Any] = (await self.http.get(f"{self.url}/health")).json()
        return document

    async def actor(self, name: str) -> dict[str, Any]:
        """One actor, as ``/health`` shows it."""
        actor: dict[str, Any] = (await self.health())["actors"][name]
        return actor

    async def arrives(self, post: RecordReference) -> InboundMessage:
        """The public message that a post became."""
        return await self.first(
            lambda: [
                one for one in self.world.genesys.ingested if one.provider_message_id == post.uri
            ]
        )

    async def receives(self, text: str) -> InboundMessage:
        """The private message with this text."""
        return await self.first(
            lambda: [one for one in self.world.genesys.private_messages if one.text == text]
        )

    async def conversation(self) -> Conversation:
        """A public conversation that Alice has begun."""
        post = self.world.bluesky.post(
            self.world.customers[0], f"Hello @{self.world.brand.handle}, can you help?"
        )
        message = await self.arrives(post)
        return self.world.genesys.conversations[message.conversation_id]

    async def concluded(self, sent: OutboundMessage) -> str:
        """The status of the final receipt for an agent's message."""
        receipt = await self.first(lambda: [sent.receipt] if sent.receipt else [])
        return receipt.status

    async def first(self, find: Callable[[], list[T]]) -> T:
        """The first thing found, waiting for one."""
        with trio.fail_after(WITHIN_S):
            while not (found := find()):  # noqa: ASYNC110 - two platforms, one of them HTTP
                await trio.sleep(0.02)
        return found[0]

    async def until(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """One actor, as soon as this holds of it."""
        with trio.fail_after(WITHIN_S):
            while not holds(actor := await self.actor(name)):  # noqa: ASYNC110 - asked by HTTP
                await trio.sleep(0.02)
        return actor


@asynccontextmanager
async def open_connected(
    state_dir: Path,
    variables: Mapping[str, str] | None = None,
    log: EventLog | None = None,
    *,
    is_sandbox: bool = False,
) -> AsyncIterator[Connected]:
    """Run both platforms and the connector between them while the block runs."""
    async with (
        open_world(random.SystemRandom()) as world,
        connect(world, state_dir, variables, log, is_sandbox=is_sandbox) as connected,
    ):
        yield connected


@asynccontextmanager
async def connect(
    world: World,
    state_dir: Path,
    variables: Mapping[str, str] | None = None,
    log: EventLog | None = None,
    *,
    is_sandbox: bool = False,
) -> AsyncIterator[Connected]:
    """Run the connector between two platforms while the block runs, and stop it in order.

    Afterwards every body that it sent to Genesys is checked against the Swagger.
    """
    crasher = Crasher()
    shutdown = trio.Event()
    async with httpx.AsyncClient() as http, trio.open_nursery() as nursery:
        environ = {**world.environ(), **QUICK, "STATE_DIR": str(state_dir), **(variables or {})}

        async def run(*, task_status: trio.TaskStatus[Running]) -> None:
            await run_connector(
                load_settings(environ),
                log=log or Silence(),
                clock=time.time,
                rng=random.SystemRandom(),
                shutdown=shutdown,
                alter=crasher.alter,
                is_sandbox=is_sandbox,
                task_status=task_status,
            )

        running: Running = await nursery.start(run)
        url = f"http://127.0.0.1:{running.port}"
        world.genesys.webhook_url = f"{url}/webhook"
        admin_url = f"http://127.0.0.1:{running.admin_port}"
        yield Connected(world, crasher, url, admin_url, http, shutdown.set)
        shutdown.set()
    check_bodies(world.genesys.calls)

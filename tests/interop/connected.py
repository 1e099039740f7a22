"""The connector between the real Bluesky network and the sandbox's Genesys Cloud."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import trio

from connector.environment import load_settings
from connector.run import Running, run_connector
from sandbox.genesys.app import create_app
from sandbox.genesys.conversations import Conversation, InboundMessage, OutboundMessage, Receipt
from sandbox.genesys.delivery import WebhookDelivery
from sandbox.genesys.organization import GenesysOrganization
from sandbox.serving import serve
from tests.interop.net import Net
from tests.support.bodies import check_bodies
from tests.support.silence import Silence

T = TypeVar("T")
WITHIN_S = 30.0

_VARIABLES = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "START_LOOKBACK": "0",
    "POLLING_TIME_INBOUND_NOTIFICATIONS": "0.3",
    "POLLING_TIME_SOCIAL_LISTENING": "0.3",
    "POLLING_TIME_DM": "0.3",
    "NOTIFICATION_POLLER_RATE": "6000/60s",
    "SEARCH_POLLER_RATE": "6000/60s",
    "DM_POLLER_RATE": "6000/60s",
    "BACKOFF_MIN_S": "0.1",
    "BACKOFF_MAX_S": "1",
    "ENABLE_EXTERNAL_CONTACTS": "true",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """The agents' side, and how the connector is."""

    genesys: GenesysOrganization
    health: Callable[[], tuple[dict[str, Any], int]]

    async def wait_post(self, uri: str) -> InboundMessage:
        """The public message that a post became."""
        return await self.wait(
            lambda: [one for one in self.genesys.ingested if one.provider_message_id == uri]
        )

    async def wait_text(self, text: str) -> InboundMessage:
        """The private message with this text."""
        return await self.wait(
            lambda: [one for one in self.genesys.private_messages if one.text == text]
        )

    def conversation(self, message: InboundMessage) -> Conversation:
        """What the message is part of."""
        return self.genesys.conversations[message.conversation_id]

    async def answer(self, message: InboundMessage, text: str, *, public: bool) -> Receipt:
        """Answer a message; returns the final receipt, once there is one."""
        sent: OutboundMessage = self.genesys.agent_reply(
            self.conversation(message), text, public=public, in_reply_to=message
        )
        return await self.wait(lambda: [sent.receipt] if sent.receipt else [])

    async def wait(self, find: Callable[[], list[T]]) -> T:
        """The first thing found, waiting for one."""
        with trio.fail_after(WITHIN_S):
            while not (found := find()):
                await self.genesys.wait_change()
        return found[0]


@asynccontextmanager
async def open_desk(
    net: Net, state_dir: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Desk]:
    """Run the connector while the block runs, first looked once at all that it polls.

    Afterwards every body that it sent to Genesys is checked against the Swagger.
    """
    # Not seeded: message ids decide the record keys, and the brand's records outlive a test.
    rng = random.SystemRandom()
    genesys = GenesysOrganization(
        rng=rng, now=lambda: datetime.now(UTC), webhook_url="http://127.0.0.1:9/webhook"
    )
    shutdown = trio.Event()
    async with (
        serve(create_app(genesys)) as genesys_url,
        httpx.AsyncClient(timeout=10) as http,
        trio.open_nursery() as nursery,
    ):
        genesys.files.base_url = genesys_url
        await nursery.start(WebhookDelivery(genesys, http).run)
        environ = {
            **_make_variables(net, genesys, genesys_url),
            **_VARIABLES,
            "STATE_DIR": str(state_dir),
            **(variables or {}),
        }

        async def run(*, task_status: trio.TaskStatus[Running]) -> None:
            await run_connector(
                load_settings(environ),
                log=Silence(),
                clock=time.time,
                rng=rng,
                shutdown=shutdown,
                task_status=task_status,
            )
            nursery.cancel_scope.cancel()

        running: Running = await nursery.start(run)
        genesys.webhook_url = f"http://127.0.0.1:{running.port}/webhook"
        await _wait_polled(running)
        yield Desk(genesys, running.health)
        shutdown.set()
    check_bodies(genesys.calls)


async def _wait_polled(running: Running) -> None:
    with trio.fail_after(WITHIN_S):
        while True:
            actors = running.health()[0]["actors"]
            pollers = ("NotificationPoller", "SearchPoller", "DMPoller")
            if all(actors[name]["last_success"] for name in pollers):
                return
            await trio.sleep(0.05)


def _make_variables(net: Net, genesys: GenesysOrganization, url: str) -> dict[str, str]:
    return {
        "BLUESKY_HANDLE": net.brand.handle,
        "BLUESKY_APP_PASSWORD": net.brand.app_password or "",
        "BLUESKY_SERVICE_URL": net.service_url,
        "BLUESKY_SEARCH_QUERY": "brandphone",
        "GC_REGION": genesys.region,
        "GC_API_URL": url,
        "GC_LOGIN_URL": url,
        "GC_CC_CLIENT_ID": genesys.client_id,
        "GC_CC_CLIENT_SECRET": genesys.client_secret,
        "GC_INTEGRATION_ID": genesys.integration_id,
        "GC_WEBHOOK_SECRET": genesys.webhook_secret,
        "GC_SOCIAL_TOPIC_ID": genesys.topic_id,
        "GC_SOCIAL_RULE_ID": genesys.rule_id,
        "GC_EXTERNAL_SOURCE_ID": genesys.external_source_id,
        "GC_EC_DIVISION_ID": genesys.division_id,
    }

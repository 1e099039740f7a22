"""The desk that agents write from: signed bodies, and a receiver that takes them in."""

from __future__ import annotations

import json
from typing import Any

import trio

from actors.genesys.gap import WebhookGap
from actors.genesys.intake import Earlier
from actors.genesys.signature import make_signature
from actors.genesys.webhook_receiver import (
    FindsPredecessors,
    WebhookAnswer,
    WebhookDelivery,
    WebhookReceiver,
)
from actors.messages import AgentMessage
from runtime.clock import WallClock
from runtime.rate import Rate
from tests.support.context import GENEROUS, FakeContext
from tests.support.memory_store import NEW_YEAR_2026, MemoryStore

SECRET = "webhook-secret"
DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
POST = f"at://{DID}/app.bsky.feed.post/3lrbi7scmqc2e"


def make_body(**changes: object) -> dict[str, Any]:
    """A private text message, as in the samples, with changes."""
    return {
        "id": "message-1",
        "channel": {
            "id": "integration-1",
            "platform": "Open",
            "type": "Private",
            "to": {"id": DID, "idType": "Opaque"},
            "from": {"nickname": "Bluesky Integration", "id": "integration-1"},
            "time": "2026-06-10T21:03:05.427Z",
            "messageId": "message-1",
        },
        "type": "Text",
        "text": "Hi, how can I help?",
        "originatingEntity": "Human",
        "direction": "Outbound",
        "conversationId": "conversation-1",
    } | changes


class NobodyLooks:
    """Stands in for the reconciler where nothing is to be found."""

    async def run(self) -> None:
        await trio.sleep_forever()


class NothingBefore:
    """Stands in where nothing was missed."""

    def may_be_missed(self, message: AgentMessage) -> bool:
        return False

    async def find(self, message: AgentMessage) -> Earlier:
        return Earlier()


class Desk:
    """A receiver with its store, and the agents who write to it."""

    def __init__(
        self,
        *,
        secrets: tuple[str, ...] = (SECRET,),
        max_bytes: int = 10_000,
        rate: Rate = GENEROUS,
        clock: WallClock = lambda: NEW_YEAR_2026,
        memory: MemoryStore | None = None,
        predecessors: FindsPredecessors | None = None,
    ) -> None:
        self.memory = memory or MemoryStore()
        self.context = FakeContext("WebhookReceiver", rate=rate)
        self.gap = WebhookGap(clock)
        self.receiver = WebhookReceiver(
            self.context,
            self.memory.store,
            secrets=secrets,
            max_bytes=max_bytes,
            clock=clock,
            gap=self.gap,
            reconciler=NobodyLooks(),
            predecessors=predecessors or NothingBefore(),
        )

    async def deliver(self, body: dict[str, Any] | bytes) -> WebhookAnswer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.deliver_raw(raw, make_signature(raw, SECRET))

    async def deliver_raw(self, body: bytes, signature: str | bytes | None) -> WebhookAnswer:
        delivery = WebhookDelivery(body, signature)
        await self.receiver.handle_batch([delivery])
        return await delivery.reply.wait(0.0, who="WebhookReceiver")

    def only_payload(self) -> object:
        (payload,) = self.memory.payloads
        return payload

"""WebhookReceiver: what agents write comes in here, is recorded, and only then acknowledged."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

import trio

from actors.genesys.signature import is_signed
from actors.items import make_agent_item
from actors.messages import AgentMessage, DeadLetter, JournalItem
from actors.store import Store, StoreUnavailable
from actors.translation.webhook import Ignored, Unusable, read_webhook
from runtime.actor import Context
from runtime.clock import WallClock, format_time
from runtime.mailbox import Reply

HOLD_S = 8.0
"""How long a delivery waits for a store that is away. Genesys waits for 10 s, and comes again five
times, each 5 s after the answer before: were it answered at once, all would be over in 25 s, and
the message lost; like this it takes over a minute."""

LOOK_AGAIN_S = 0.5


class WebhookAnswer(enum.Enum):
    """What to answer Genesys; the value is the HTTP status.

    Genesys repeats a delivery after a 5xx, and after a 4xx gives the whole message up.
    """

    ACCEPTED = 200
    WRONG_SIGNATURE = 401
    TOO_LARGE = 413
    UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One POST: the raw body, and the header ``X-Hub-Signature-256`` as it came."""

    body: bytes = field(repr=False)
    signature: str | bytes | None
    reply: Reply[WebhookAnswer] = field(default_factory=Reply, compare=False)


class WebhookReceiver:
    """Checks, sorts and records what Genesys delivers.

    Whoever serves HTTP puts a :class:`WebhookDelivery` in the mailbox and waits for its answer
    within Genesys' ten seconds. A delivery that comes twice takes effect once.

    Args:
        secrets: the integration's secret token, and a second one while it is being changed.
        max_bytes: the largest body that is read.
        clock: for messages that do not say when they were sent.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        *,
        secrets: Sequence[str],
        max_bytes: int,
        clock: WallClock,
    ) -> None:
        self._context = context
        self._store = store
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._clock = clock

    async def handle(self, message: WebhookDelivery) -> None:
        """Deal with one delivery and answer it.

        If cancelled, there is no answer: Genesys delivers again, and what was recorded already is
        not recorded twice.
        """
        message.reply.answer(await self._receive(message))

    async def _receive(self, delivery: WebhookDelivery) -> WebhookAnswer:
        if len(delivery.body) > self._max_bytes:
            self._context.skipped("too_large")
            return WebhookAnswer.TOO_LARGE
        if not is_signed(delivery.body, delivery.signature, self._secrets):
            self._context.skipped("wrong_signature")
            return WebhookAnswer.WRONG_SIGNATURE
        await self._context.acquire()
        away = StoreUnavailable("DedupStore did not answer in time")
        with trio.move_on_after(HOLD_S):
            while True:
                try:
                    await self._take_in(delivery.body)
                except StoreUnavailable as error:
                    away = error
                else:
                    return WebhookAnswer.ACCEPTED
                await self._context.sleep(LOOK_AGAIN_S)
        self._context.failed(away)
        return WebhookAnswer.UNAVAILABLE

    async def _take_in(self, body: bytes) -> None:
        content = read_webhook(body, format_time(self._clock()))
        match content:
            case AgentMessage():
                item = make_agent_item(content)
                recorded = await self._store.record([item])
                if item.item_id in recorded.new:
                    self._context.succeeded()
                else:
                    self._context.skipped("duplicate")
            case Ignored():
                if content.failure is not None:
                    await self._store.record([content.failure])
                self._context.skipped(content.reason)
            case Unusable():
                items: list[JournalItem] = [content.failure] if content.failure else []
                await self._store.record(items, dead_letters=[_bury(content, body)])
                self._context.skipped(content.reason)
            case _:
                assert_never(content)


def _bury(content: Unusable, body: bytes) -> DeadLetter:
    name = content.message_id or hashlib.sha256(body).hexdigest()
    return DeadLetter(
        letter_id=f"webhook:{name}",
        source="WebhookReceiver",
        code=content.reason,
        why=content.why,
        payload=body.decode(errors="replace"),
    )

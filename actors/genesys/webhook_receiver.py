"""WebhookReceiver: what agents write comes in here, is recorded, and only then acknowledged.

What could not come in, because there was nobody to take it in, is looked for: ``reconciler.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio

from actors.genesys.gap import WebhookGap, make_missed_since
from actors.genesys.intake import Intake, join, make_intake
from actors.genesys.signature import is_signed
from actors.messages import AgentMessage
from actors.steps import find_message
from actors.store import Store, StoreUnavailable
from actors.translation.webhook import Unusable, read_webhook
from runtime.actor import Context, Runs
from runtime.clock import WallClock, format_time, parse_time
from runtime.errors import Retryable
from runtime.mailbox import Reply

HOLD_S = 8.0
"""How long a delivery waits for a store that is away. Genesys waits for 10 s, and comes again five
times, each 5 s after the answer before: were it answered at once, all would be over in 25 s, and
the message given up; like this it takes over a minute."""

LOOK_AGAIN_S = 0.5

OLDEST_S = 7 * 24 * 3600.0
"""A message that was written longer ago is not carried. Genesys gives up after two minutes, so it
is one that somebody has kept. What is younger is known for longer than that, by its id."""


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
        clock: unix time in seconds.
        gap: told when deliveries are refused and when they are taken in.
        reconciler: looks for those that were refused too often.
        find_earlier: what goes before a message because it was missed; see
            :meth:`actors.genesys.predecessors.Predecessors.find`.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        *,
        secrets: Sequence[str],
        max_bytes: int,
        clock: WallClock,
        gap: WebhookGap,
        reconciler: Runs,
        find_earlier: Callable[[AgentMessage], Awaitable[tuple[Intake, ...]]],
    ) -> None:
        self._context = context
        self._store = store
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._clock = clock
        self._gap = gap
        self._reconciler = reconciler
        self._find_earlier = find_earlier

    async def run(self) -> None:
        """Look, after every gap, for what was missed. If cancelled, it is looked for again."""
        await self._reconciler.run()

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
        came_at = self._clock()
        await self._context.acquire()
        away: Retryable = StoreUnavailable("DedupStore did not answer in time")
        with trio.move_on_after(HOLD_S):
            while True:
                try:
                    await self._take_in(delivery.body)
                except Retryable as error:
                    away = error
                else:
                    return WebhookAnswer.ACCEPTED
                await self._context.sleep(LOOK_AGAIN_S)
        self._context.failed(away)
        self._gap.begin(came_at)
        return WebhookAnswer.UNAVAILABLE

    async def _take_in(self, body: bytes) -> None:
        content = read_webhook(body, format_time(self._clock()))
        if isinstance(content, AgentMessage) and self._is_old(content):
            content = Unusable("too_old", f"it is of {content.sent_at}", content.message_id)
        intake = make_intake(content, body)
        earlier = await self._find_earlier(content) if isinstance(content, AgentMessage) else ()
        new = await self._record(join([*earlier, intake]))
        if intake.skipped is not None:
            self._context.skipped(intake.skipped, message=_find_message(intake))
        elif any(item.item_id in new for item in intake.items):
            self._context.succeeded()
        else:
            self._context.skipped("duplicate", message=_find_message(intake))

    def _is_old(self, message: AgentMessage) -> bool:
        return self._clock() - parse_time(message.sent_at) > OLDEST_S

    async def _record(self, intake: Intake) -> frozenset[str]:
        """Record it, and with it the gap that it ends; returns the ids that are new."""
        if not intake.items and not intake.letters:
            return frozenset()
        missed_since = self._gap.missed_since
        gaps = () if missed_since is None else (make_missed_since(missed_since),)
        recorded = await self._store.record(
            intake.items, values=gaps, dead_letters=intake.letters, active=intake.active
        )
        self._gap.end(tell=missed_since is not None)
        return recorded.new


def _find_message(intake: Intake) -> str:
    """Which message of an agent this is, if Genesys said so."""
    return find_message(intake.items[0].item_id) if intake.items else "unknown"

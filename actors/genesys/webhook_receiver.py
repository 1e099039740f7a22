"""WebhookReceiver: what agents write comes in here, is recorded, and only then acknowledged.

What could not come in, because there was nobody to take it in, is looked for: ``reconciler.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.genesys.gap import WebhookGap, make_missed_since
from actors.genesys.intake import Earlier, Intake, join, make_intake
from actors.genesys.signature import is_signed
from actors.messages import AgentMessage
from actors.steps import find_message
from actors.store import Store, StoreUnavailable
from actors.translation.webhook import Unusable, WebhookContent, read_webhook
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


@dataclass(frozen=True, slots=True)
class _Taken:
    """An authentic delivery, what is to be recorded of it, and when it came, in unix seconds."""

    delivery: WebhookDelivery
    message: AgentMessage | None
    intake: Intake
    came_at: float


class FindsPredecessors(Protocol):
    """Finds what goes before a message: see :class:`actors.genesys.predecessors.Predecessors`."""

    def may_be_missed(self, message: AgentMessage) -> bool:
        """Whether there may be anything; only then it takes its time to find."""

    async def find(self, message: AgentMessage) -> Earlier:
        """What is to be recorded before this message."""


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
        predecessors: what goes before a message because it was missed.
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
        predecessors: FindsPredecessors,
    ) -> None:
        self._context = context
        self._store = store
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._clock = clock
        self._gap = gap
        self._reconciler = reconciler
        self._predecessors = predecessors

    async def run(self) -> None:
        """Look, after every gap, for what was missed. If cancelled, it is looked for again."""
        await self._reconciler.run()

    async def handle_batch(self, messages: Sequence[WebhookDelivery]) -> None:
        """Deal with all of these, and answer each.

        What is to be recorded is recorded together, in its order; that is one of what the rate
        allows. If cancelled, there is no answer: Genesys delivers again, and what was recorded
        already is not recorded twice.
        """
        came_at = self._clock()
        received_at = format_time(came_at)
        taken: list[_Taken] = []
        for delivery in messages:
            refusal = self._judge(delivery)
            if refusal is not None:
                delivery.reply.answer(refusal)
                continue
            content = self._read(delivery.body, received_at)
            intake = make_intake(content, delivery.body)
            if intake.items or intake.letters:
                message = content if isinstance(content, AgentMessage) else None
                taken.append(_Taken(delivery, message, intake, came_at))
            else:
                self._count(intake, set())
                delivery.reply.answer(WebhookAnswer.ACCEPTED)
        if taken:
            await self._context.acquire()
            await self._answer(taken)

    def _judge(self, delivery: WebhookDelivery) -> WebhookAnswer | None:
        if len(delivery.body) > self._max_bytes:
            self._context.skipped("too_large")
            return WebhookAnswer.TOO_LARGE
        if not is_signed(delivery.body, delivery.signature, self._secrets):
            self._context.skipped("wrong_signature")
            return WebhookAnswer.WRONG_SIGNATURE
        return None

    def _read(self, body: bytes, received_at: str) -> WebhookContent:
        content = read_webhook(body, received_at)
        if isinstance(content, AgentMessage) and self._is_old(content):
            return Unusable("too_old", f"it is of {content.sent_at}", content.message_id)
        return content

    def _is_old(self, message: AgentMessage) -> bool:
        return self._clock() - parse_time(message.sent_at) > OLDEST_S

    async def _answer(self, taken: Sequence[_Taken]) -> None:
        """Record and answer them; what may have to wait for its predecessors, by conversation."""
        together: list[_Taken] = []
        late: dict[str, list[_Taken]] = {}
        for one in taken:
            if one.message is not None and self._predecessors.may_be_missed(one.message):
                late.setdefault(one.intake.items[0].conversation, []).append(one)
            else:
                together.append(one)
        async with trio.open_nursery() as nursery:
            for group in late.values():
                nursery.start_soon(self._take_in, group)
            if together:
                await self._take_in(together)

    async def _take_in(self, taken: Sequence[_Taken]) -> None:
        answer = await self._hold(taken)
        for one in taken:
            one.delivery.reply.answer(answer)

    async def _hold(self, taken: Sequence[_Taken]) -> WebhookAnswer:
        """Record them, and try again for a while if the store is away."""
        away: Retryable = StoreUnavailable("DedupStore did not answer in time")
        answered: dict[str | None, Earlier] = {}
        with trio.move_on_after(HOLD_S):
            while True:
                try:
                    await self._record_all(taken, answered)
                except Retryable as error:
                    away = error
                else:
                    return WebhookAnswer.ACCEPTED
                await self._context.sleep(LOOK_AGAIN_S)
        for _ in taken:
            self._context.failed(away)
        self._gap.begin(taken[0].came_at)
        return WebhookAnswer.UNAVAILABLE

    async def _record_all(
        self, taken: Sequence[_Taken], answered: dict[str | None, Earlier]
    ) -> None:
        """Record them behind their predecessors; ``answered`` keeps what Genesys said of these."""
        first: dict[str | None, AgentMessage] = {}
        for one in taken:
            if one.message is not None:
                first.setdefault(one.message.conversation_id, one.message)
        for conversation_id, message in first.items():
            if conversation_id not in answered or answered[conversation_id].asked is None:
                answered[conversation_id] = await self._predecessors.find(message)
        found = list(answered.values())
        earlier = [intake for one in found for intake in one.intakes]
        intakes = [one.intake for one in taken]
        new = set(await self._record(join([*earlier, *intakes])))
        for conversation_id in (one.asked for one in found):
            # Not before they are recorded: else a second attempt would go on without them.
            if conversation_id is not None:
                self._gap.note_known(conversation_id)
        for intake in intakes:
            self._count(intake, new)

    def _count(self, intake: Intake, new: set[str]) -> None:
        """Count what became of a delivery. What came twice among them counts once as new."""
        ids = {item.item_id for item in intake.items}
        if intake.skipped is not None:
            self._context.skipped(intake.skipped, message=_find_message(intake))
        elif ids & new:
            self._context.succeeded()
        else:
            self._context.skipped("duplicate", message=_find_message(intake))
        new -= ids

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

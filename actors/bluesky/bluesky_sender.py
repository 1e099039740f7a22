"""BlueskySender: carries what agents write to Bluesky, once."""

from __future__ import annotations

from dataclasses import replace

from actors import reasons
from actors.bluesky.calls import Calls, WritesSpent, until_answered
from actors.bluesky.claims import Claims
from actors.bluesky.client import Bluesky
from actors.bluesky.effects import Hand, carry_out, look_up, remember, remember_remains
from actors.bluesky.giving_up import explain_trouble, give_up_on, say_not_known
from actors.bluesky.planning import Rules, make_plan
from actors.bluesky.refusals import Refusal, explain_direct_message, explain_record
from actors.bluesky.retrying import LOOK_AGAIN_AFTER_S, Trouble, choose_delay_s, shorten
from actors.items import make_failure, make_receipt_item
from actors.messages import (
    AgentMessage,
    Author,
    DirectMessagePlan,
    Done,
    JournalEntry,
    KnownPost,
    Outcome,
    Plan,
    PostReference,
    Receipt,
    Refused,
    Retry,
)
from actors.settlement import settle
from actors.store import Store
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Malformed, RateLimited, Rejected, Retryable
from runtime.rate import Budget

PLATFORM_AWAY = 2.0
"""After so many times ``give_up_after_s`` the agent is told even if the truth is not known."""

MOST_PLANS = 256
"""More than any number of workers could have in hand."""


class BlueskySender:
    """Carries out agents' messages: replies, direct messages, commands.

    Every message ends with one final receipt. What is to be written is fixed in the journal
    before the first write, and each write is one that may be repeated, so whatever happens in
    between, handling the entry again goes on where it stopped.

    A message that could not be sent for ``give_up_after_s`` is given up. From then on nothing is
    written for it any more: the next handling only looks at how much of it is there, because an
    answer may have been lost, and the receipt says what is true. While even looking fails it
    waits; after twice the time the receipt says that nobody knows. A message that Bluesky will not
    take in time, as it says itself, is given up at once.

    Args:
        writes: what the account may write, in points, shared with whoever else writes.
        clock: unix time in seconds.
        plans: the latest plans by message id, shared by all workers. It must outlive this
            incarnation, as the message in hand does: that one is delivered again as it first
            came, without the plan that the journal has got meanwhile.
        claims: which direct message is whose, shared by all workers.
        rules: what the administrator has decided.
        give_up_after_s: how long after its recording a message is still worth sending. One that
            was never tried is tried once, however old.
    """

    def __init__(
        self,
        context: Context,
        bluesky: Bluesky,
        store: Store,
        *,
        writes: Budget,
        clock: WallClock,
        plans: dict[str, Plan],
        claims: Claims,
        rules: Rules,
        give_up_after_s: float = 900.0,
    ) -> None:
        self._context = context
        self._calls = Calls(bluesky, context, writes)
        self._store = store
        self._clock = clock
        self._plans = plans
        self._claims = claims
        self._rules = rules
        self._give_up_after_s = give_up_after_s

    async def handle(self, entry: JournalEntry) -> None:
        """Deal with one :class:`AgentMessage`.

        If cancelled, the entry stays in the journal and may have taken effect in part; handling
        it again completes it.

        A refused account is an error like any other to the message: it is tried again now and
        then, and given up in time. The actor shows ``failed`` meanwhile.

        Raises:
            TypeError: the entry is not for this actor.
        """
        message = entry.payload
        if not isinstance(message, AgentMessage):
            raise TypeError(f"{type(message).__name__} is not for BlueskySender")
        known = self._plans.get(message.message_id)
        planned = message.plan or known
        if planned is not None:
            self._keep(message, planned)
        try:
            await self._attempt(entry, message, planned, begun_elsewhere=known is None)
        except Refusal as refusal:
            await self._refuse(entry, message, refusal)
        except Rejected as error:
            private = message.channel == "private" or isinstance(planned, DirectMessagePlan)
            explain = explain_direct_message if private else explain_record
            await self._refuse(entry, message, explain(error))
        except (Retryable, Malformed, AuthRejected) as error:
            await self._retry(entry, error)

    async def _attempt(
        self,
        entry: JournalEntry,
        message: AgentMessage,
        planned: Plan | None,
        *,
        begun_elsewhere: bool,
    ) -> None:
        if entry.attempts > 0 and self._left_s(entry) <= 0:
            await self._conclude(entry, message, planned)
            return
        if begun_elsewhere and isinstance(planned, DirectMessagePlan):
            # Another process was cut off: a request of it may still be under way, and only of a
            # direct message would it be too late to know afterwards.
            await self._context.sleep(LOOK_AGAIN_AFTER_S)
        try:
            plan = planned or await self._fix_plan(entry, message)
            hand = self._hand(entry, message)
            written = await carry_out(hand, plan, repeated=planned is not None)
        except RateLimited as error:
            if (error.after_s or 0.0) <= self._left_s(entry):
                raise
            await self._conclude(entry, message, self._plans.get(message.message_id), error)
        else:
            await self._confirm(entry, message, plan, written)

    def _hand(self, entry: JournalEntry, message: AgentMessage) -> Hand:
        calls, store, claims = self._calls, self._store, self._claims
        return Hand(calls, store, claims, message.message_id, entry.conversation)

    async def _fix_plan(self, entry: JournalEntry, message: AgentMessage) -> Plan:
        plan = await make_plan(self._calls, self._store, entry, message, self._clock(), self._rules)
        amended = replace(message, plan=plan)
        await until_answered(self._context, lambda: self._store.amend(entry.entry_id, amended))
        self._keep(message, plan)
        return plan

    def _keep(self, message: AgentMessage, plan: Plan) -> None:
        self._plans.pop(message.message_id, None)
        self._plans[message.message_id] = plan
        while len(self._plans) > MOST_PLANS:
            del self._plans[next(iter(self._plans))]

    async def _conclude(
        self,
        entry: JournalEntry,
        message: AgentMessage,
        plan: Plan | None,
        limited: RateLimited | None = None,
    ) -> None:
        """Find out what became of a message that is not to be sent any more.

        Raises:
            Refusal: it is not all there; the sentence says what is, and why the rest is not.
        """
        given_up = give_up_on(plan, self._give_up_after_s, limited, self._clock())
        if plan is None:
            raise await explain_trouble(self._calls, given_up(0, 1)) from limited
        try:
            progress = await look_up(self._hand(entry, message), plan)
        except (Retryable, Malformed, Rejected, AuthRejected) as error:
            away = -self._left_s(entry) >= (PLATFORM_AWAY - 1) * self._give_up_after_s
            if not away and not isinstance(error, Rejected):
                raise
            raise say_not_known(plan) from error
        if progress.done < progress.total:
            raise given_up(progress.done, progress.total) from limited
        await self._confirm(entry, message, plan, progress.posts)

    async def _confirm(
        self,
        entry: JournalEntry,
        message: AgentMessage,
        plan: Plan,
        written: tuple[PostReference, ...],
    ) -> None:
        receipt = make_receipt_item(Receipt(message.message_id, message.recipient_did, "Delivered"))
        kept = await remember(self._hand(entry, message), plan, written)
        # Its thread is alive, although nobody but us has said anything.
        posts = [
            KnownPost(one.post.uri, one.root.uri, Author(one.author_did, ""), self._clock())
            for one in kept.references
        ]
        await settle(
            self._store,
            self._context,
            entry,
            Done(),
            items=[receipt],
            references=kept.references,
            values=kept.values,
            posts=posts,
        )
        self._plans.pop(message.message_id, None)
        self._context.succeeded()

    async def _refuse(self, entry: JournalEntry, message: AgentMessage, refusal: Refusal) -> None:
        receipt = make_failure(
            message.message_id, message.recipient_did, refusal.code, refusal.sentence
        )
        asked = refusal.reason is reasons.HELP
        outcome: Outcome = Done() if asked else Refused(refusal.code, refusal.sentence)
        plan = self._plans.get(message.message_id)
        values = await remember_remains(self._hand(entry, message), plan, refusal.done)
        await settle(self._store, self._context, entry, outcome, items=[receipt], values=values)
        self._plans.pop(message.message_id, None)
        if asked:
            self._context.succeeded()
            return
        self._context.skipped(refusal.code)
        cause = refusal.__cause__
        if isinstance(cause, AuthRejected | RateLimited):
            self._context.failed(cause)
        if isinstance(cause, RateLimited) and not isinstance(cause, WritesSpent):
            await self._context.back_off(shorten(cause))

    async def _retry(self, entry: JournalEntry, error: Trouble) -> None:
        outcome = Retry(
            choose_delay_s(error, entry.attempts, self._left_s(entry), self._context.rng),
            str(error),
        )
        await settle(self._store, self._context, entry, outcome)
        self._context.failed(error)
        if not isinstance(error, WritesSpent):
            await self._context.back_off(shorten(error))

    def _left_s(self, entry: JournalEntry) -> float:
        """For how long the message is still worth sending; negative once it is given up."""
        return self._give_up_after_s - (self._clock() - entry.recorded_at)

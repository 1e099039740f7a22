"""BlueskySender: carries what agents write to Bluesky, once."""

from __future__ import annotations

from actors import reasons
from actors.bluesky.attachments import UnfitAttachment
from actors.bluesky.calls import Calls, WritesSpent
from actors.bluesky.claims import Claims
from actors.bluesky.client import UploadingBluesky
from actors.bluesky.effects import Hand, carry_out, look_up, remember, remember_remains
from actors.bluesky.giving_up import explain_trouble, give_up_on, say_not_known
from actors.bluesky.media import Media
from actors.bluesky.plan_keeper import AlreadySettled, PlanKeeper
from actors.bluesky.planning import Rules
from actors.bluesky.records_writer import BlobGone
from actors.bluesky.refusals import Refusal, explain_direct_message, explain_record
from actors.bluesky.retrying import LOOK_AGAIN_AFTER_S, Trouble, choose_delay_s, shorten
from actors.items import make_receipt_items
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
    RecordPlan,
    Refused,
    Retry,
)
from actors.recent import Recent
from actors.settlement import settle
from actors.store import Store
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Malformed, RateLimited, Rejected, Retryable
from runtime.rate import Budget

PLATFORM_AWAY = 2.0
"""After so many times ``give_up_after_s`` the agent is told even if the truth is not known."""


class BlueskySender:
    """Carries out agents' messages: replies with their images, direct messages, commands.

    Every message ends with one final receipt, those that go out as one post included. What is to
    be written is fixed in the journal before the first write, and each write is one that may be
    repeated, so whatever happens in between, handling the entry again goes on where it stopped.

    A message that could not be sent for ``give_up_after_s`` is given up. From then on nothing is
    written for it any more: the next handling only looks at how much of it is there, because an
    answer may have been lost, and the receipt says what is true. While even looking fails it
    waits; after twice the time the receipt says that nobody knows. A message that Bluesky will not
    take in time, as it says itself, is given up at once.

    Args:
        writes: what the account may write, in points, shared with whoever else writes.
        media: how files are dealt with.
        clock: unix time in seconds.
        begun: ids of messages that this process has begun to carry out, shared by all workers. It
            outlives this incarnation. What is begun and not in it, another process has begun.
        claims: which direct message is whose, shared by all workers.
        rules: what the administrator has decided.
        give_up_after_s: how long after its recording a message is still worth sending. One that
            was never tried is tried once, however old.
    """

    def __init__(
        self,
        context: Context,
        bluesky: UploadingBluesky,
        store: Store,
        *,
        writes: Budget,
        media: Media,
        clock: WallClock,
        begun: Recent,
        claims: Claims,
        rules: Rules,
        give_up_after_s: float = 900.0,
    ) -> None:
        self._context = context
        self._calls = Calls(bluesky, context, writes)
        self._store = store
        self._clock = clock
        self._plans = PlanKeeper(self._calls, store, media, clock, rules)
        self._begun = begun
        self._claims = claims
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
        try:
            if entry.attempts > 0 and self._left_s(entry) <= 0:
                message = await self._plans.recall(entry, message)
                await self._conclude(entry, message)
            else:
                message, again = await self._fix(entry, message)
                await self._send(entry, message, again=again)
        except AlreadySettled:
            # The worker that had it crashed after that.
            return
        except UnfitAttachment as error:
            await self._refuse(entry, message, error.refusal)
        except Refusal as refusal:
            await self._refuse(entry, message, refusal)
        except Rejected as error:
            private = message.channel == "private" or isinstance(message.plan, DirectMessagePlan)
            explain = explain_direct_message if private else explain_record
            await self._refuse(entry, message, explain(error))
        except (Retryable, Malformed, AuthRejected) as error:
            await self._retry(entry, error)

    async def _fix(self, entry: JournalEntry, message: AgentMessage) -> tuple[AgentMessage, bool]:
        try:
            return await self._plans.fix(entry, message)
        except RateLimited as error:
            if self._is_in_time(entry, error):
                raise
            raise await self._explain_unplanned(error) from error

    async def _send(self, entry: JournalEntry, message: AgentMessage, *, again: bool) -> None:
        plan = _plan_of(message)
        elsewhere = again and message.message_id not in self._begun
        if elsewhere and isinstance(plan, DirectMessagePlan):
            # Another process was cut off: a request of it may still be under way, and only of a
            # direct message would it be too late to know afterwards.
            await self._context.sleep(LOOK_AGAIN_AFTER_S)
        self._begun.add([message.message_id])
        try:
            written = await self._carry_out(entry, message, plan, again=again)
        except RateLimited as error:
            if self._is_in_time(entry, error):
                raise
            await self._conclude(entry, message, error)
        else:
            await self._confirm(entry, message, plan, written)

    async def _carry_out(
        self, entry: JournalEntry, message: AgentMessage, plan: Plan, *, again: bool
    ) -> tuple[PostReference, ...]:
        hand = self._hand(entry, message)
        try:
            return await carry_out(hand, plan, repeated=again)
        except BlobGone:
            if not isinstance(plan, RecordPlan):
                raise
            renewed = await self._plans.renew_blobs(entry, message, plan)
        try:
            return await carry_out(hand, renewed, repeated=True)
        except BlobGone as error:
            raise Retryable(f"what was just uploaded is not there: {error}") from error

    def _hand(self, entry: JournalEntry, message: AgentMessage) -> Hand:
        calls, store, claims = self._calls, self._store, self._claims
        return Hand(calls, store, claims, message.message_id, entry.conversation)

    async def _conclude(
        self,
        entry: JournalEntry,
        message: AgentMessage,
        limited: RateLimited | None = None,
    ) -> None:
        """Find out what became of a message that is not to be sent any more.

        Raises:
            Refusal: it is not all there; the sentence says what is, and why the rest is not.
        """
        plan = message.plan
        if plan is None:
            raise await self._explain_unplanned(limited) from limited
        given_up = give_up_on(plan, self._give_up_after_s, limited, self._clock())
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

    async def _explain_unplanned(self, limited: RateLimited | None) -> Refusal:
        """The refusal of a message of which nothing was begun."""
        given_up = give_up_on(None, self._give_up_after_s, limited, self._clock())
        return await explain_trouble(self._calls, given_up(0, 1))

    async def _confirm(
        self,
        entry: JournalEntry,
        message: AgentMessage,
        plan: Plan,
        written: tuple[PostReference, ...],
    ) -> None:
        receipts = make_receipt_items(message, "Delivered")
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
            items=receipts,
            references=kept.references,
            values=kept.values,
            posts=posts,
        )
        self._forget(message)
        self._context.succeeded()

    async def _refuse(self, entry: JournalEntry, message: AgentMessage, refusal: Refusal) -> None:
        receipts = make_receipt_items(message, "Failed", refusal.code, refusal.sentence)
        asked = refusal.reason is reasons.HELP
        outcome: Outcome = Done() if asked else Refused(refusal.code, refusal.why)
        hand = self._hand(entry, message)
        values = await remember_remains(hand, message.plan, refusal.done)
        await settle(self._store, self._context, entry, outcome, items=receipts, values=values)
        self._forget(message)
        if asked:
            self._context.succeeded()
            return
        self._context.skipped(refusal.code, message=entry.item_id)
        cause = refusal.__cause__
        if isinstance(cause, AuthRejected | RateLimited):
            self._context.failed(cause)
        if isinstance(cause, RateLimited) and not isinstance(cause, WritesSpent):
            await self._context.back_off(shorten(cause))

    def _forget(self, message: AgentMessage) -> None:
        """It does not come again, and what is to be known of it is in the store."""
        self._begun.discard(message.message_id)
        self._claims.close(message.message_id)

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

    def _is_in_time(self, entry: JournalEntry, error: RateLimited) -> bool:
        """Whether Bluesky will take it while it is still worth sending, as far as it says so."""
        return (error.after_s or 0.0) <= self._left_s(entry)


def _plan_of(message: AgentMessage) -> Plan:
    if message.plan is None:
        raise AssertionError("nothing is sent without a plan")
    return message.plan

"""BlueskySender: carries what agents write to Bluesky, once."""

from __future__ import annotations

import random
from typing import TypeAlias, assert_never

from actors.bluesky.attachments import UnfitAttachment
from actors.bluesky.calls import Calls, WritesSpent
from actors.bluesky.client import UploadingBluesky
from actors.bluesky.direct_messages import count_sent, send_parts
from actors.bluesky.media import Media
from actors.bluesky.plan_keeper import AlreadySettled, PlanKeeper
from actors.bluesky.records_writer import BlobGone, find_written, write_records
from actors.bluesky.refusals import Refusal, explain_direct_message, explain_record
from actors.items import make_receipt_items
from actors.messages import (
    AgentMessage,
    DirectMessagePlan,
    Done,
    JournalEntry,
    Plan,
    PostReference,
    RecordPlan,
    Refused,
    Retry,
    ThreadReference,
)
from actors.settlement import settle
from actors.store import Store
from actors.translation.plans import POST_COLLECTION
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Effect, Malformed, RateLimited, Rejected, Retryable
from runtime.rate import Budget

LOOK_AGAIN_AFTER_S = 5.0
"""After a lost answer: the request may still be under way, and looking too soon would miss it."""

LONGEST_BACK_OFF_S = 60.0
"""However long the platform wants to be left alone, messages that grow too old get a receipt."""

PLATFORM_AWAY = 2.0
"""After so many times ``give_up_after_s`` the agent is told even if the truth is not known."""

Trouble: TypeAlias = Retryable | Malformed | AuthRejected
"""What passes, by itself or by a person's doing, and does not condemn the message."""

References: TypeAlias = tuple[ThreadReference, ...]


class BlueskySender:
    """Sends agents' messages: replies with their images, direct messages, likes, reposts.

    Every message ends with one final receipt, those that go out as one post included.
    What is to be written is fixed in the journal before the first write, and each write is one that
    may be repeated, so whatever happens in between, handling the entry again goes on where it
    stopped.

    A message that could not be sent for ``give_up_after_s`` is given up. From then on nothing is
    written for it any more: the next handling only looks at how much of it is there, because an
    answer may have been lost, and the receipt says what is true. While even looking fails it
    waits; after twice the time the receipt says that nobody knows.

    Args:
        writes: what the account may write, in points, shared with whoever else writes.
        media: how files are dealt with.
        clock: unix time in seconds.
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
        give_up_after_s: float = 900.0,
    ) -> None:
        self._context = context
        self._calls = Calls(bluesky, context, writes)
        self._store = store
        self._plans = PlanKeeper(self._calls, store, media, clock)
        self._clock = clock
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
            if entry.attempts > 0 and self._age_s(entry) >= self._give_up_after_s:
                message = await self._plans.recall(entry, message)
                references = await self._conclude(entry, message.plan)
            else:
                message, again = await self._plans.fix(entry, message)
                references = await self._send(entry, message, again=again)
        except AlreadySettled:
            # The worker that had it crashed after that.
            return
        except UnfitAttachment as error:
            await self._refuse(entry, message, error.refusal)
        except Refusal as refusal:
            await self._refuse(entry, message, refusal)
        except Rejected as error:
            explain = explain_direct_message if message.channel == "private" else explain_record
            await self._refuse(entry, message, explain(error))
        except (Retryable, Malformed, AuthRejected) as error:
            await self._retry(entry, error)
        else:
            await self._confirm(entry, message, references)

    async def _send(self, entry: JournalEntry, message: AgentMessage, *, again: bool) -> References:
        match message.plan:
            case RecordPlan() as plan:
                return await self._refer(plan, await self._write(entry, message, plan))
            case DirectMessagePlan() as plan:
                sent = await count_sent(self._calls, plan) if again else 0
                await send_parts(self._calls, plan, sent)
                return ()
            case None:
                raise AssertionError("nothing is sent without a plan")
            case _:
                assert_never(message.plan)

    async def _write(
        self, entry: JournalEntry, message: AgentMessage, plan: RecordPlan
    ) -> tuple[PostReference, ...]:
        try:
            return await write_records(self._calls, plan)
        except BlobGone:
            plan = await self._plans.renew_blobs(entry, message, plan)
        try:
            return await write_records(self._calls, plan)
        except BlobGone as error:
            raise Retryable(f"what was just uploaded is not there: {error}") from error

    async def _conclude(self, entry: JournalEntry, plan: Plan | None) -> References:
        """Find out what became of a message that is too old to be sent."""
        minutes = f"{self._give_up_after_s / 60:g} minutes"
        if plan is None:
            raise _expired(0, 1, minutes)
        try:
            return await self._look_up(plan, minutes)
        except (Retryable, Malformed, Rejected, AuthRejected) as error:
            away = self._age_s(entry) >= PLATFORM_AWAY * self._give_up_after_s
            if not away and not isinstance(error, Rejected):
                raise
            raise Refusal(
                "GeneralError",
                "Bluesky stopped answering while this was sent, and whether it went out is not "
                "known. It will not be sent any more: look on Bluesky before you send it again.",
            ) from error

    async def _look_up(self, plan: Plan, minutes: str) -> References:
        match plan:
            case RecordPlan():
                written = await find_written(self._calls, plan)
                if len(written) < len(plan.writes):
                    raise _expired(len(written), len(plan.writes), minutes)
                return await self._refer(plan, written)
            case DirectMessagePlan():
                sent = await count_sent(self._calls, plan)
                if sent < len(plan.parts):
                    raise _expired(sent, len(plan.parts), minutes)
                return ()
            case _:
                assert_never(plan)

    async def _refer(self, plan: RecordPlan, written: tuple[PostReference, ...]) -> References:
        """What a reply to our own posts must name: they may be answered before they are shown."""
        did = await self._calls.did()
        references: list[ThreadReference] = []
        for write, post in zip(plan.writes, written, strict=True):
            if write.collection == POST_COLLECTION:
                root = write.record["reply"]["root"]
                references.append(
                    ThreadReference(post, PostReference(root["uri"], root["cid"]), did)
                )
        return tuple(references)

    async def _confirm(
        self, entry: JournalEntry, message: AgentMessage, references: References
    ) -> None:
        receipts = make_receipt_items(message, "Delivered")
        await settle(
            self._store, self._context, entry, Done(), items=receipts, references=references
        )
        self._context.succeeded()

    async def _refuse(self, entry: JournalEntry, message: AgentMessage, refusal: Refusal) -> None:
        receipts = make_receipt_items(message, "Failed", refusal.code, refusal.sentence)
        outcome = Refused(refusal.code, refusal.sentence)
        await settle(self._store, self._context, entry, outcome, items=receipts)
        self._context.skipped(refusal.code)
        if isinstance(refusal.__cause__, AuthRejected):
            self._context.failed(refusal.__cause__)

    async def _retry(self, entry: JournalEntry, error: Trouble) -> None:
        outcome = Retry(self._delay_s(entry, error), str(error))
        await settle(self._store, self._context, entry, outcome)
        self._context.failed(error)
        if not isinstance(error, WritesSpent):
            await self._context.back_off(_shortened(error))

    def _delay_s(self, entry: JournalEntry, error: Trouble) -> float:
        left_s = max(0.0, self._give_up_after_s - self._age_s(entry))
        if isinstance(error, AuthRejected):
            return max(1.0, min(LONGEST_BACK_OFF_S, left_s))
        delay_s = retry_delay_s(entry.attempts, self._context.rng)
        if isinstance(error, Malformed) or error.effect is Effect.UNKNOWN:
            delay_s = max(delay_s, LOOK_AGAIN_AFTER_S)
        asked_s = (error.after_s if isinstance(error, Retryable) else None) or 0.0
        return max(delay_s, min(asked_s, left_s))

    def _age_s(self, entry: JournalEntry) -> float:
        return self._clock() - entry.recorded_at


def retry_delay_s(attempts: int, rng: random.Random) -> float:
    """Seconds until the next attempt: anywhere from 1 to a cap that doubles up to a minute."""
    return rng.uniform(1.0, min(60.0, 2.0 ** min(attempts + 1, 6)))


def _expired(done: int, total: int, minutes: str) -> Refusal:
    if done:
        how_much = f"Only {done} of {total} parts went out; the rest was not posted and will not be"
    else:
        how_much = "It was not posted and will not be"
    return Refusal("MessageExpired", f"Bluesky did not take it within {minutes}. {how_much}.")


def _shortened(error: Trouble) -> Retryable | AuthRejected:
    """The trouble as the worker waits for it to pass. An answer of no sense is the server's."""
    if isinstance(error, Malformed):
        return Retryable(str(error))
    if isinstance(error, RateLimited) and (error.after_s or 0.0) > LONGEST_BACK_OFF_S:
        return RateLimited(str(error), after_s=LONGEST_BACK_OFF_S, action=error.action)
    return error

"""Fixing in the journal what is to be written, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from actors.bluesky.attachments import IMAGES_EMBED, UnfitAttachment, upload_images
from actors.bluesky.calls import Calls, until_answered
from actors.bluesky.cards import CARD_EMBED, without_picture
from actors.bluesky.media import Media
from actors.bluesky.planning import Rules, make_plan
from actors.bluesky.refusals import Refusal
from actors.bluesky.together import MOST_READ, find_together, is_waited_for
from actors.messages import AgentMessage, JournalEntry, Plan, RecordPlan
from actors.store import Store
from runtime.clock import WallClock
from runtime.errors import Retryable

Queue: TypeAlias = Sequence[JournalEntry]


class AlreadySettled(Exception):
    """This delivery was settled before: whatever is still to be done comes in another one."""


class PlanKeeper:
    """Makes plans and keeps them where they outlive everything: with their message.

    Args:
        calls: the network.
        store: the journal.
        media: how files are dealt with.
        clock: unix time in seconds.
        rules: what the administrator has decided.
    """

    def __init__(
        self, calls: Calls, store: Store, media: Media, clock: WallClock, rules: Rules
    ) -> None:
        self._calls = calls
        self._store = store
        self._media = media
        self._clock = clock
        self._rules = rules

    async def fix(self, entry: JournalEntry, message: AgentMessage) -> tuple[AgentMessage, bool]:
        """The message with its plan, and whether the plan had been made before.

        The message in hand when a worker crashed is delivered again as it first came, so the
        journal is asked first. If cancelled, the plan may be fixed: the next call finds it.

        Raises:
            AlreadySettled: there is nothing to be done.
            Refusal, UnfitAttachment: it is nothing that can be sent.
            Retryable, AuthRejected, Malformed: as the client says. Nothing was written.
        """
        queue = await self._read_queue(entry)
        if not queue:
            # The store lost it: it is seen through to its receipt.
            return (message, True) if message.plan else await self._fix(entry, message, ())
        recorded = _message_of(queue[0])
        if recorded.plan is not None:
            return recorded, True
        left_s = self._media.window_s - (self._clock() - entry.recorded_at)
        if left_s > 0 and is_waited_for(queue):
            # Another process may have recorded it, by a clock that is ahead.
            await self._calls.context.sleep(min(left_s, self._media.window_s))
            queue = await self._read_queue(entry) or queue
        return await self._fix(entry, recorded, find_together(queue, self._media.window_s))

    async def recall(self, entry: JournalEntry, message: AgentMessage) -> AgentMessage:
        """The message as the journal has it. If cancelled, nothing has happened.

        Raises:
            AlreadySettled: there is nothing to be done.
        """
        queue = await self._read_queue(entry)
        return _message_of(queue[0]) if queue else message

    async def renew_blobs(
        self, entry: JournalEntry, message: AgentMessage, plan: RecordPlan
    ) -> RecordPlan:
        """Upload again what the server has dropped, and fix the plan to what it is called now.

        The record that needs it is not written, so the plan may still change there. A card goes
        without its picture. If cancelled, the old plan or the new one is fixed.

        Raises:
            UnfitAttachment: a file cannot be had any more.
            Retryable, AuthRejected, Malformed: as the client says.
        """
        writes = []
        for write in plan.writes:
            embed = write.record.get("embed")
            if embed is not None and embed["$type"] == IMAGES_EMBED:
                embed = await upload_images(self._calls, self._media, message)
            elif embed is not None and embed["$type"] == CARD_EMBED:
                embed = without_picture(embed)
            record = write.record if embed is None else {**write.record, "embed": embed}
            writes.append(replace(write, record=record))
        renewed = replace(plan, writes=tuple(writes))
        if renewed != plan:
            await self._keep(entry, replace(message, plan=renewed), ())
        return renewed

    async def _fix(
        self, entry: JournalEntry, message: AgentMessage, together: Queue
    ) -> tuple[AgentMessage, bool]:
        """Make the plan for as many as fit; from the first that does not, each is on its own."""
        while True:
            joined = replace(message, together=tuple(map(_message_of, together)))
            try:
                plan = await self._make(entry, joined)
            except UnfitAttachment as error:
                if error.place == 0:
                    raise
                together = together[: error.place - 1]
            except Refusal:
                if not together:
                    raise
                # It may be the fault of one of those behind.
                together = ()
            else:
                planned = replace(joined, plan=plan)
                await self._keep(entry, planned, [one.entry_id for one in together])
                return planned, False

    async def _make(self, entry: JournalEntry, message: AgentMessage) -> Plan:
        calls, store, media, rules = self._calls, self._store, self._media, self._rules
        return await make_plan(calls, store, media, rules, entry, message, self._clock())

    async def _keep(
        self, entry: JournalEntry, message: AgentMessage, absorbed: Sequence[str]
    ) -> None:
        kept = await until_answered(
            self._calls.context, lambda: self._store.amend(entry, message, absorbed)
        )
        if absorbed and not kept:
            raise Retryable("the entry was settled meanwhile, and those behind it are on their own")

    async def _read_queue(self, entry: JournalEntry) -> Queue:
        """The entry and those behind it; nothing if the store does not know it at all."""
        context, store = self._calls.context, self._store
        queue = await until_answered(context, lambda: store.read_queue(entry.entry_id, MOST_READ))
        if not queue and not await until_answered(
            context, lambda: store.find_unseen([entry.item_id])
        ):
            raise AlreadySettled
        return queue


def _message_of(entry: JournalEntry) -> AgentMessage:
    if not isinstance(entry.payload, AgentMessage):
        raise TypeError(f"{type(entry.payload).__name__} is not for BlueskySender")
    return entry.payload

"""Tells each step of a message, once, as it happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from actors.dedup_store.answers import Result, read_new
from actors.dedup_store.codec import Head
from actors.dedup_store.in_hand import InHand
from actors.items import make_agent_id
from actors.messages import AgentMessage, Done, JournalEntry, JournalItem, Outcome, Refused, Retry
from actors.steps import Step, StepListener, StepName, describe, find_message
from actors.store import Amend, Record, Settle, StoreRequest
from actors.translation.times import find_time
from runtime.clock import WallClock


class Telling:
    """Makes steps of what the store answered.

    What was told of the entries in hand lies with them in the table, which outlives DedupStore's
    incarnations: so each delivery is closed once, also when the answer to its settling was lost
    and it is settled again. Of a recording whose answer was lost nothing is told; its delivery is.

    Args:
        told: hears of each step.
        in_hand: the table of entries with the actors.
        clock: unix time in seconds.
    """

    def __init__(self, told: StepListener, in_hand: InHand, clock: WallClock) -> None:
        self._told = told
        self._in_hand = in_hand
        self._clock = clock

    @contextmanager
    def under_way(self, requests: Sequence[StoreRequest], asked_at: float) -> Iterator[None]:
        """Around the question whether to record their items, to the end of dealing with it.

        Another unit may hear of an item's delivery before this one hears of its recording.
        """
        changes = (one for one in requests if isinstance(one, Record | Settle))
        item_ids = [item.item_id for change in changes for item in change.items]
        self._in_hand.under_way.begin(item_ids, asked_at)
        try:
            yield
        finally:
            self._in_hand.under_way.end(item_ids)

    def answered(self, request: StoreRequest, result: Result, asked_at: float) -> None:
        """The store has done what was asked at that time."""
        match request:
            case Record():
                self._record(read_new(request.items, result), asked_at)
            case Settle():
                self._close(request.entry_id, request.outcome)
                self._record(read_new(request.items, result[1:]), asked_at)
            case Amend() if result and isinstance(request.payload, AgentMessage):
                self._deliver_together(request.entry_id, request.payload)
            case _:
                pass

    def delivered(self, entry: JournalEntry) -> None:
        """An entry is in its actor's mailbox."""
        at, recorded_at = self._clock(), entry.recorded_at
        self._record((entry,), recorded_at)
        step = describe(entry, "delivered", at=at, recorded_at=recorded_at, attempts=entry.attempts)
        self._told(step)
        self._in_hand.note_steps(entry.entry_id, (step,))
        if isinstance(entry.payload, AgentMessage):
            self._deliver_together(entry.entry_id, entry.payload)

    def unreadable(self, head: Head) -> None:
        """An entry is in nobody's mailbox: it will be refused, or waits for its key."""
        step = Step(
            name="recorded",
            message=find_message(head.item_id),
            item_id=head.item_id,
            kind=head.find_text("kind") or "unknown",
            destination=head.entry_id.destination,
            conversation=head.entry_id.conversation,
            at=head.recorded_at,
            recorded_at=head.recorded_at,
            written_at=None,
            attempts=head.entry_id.attempts,
        )
        together = (make_agent_id(message_id) for message_id, _ in head.find_together())
        others = (dataclasses.replace(step, message=one, item_id=one) for one in together)
        self._in_hand.note_steps(str(head.entry_id), (step, *others))

    def _record(self, items: Iterable[JournalItem | JournalEntry], recorded_at: float) -> None:
        for item in items:
            if self._in_hand.under_way.tell(item.item_id, recorded_at):
                at = self._clock()
                self._told(describe(item, "recorded", at=at, recorded_at=recorded_at))

    def _deliver_together(self, entry_id: str, payload: AgentMessage) -> None:
        """What goes out together with an entry has the same steps as that from now on."""
        steps = self._in_hand.steps(entry_id)
        told = {step.item_id for step in steps}
        for one in payload.together:
            item_id = make_agent_id(one.message_id)
            if not steps or item_id in told:
                continue
            step = dataclasses.replace(
                steps[0],
                message=item_id,
                item_id=item_id,
                at=self._clock(),
                written_at=find_time(one.sent_at),
            )
            self._told(step)
            self._in_hand.note_steps(entry_id, (step,))

    def _close(self, entry_id: str, outcome: Outcome) -> None:
        name: StepName = "done"
        code = why = None
        match outcome:
            case Done():
                pass
            case Retry():
                name, why = "retried", outcome.why
            case Refused():
                name, code, why = "refused", outcome.code, outcome.why
        for step in self._in_hand.take_steps(entry_id):
            at = self._clock()
            self._told(dataclasses.replace(step, name=name, at=at, code=code, why=why))

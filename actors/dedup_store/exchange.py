"""One round trip: what is asked goes out together, what comes back is given to whom it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from actors.dead_letters import DropLetter, ReplayLetter
from actors.dedup_store.answers import Delivery, Result, answer, read_delivery
from actors.dedup_store.codec import EntryId, Head
from actors.dedup_store.commands import Command, Commands, Wanted
from actors.dedup_store.database import Database
from actors.dedup_store.gauge import StoreGauge
from actors.dedup_store.in_hand import InHand, Route
from actors.dedup_store.keys import KEY_AWAITED_S
from actors.dedup_store.lease import Lease
from actors.dedup_store.sealing import KeyMissing
from actors.dedup_store.telling import Telling
from actors.items import make_failure, read_agent_id
from actors.messages import Destination, JournalItem, Refused, Retry
from actors.reasons import OTHER_RELEASE
from actors.steps import StepListener
from actors.store import Amend, Deposed, FindUnseen, Record, Settle, StoreRequest, StoreUnavailable
from runtime.clock import WallClock
from runtime.errors import Fault, Malformed, Rejected

_FORGET_EVERY_S = 3600.0
_LOOK_AGAIN_S = 1.0
_KEY_AGAIN_S = 60.0


@dataclass(slots=True)
class Report:
    """What became of a round trip.

    ``trouble`` says that the store is away. ``faults`` are what else went wrong: requests that
    can never be accepted, entries that cannot be read.
    """

    answered: int = 0
    trouble: StoreUnavailable | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Call:
    request: StoreRequest
    command: Command


class Exchange:
    """Makes round trips for one incarnation of DedupStore.

    Args:
        database: where the store is.
        commands: the namespace.
        routes: where entries go. Those for other destinations stay in the journal.
        in_hand: what is with the actors.
        gauge: told how the store is doing.
        clock: unix time in seconds.
        told: hears of each step of a message.
        lease: what the leader alone may do is done only while it is held; ``None`` if there is
            no leader, and everybody may do everything.
    """

    def __init__(
        self,
        database: Database,
        commands: Commands,
        routes: Mapping[Destination, Route],
        in_hand: InHand,
        gauge: StoreGauge,
        clock: WallClock,
        told: StepListener,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._commands = commands
        self._routes = routes
        self._in_hand = in_hand
        self._gauge = gauge
        self._clock = clock
        self._lease = lease
        self._telling = Telling(told, in_hand, clock)
        self._forgot_at = float("-inf")

    async def ask(self, requests: Sequence[StoreRequest]) -> Report:
        """Ask what actors want to know. What that makes room for is handed over, too.

        If cancelled before it is sent, nothing is answered; once sent, it is dealt with to the
        end.
        """
        if not any(map(_changes_journal, requests)):
            return await self._ask(requests, None)
        return await self.deliver(requests)

    async def deliver(self, requests: Sequence[StoreRequest] = ()) -> Report:
        """The same, and hand over what can be handed over, if that is for us to do.

        Cancelled: as :meth:`ask`.
        """
        if self._lease is not None and not self._lease.duty.is_on:
            return await self._ask(requests, None)
        if not self._in_hand.begin_asking():
            try:
                return await self._ask(requests, None)
            finally:
                self._in_hand.want()
        done = False
        try:
            own = self._in_hand.unfit
            both = [*own, *requests]
            settling = {one.entry_id for one in both if isinstance(one, Settle)}
            report = await self._ask(both, self._in_hand.find_room(self._routes, settling))
            done = report.trouble is None
            return report
        finally:
            self._in_hand.end_asking(done=done)

    def forget_counts(self) -> None:
        """Say nothing more of what the journal holds: the leader alone counts it."""
        self._gauge.note_counts(0, None, 0)

    async def ask_one(self, command: Command) -> Result:
        """Send a command of our own. If cancelled before it is sent, nothing was asked.

        Raises:
            StoreUnavailable: there was no answer, or the store is of no use.
        """
        report = Report()
        results = await self._execute([command], own_from=0)
        self._note(results, report)
        if isinstance(results[0], StoreUnavailable):
            raise results[0]
        return results[0]

    async def _ask(
        self, requests: Sequence[StoreRequest], wanted: Sequence[Wanted] | None
    ) -> Report:
        now = self._clock()
        token = "" if self._lease is None else self._lease.token
        term = None if self._lease is None else self._lease.duty.term
        report = Report()
        calls = self._prepare(requests, now, token, report)
        commands = [call.command for call in calls]
        if wanted is not None:
            commands.append(self._commands.deliver(wanted, now, token))
        if commands and not self._gauge.is_available:
            commands.append(self._commands.probe(now))
        if not commands:
            return report
        with self._telling.under_way(requests, now):
            results = await self._execute(commands, own_from=len(calls))
            # From here to the end nothing waits: an answer is dealt with whole, or not at all.
            if any(isinstance(result, Deposed) for result in results) and self._lease is not None:
                self._lease.lose(token)
            self._note(results, report)
            for call, result in zip(calls, results, strict=False):
                self._finish(call.request, result, now, report)
            if wanted is not None and not isinstance(results[len(calls)], Fault):
                self._hand_over(read_delivery(wanted, results[len(calls)]), now, term, report)
            return report

    async def _execute(self, commands: Sequence[Command], own_from: int) -> list[Result]:
        """Send the commands. Those from ``own_from`` on are our own: no asker hears of theirs."""
        try:
            results = await self._database.execute(commands)
        except StoreUnavailable as error:
            return [error] * len(commands)
        for at in range(own_from, len(results)):
            if isinstance(results[at], Rejected):
                results[at] = StoreUnavailable(str(results[at]))
        return results

    def _prepare(
        self, requests: Sequence[StoreRequest], now: float, token: str, report: Report
    ) -> list[_Call]:
        calls = []
        for request in requests:
            if not self._may_be_done(request):
                request.reply.fail(Deposed("this process is not the leader any more"))
                continue
            if isinstance(request, FindUnseen) and not request.item_ids:
                request.reply.answer(frozenset())
                continue
            forget_old = isinstance(request, Record) and now - self._forgot_at >= _FORGET_EVERY_S
            try:
                command = self._commands.make(request, now, token=token, forget_old=forget_old)
            except Malformed as error:
                report.faults.append(error)
                request.reply.fail(error)
                continue
            self._forgot_at = now if forget_old else self._forgot_at
            calls.append(_Call(request, command))
        return calls

    def _may_be_done(self, request: StoreRequest) -> bool:
        match request:
            case Record() | Settle() | Amend():
                return self._lease is None or self._lease.holds(request.term)
            case _:
                return True

    def _note(self, results: Sequence[Result], report: Report) -> None:
        away = (one for one in results if isinstance(one, StoreUnavailable))
        report.trouble = next(away, None)
        was_available = self._gauge.is_available
        if report.trouble is not None:
            self._gauge.note_unavailable(str(report.trouble))
            if was_available:
                self._in_hand.want()
        else:
            self._gauge.note_available()
            if not was_available:
                self._in_hand.note_recovery()

    def _finish(
        self, request: StoreRequest, result: Result, asked_at: float, report: Report
    ) -> None:
        match result:
            case StoreUnavailable():
                # A copy for each asker: raising one writes to it.
                copy = StoreUnavailable(str(result), effect=result.effect, action=result.action)
                request.reply.fail(copy)
            case Deposed():
                request.reply.fail(Deposed(str(result)))
            case Fault():
                report.faults.append(result)
                request.reply.fail(result)
            case _:
                report.answered += 1
                if isinstance(request, Settle):
                    self._in_hand.release(EntryId.parse(request.entry_id))
                answer(request, result, self._commands.sealer)
                self._telling.answered(request, result, asked_at)

    def _hand_over(self, delivery: Delivery, now: float, term: int | None, report: Report) -> None:
        if self._lease is not None and not self._lease.holds(term):
            # It was asked for on a duty that has ended meanwhile.
            self._in_hand.want()
            return
        for destination, due in delivery.next_due.items():
            self._in_hand.note_due(destination, due)
        self._gauge.note_counts(delivery.depth, delivery.oldest_recorded_at, delivery.dead_letters)
        for head in delivery.heads:
            if not self._in_hand.take(head.entry_id):
                continue
            try:
                head = head.unseal(self._commands.sealer)
                entry = head.open()
            except (KeyMissing, Malformed) as error:
                report.faults.append(error)
                self._in_hand.settle_soon(_put_aside(head, error, now, term))
                self._telling.unreadable(head)
                continue
            if not self._routes[entry.destination].mailbox.offer(entry):
                # Somebody else filled the mailbox. The entry still heads its queue.
                self._in_hand.release(head.entry_id)
                self._in_hand.note_due(entry.destination, now + _LOOK_AGAIN_S)
                continue
            self._telling.delivered(entry)


def _put_aside(head: Head, error: Fault, now: float, term: int | None) -> Settle:
    """What becomes of an entry that cannot be handed over.

    What lacks a key waits for it: with the key it is carried, in its order and with its receipt.
    """
    if isinstance(error, KeyMissing) and now - head.recorded_at < KEY_AWAITED_S:
        return Settle(str(head.entry_id), Retry(_KEY_AGAIN_S, str(error)), term=term)
    refusal = Refused("Unreadable", str(error), tries=0)
    return Settle(str(head.entry_id), refusal, _tell_agent(head), term=term)


def _tell_agent(head: Head) -> tuple[JournalItem, ...]:
    """The receipts for an agent whose message this release cannot read, if it is for anybody.

    One for each message that the entry answers for.
    """
    recipient = head.find_text("recipient_did")
    if head.entry_id.destination is not Destination.BLUESKY_SENDER or recipient is None:
        return ()
    told = ((read_agent_id(head.item_id), recipient), *head.find_together())
    code, sentence = OTHER_RELEASE.code, OTHER_RELEASE.sentence
    return tuple(make_failure(message_id, did, code, sentence) for message_id, did in told)


def _changes_journal(request: StoreRequest) -> bool:
    match request:
        case Settle() | ReplayLetter() | DropLetter():
            return True
        case Record():
            return bool(request.items or request.dead_letters)
        case _:
            return False

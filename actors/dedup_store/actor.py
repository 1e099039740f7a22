"""DedupStore: the memory of all actors, and the hand-over of what waits in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio

from actors.dedup_store.commands import Commands
from actors.dedup_store.database import Database
from actors.dedup_store.exchange import Exchange, Report
from actors.dedup_store.gauge import StoreGauge
from actors.dedup_store.in_hand import InHand, Route
from actors.dedup_store.kept_pauses import KeptPauses
from actors.dedup_store.lease import Lease
from actors.dedup_store.lease_keeper import LeaseKeeper
from actors.dedup_store.sealing import KeyMissing
from actors.messages import Destination
from actors.steps import StepListener
from actors.store import StoreRequest, StoreUnavailable
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.duty import Duty
from runtime.errors import Rejected
from runtime.failures import judge
from runtime.pause import Pauses

_LONGEST_SLEEP_S = 3600.0
_LISTEN_AGAIN_S = 5.0


class DedupStore:
    """Answers what the actors ask of the store, and hands the journal's entries to them.

    ``run`` and the workers of ``handle_batch`` are units of one actor, each with an object of its
    own; they share nothing but what is passed in. All requests taken together share one round
    trip, and what their settling makes room for comes back with it.

    Args:
        context: the unit's context. Its rate counts round trips.
        database: where the store is.
        commands: the namespace.
        routes: where entries go. Those for other destinations stay in the journal.
        in_hand: shared by all units; outlives this object.
        gauge: told how the store is doing; outlives this object, too.
        clock: unix time in seconds.
        log: told who leads.
        told: hears of each step of a message.
        lease: this process's part in who leads; outlives this object. ``None`` if it takes no
            part: then it may do what the leader may not forbid, and hands over at any time.
        pauses: follow what the store has, if the process takes part in the lease.
    """

    def __init__(
        self,
        context: Context,
        *,
        database: Database,
        commands: Commands,
        routes: Mapping[Destination, Route],
        in_hand: InHand,
        gauge: StoreGauge,
        clock: WallClock,
        log: EventLog,
        told: StepListener,
        lease: Lease | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self._context = context
        self._database = database
        self._commands = commands
        self._routes = routes
        self._in_hand = in_hand
        self._clock = clock
        self._log = log
        self._lease = lease
        self._exchange = Exchange(database, commands, routes, in_hand, gauge, clock, told, lease)
        self._pauses = KeptPauses(self._exchange, commands, pauses or Pauses(), context.sleep)

    async def handle_batch(self, messages: Sequence[StoreRequest]) -> None:
        """Answer all of these, in one round trip.

        Each request gets its answer or its error; a store that is away is no crash. If cancelled
        before the round trip, nothing was asked and nothing is answered; once sent, it is dealt
        with to the end.
        """
        await self._context.acquire()
        report = await self._exchange.ask(messages)
        if report.trouble is not None:
            self._context.failed(report.trouble)
        self._tell(report)

    async def run(self) -> None:
        """Lead if nobody else does, and hand over what no commit has handed over.

        That is: when the duty begins, when something is due, after an outage, and when another
        process has recorded something. Sends nothing while there is nothing to hand over, but for
        the lease. If cancelled, what was handed over stays in hand.
        """
        if self._lease is None:
            await self._dispatch()
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._make_keeper(self._lease).run)
            nursery.start_soon(self._pauses.run)
            nursery.start_soon(self._listen, self._lease)
            nursery.start_soon(self._dispatch_on_duty, self._lease.duty)

    def _make_keeper(self, lease: Lease) -> LeaseKeeper:
        return LeaseKeeper(
            self._context,
            exchange=self._exchange,
            commands=self._commands,
            lease=lease,
            in_hand=self._in_hand,
            routes=self._routes.values(),
            clock=self._clock,
            log=self._log,
            pauses=self._pauses,
        )

    async def _listen(self, lease: Lease) -> None:
        """Hear what other processes do. It only saves time: who missed it sees it at the lease."""

        def hear(text: str) -> None:
            lease.is_heard = True
            if text in {"", "paused"}:
                # What was said before is not heard.
                self._pauses.want()
            if text == "paused":
                return
            if text == "recorded" and lease.duty.is_on:
                self._in_hand.want()
            else:
                lease.ring()

        while True:
            try:
                await self._database.listen(self._commands.bell, hear)
                await trio.sleep_forever()
            except StoreUnavailable as error:
                if lease.is_heard:
                    self._log.warning("cannot hear other processes", reason=str(error))
                lease.is_heard = False
                await self._context.sleep(_LISTEN_AGAIN_S)

    async def _dispatch_on_duty(self, duty: Duty) -> None:
        while True:
            await duty.wait_on()
            with duty.scope():
                await self._dispatch()

    async def _dispatch(self) -> None:
        # The one before may have crashed on the way.
        self._in_hand.want()
        while True:
            await self._wait_until_wanted()
            await self._context.acquire()
            report = await self._exchange.deliver()
            self._tell(report)
            if report.trouble is not None:
                await self._in_hand.wait_patiently(self._context.back_off, report.trouble)

    async def _wait_until_wanted(self) -> None:
        while self._in_hand.is_asking or not self._in_hand.is_wanted:
            delay_s = _LONGEST_SLEEP_S
            due = self._in_hand.next_due(self._routes)
            if due is not None and not self._in_hand.is_asking:
                delay_s = min(delay_s, due - self._clock())
            if delay_s <= 0:
                return
            await self._in_hand.wait(self._context.sleep, delay_s)

    def _tell(self, report: Report) -> None:
        for fault in report.faults:
            self._context.failed(fault)
            if isinstance(fault, KeyMissing):
                self._log.warning("an entry waits", reason=str(fault), action=fault.action)
        if report.trouble is None:
            self._context.succeeded(report.answered)


async def refuse_poison(request: StoreRequest, attempts: int, error: Exception) -> None:
    """Answer a request that crashed DedupStore ``attempts`` times: it will never be accepted."""
    last = judge(error)
    why = f"crashed DedupStore {attempts} times, last with {last.type}: {last.message}"
    request.reply.fail(Rejected("Poisonous", why))

"""Takes the lease when it is to be had, renews it, and steps down when it is lost."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import trio

from actors.dedup_store.answers import Claim, Result, read_age, read_claim
from actors.dedup_store.commands import Commands
from actors.dedup_store.database import Database
from actors.dedup_store.exchange import Exchange
from actors.dedup_store.in_hand import InHand, Route
from actors.dedup_store.kept_pauses import KeptPauses
from actors.dedup_store.lease import Lease
from actors.store import StoreUnavailable
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.context import EventLog
from runtime.errors import Fault


class LeaseKeeper:
    """Keeps one process's part in the lease, for one incarnation of DedupStore.

    It never tries to lead before all that was done on the duty before has ended, and nothing of it
    is in hand.

    Args:
        context: of DedupStore's ``run``.
        exchange: asks the store.
        commands: the namespace.
        lease: what is kept.
        in_hand: what was handed over on the duty before is forgotten here.
        routes: their mailboxes are emptied with it.
        clock: unix time in seconds.
        log: told who leads.
        pauses: read before this process leads, and when another one has changed something.
    """

    def __init__(
        self,
        context: Context,
        *,
        exchange: Exchange,
        commands: Commands,
        lease: Lease,
        in_hand: InHand,
        routes: Iterable[Route],
        clock: WallClock,
        log: EventLog,
        pauses: KeptPauses,
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._commands = commands
        self._lease = lease
        self._times = lease.times
        self._in_hand = in_hand
        self._routes = tuple(routes)
        self._clock = clock
        self._log = log
        self._pauses = pauses

    async def run(self) -> None:
        """Keep at it for ever. If cancelled, a lease that is held lasts until its time is up."""
        while True:
            if not self._lease.duty.is_on:
                await self._make_way()
                await self._take()
            await self._hold()
            self._log.warning("not the leader any more")

    async def _make_way(self) -> None:
        """Wait until nobody acts on the duty before, and take back what is in hand."""
        self._lease.duty.end()
        await self._lease.duty.wait_vacated()
        for route in self._routes:
            while route.mailbox.receive_nowait() is not None:
                pass
        self._in_hand.reset()

    async def _take(self) -> None:
        told = False
        while True:
            try:
                await self._pauses.read()
                claim = await self._claim()
                if claim.holder is None:
                    self._log.info("leading", lease_was_renewed_s_ago=claim.age_s)
                    return
                self._exchange.forget_counts()
                if not told:
                    self._log.info("standing by: another process leads")
                    told = True
                await self._wait_for_end(claim.holder, claim.age_s or 0.0)
            except StoreUnavailable as error:
                await self._context.back_off(error)

    async def _claim(self) -> Claim:
        token, asked_at = secrets.token_hex(8), trio.current_time()
        command = self._commands.lead(token, self._clock(), lasts_s=self._lease.lasts_s)
        claim = read_claim(await self._exchange.ask_one(command))
        self._lease.note_known()
        if claim.holder is None:
            self._lease.take(token, asked_at + self._times.lasts_s)
        self._context.succeeded(0)
        return claim

    async def _wait_for_end(self, holder: str, age_s: float) -> None:
        """Return when that lease may be to be had: it is too old, or gone."""
        age: float | None = age_s
        while age is not None and age < self._times.lasts_s:
            left_s = self._times.lasts_s - age
            if not self._lease.is_heard:
                left_s = min(left_s, self._times.look_every_s)
                self._pauses.want()
            await self._lease.wait(self._context.sleep, left_s)
            age = read_age(await self._exchange.ask_one(self._commands.look_at(holder)))
            self._context.succeeded(0)

    async def _hold(self) -> None:
        """Renew the lease until it is lost, or could not be renewed in time."""
        duty, token = self._lease.duty, self._lease.token
        known = "0"
        # What changed between reading them and leading nobody tells who hears nothing.
        self._pauses.want()
        with duty.scope():
            while True:
                self._in_hand.want()
                recorded = known
                while recorded == known:
                    await self._context.sleep(self._times.renew_every_s)
                    asked_at = trio.current_time()
                    recorded = await self._renew(token)
                    if recorded is None:
                        self._lease.lose(token)
                    else:
                        duty.extend(asked_at + self._times.lasts_s)
                # Another process has recorded something, or paused an actor.
                known = recorded
                self._pauses.want()

    async def _renew(self, token: str) -> Result:
        while True:
            try:
                return await self._exchange.ask_one(self._commands.renew(token))
            except StoreUnavailable:
                # The dispatcher, or whoever asks for something, tells of it.
                await self._context.sleep(self._times.try_again_s)


async def give_up_lease(
    lease: Lease, database: Database, commands: Commands, clock: WallClock, log: EventLog
) -> None:
    """Let the next process lead at once. Nobody may act on the duty any more.

    If it cannot be given up, the next one waits until its time is up.
    """
    token = lease.token
    lease.duty.end()
    if token:
        try:
            (result,) = await database.execute([commands.hand_over(token, clock())])
        except StoreUnavailable as error:
            result = error
        if isinstance(result, Fault):
            log.warning("the lease could not be given up", reason=str(result))

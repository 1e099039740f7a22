"""One supervised unit of an actor: a ``run``, or one worker on the mailbox.

Each incarnation is a fresh object. Everything that must survive its crash lives here or in
:class:`runtime.context.Shared`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import trio

from runtime.actor import Runs
from runtime.context import Shared, UnitContext
from runtime.failures import CoveredUp, ReturnedEarly, Verdict, judge, leaves
from runtime.slot import Parcel
from runtime.statistics import UnitStatistics
from runtime.worker import Closing, Worker, find_handling


class Unit:
    """Keeps one unit alive until it is told to finish.

    Args:
        name: ``run``, or ``worker-1`` and so on.
        shared: what belongs to the actor.
        rng: the unit's own source of jitter.
        works: whether it works on the mailbox; otherwise it runs by itself.
        on_created: told of every incarnation.
    """

    def __init__(
        self,
        name: str,
        shared: Shared,
        rng: random.Random,
        *,
        works: bool,
        on_created: Callable[[object], None],
    ) -> None:
        self.context = UnitContext(name, shared, rng)
        self._shared = shared
        self._on_created = on_created
        self._closing = Closing()
        self._worker = self._make_worker() if works else None
        if self._worker is not None:
            slot = self._worker.slot
            self.context.in_hand = lambda: slot.handed_out
        self._life = trio.CancelScope()
        self._incarnation: object = None
        self._not_created: Exception | None = None
        self._told_stuck = False
        self._crashed = False
        self._cut_off = False

    @property
    def name(self) -> str:
        """The unit's name."""
        return self.context.unit

    @property
    def is_busy(self) -> bool:
        """Whether it has something in hand."""
        return bool(self._worker.slot) if self._worker else self.context.deadline.runs

    def begin(self) -> None:
        """Create the next incarnation, at once. An error in there is judged like any crash."""
        self.context.condition.begin(trio.current_time())
        if self._crashed:
            self._shared.counters.restarts += 1
        try:
            self._incarnation = self._shared.spec.create(self.context)
        except Exception as error:  # noqa: BLE001 - decided upon where all errors are
            self._not_created = error
            return
        # That all begin is no news: only beginning anew is.
        first = self.context.condition.incarnation == 1
        tell = self._shared.log.debug if first else self._shared.log.info
        tell("actor started", **self.context.event_fields())
        self.context.recover()
        self._on_created(self._incarnation)

    async def supervise(self) -> None:
        """Live, and after each failure or pause wait and live again, until :meth:`finish`.

        If cancelled from outside, it ends and no incarnation follows.
        """
        try:
            with self._life:
                if self._may_be_held:
                    await self._hold()
                while not self._closing.asked:
                    delay_s = await self._live()
                    if delay_s is not None:
                        await self._rest(delay_s)
                    elif self._cut_off:
                        await self._hold()
                        self._begin_after_pause()
                    else:
                        break
        finally:
            self.context.condition.stop()
            in_hand = 0 if self._worker is None else len(self._worker.slot)
            # Nothing in hand is as it should be, and there are dozens of these.
            tell = self._shared.log.info if in_hand else self._shared.log.debug
            tell("actor stopped", **self.context.event_fields(), in_hand=in_hand)

    def finish(self) -> None:
        """Take nothing new. A worker ends with what it has in hand, a ``run`` is cancelled."""
        self._closing.ask()
        if self._worker is None:
            self._life.cancel()

    def cancel(self) -> None:
        """End now, whatever is in hand."""
        self._closing.ask()
        self._life.cancel()

    def statistics(self) -> UnitStatistics:
        """Read without I/O or waiting."""
        condition, now = self.context.condition, trio.current_time()
        stuck = self.context.deadline.passed
        resumes_at = condition.resumes_at
        return UnitStatistics(
            name=self.name,
            state=condition.state(now, stuck=stuck),
            incarnation=condition.incarnation,
            wait_s=None if resumes_at is None else max(0.0, resumes_at - now),
        )

    def tell_if_stuck(self) -> None:
        """Log, once, that the deadline has passed and the unit does not end."""
        stuck = self.context.deadline.passed
        if stuck and not self._told_stuck:
            self._shared.log.error("actor stuck", **self.context.event_fields())
        self._told_stuck = stuck

    def _make_worker(self) -> Worker[Any]:
        spec = self._shared.spec
        if spec.mailbox is None or spec.on_poison is None:
            raise ValueError(f"{spec.name}: workers need a mailbox and on_poison")
        return Worker(
            spec.mailbox,
            on_poison=spec.on_poison,
            poison_after=self._shared.policy.poison_after,
            deadline=self.context.deadline,
            closing=self._closing,
            pause=self._shared.spec.pause,
            turn=self._shared.turn,
        )

    async def _live(self) -> float | None:
        """Run one incarnation. Returns how long to wait before the next; ``None`` if it ends."""
        covered = CoveredUp()
        try:
            with covered:
                await self._work()
        except Exception as error:  # noqa: BLE001 - this is where every error is decided upon
            return self._decide(error)
        except BaseExceptionGroup as group:
            # Errors together with Cancelled, or with worse: that goes on, the errors are told.
            errors, others = group.split(Exception)
            if errors is not None:
                self.context.tell_while_ending(judge(errors))
            raise (others or group) from None
        finally:
            if covered.error is not None:
                self.context.tell_while_ending(judge(covered.error))
        return None

    async def _work(self) -> None:
        if self._not_created is not None:
            error, self._not_created = self._not_created, None
            raise error
        actor = self._incarnation
        if self._worker is not None:
            handling = find_handling(actor, self._shared.spec.batch)
            if handling is None:
                raise TypeError(f"{self._shared.spec.name} has a mailbox, but no handle()")
            while not self._closing.asked:
                if self._may_be_held:
                    await self._hold()
                    continue
                given_up = await self._worker.work(handling)
                self.context.condition.settle(in_hand=bool(self._worker.slot))
                self.context.recover()
                if given_up is not None:
                    self._tell_given_up(given_up)
            return
        if not isinstance(actor, Runs):
            raise TypeError(f"{self._shared.spec.name} has neither a mailbox nor run()")
        await self._run(actor)
        if not self._closing.asked and not self._cut_off:
            raise ReturnedEarly("run() returned although nobody asked")

    async def _run(self, actor: Runs) -> None:
        """Let it run until a pause cuts it off, which is as harmless as any cancellation."""
        self._cut_off = False
        with self._shared.spec.pause.interrupts() as scope:
            try:
                with self.context.deadline.guard():
                    await actor.run()
            finally:
                self._cut_off = scope.cancel_called

    @property
    def _may_be_held(self) -> bool:
        """Whether there is a pause, and nothing in hand that is to be finished first."""
        return self._shared.spec.pause.is_on and not (self._worker and self._worker.slot)

    async def _hold(self) -> None:
        """Wait until the pause is over, or until asked to finish."""
        condition = self.context.condition
        condition.hold()
        self._shared.log.info("actor paused", **self.context.event_fields())
        with self._closing.interrupts():
            await self._shared.spec.pause.wait_over()
        condition.resume(trio.current_time())
        self._shared.log.info("actor resumed", **self.context.event_fields())

    def _begin_after_pause(self) -> None:
        self._cut_off = self._crashed = False
        if not self._closing.asked:
            self.begin()

    def _decide(self, error: Exception) -> float | None:
        failure = judge(error)
        # An actor may make an error of its cancellation. Nothing follows from such an error.
        ending = self._closing.asked or self._cut_off
        if ending or trio.current_effective_deadline() == -math.inf:
            self.context.tell_while_ending(failure)
            return None
        found = leaves(error)
        messages = self.context.in_hand()
        self._crashed = failure.verdict is Verdict.CRASH
        in_hand = False
        if self._worker is not None:
            cause = found[0] if len(found) == 1 else error
            self._worker.slot.take_back(cause if self._crashed else None)
            in_hand = bool(self._worker.slot)
        delay_s = self.context.condition.fail(failure, trio.current_time(), in_hand=in_hand)
        self.context.tell(failure, delay_s, messages)
        return delay_s

    async def _rest(self, delay_s: float) -> None:
        with self._closing.interrupts():
            if self._worker and self._worker.slot:
                await trio.sleep(delay_s)
            else:
                with self._shared.spec.pause.interrupts():
                    await trio.sleep(delay_s)
        if self._may_be_held and not self._closing.asked:
            await self._hold()
        if not self._closing.asked:
            self.begin()

    def _tell_given_up(self, parcel: Parcel[Any]) -> None:
        self._shared.counters.failed += 1
        fields = {**self.context.event_fields(), **self.context.name_messages((parcel.message,))}
        self._shared.log.error("message given up", **fields, attempts=parcel.attempts)

"""What the runtime offers to one unit of an actor: its rate, its deadline, its counters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import trio

from runtime.actor import ActorSpec
from runtime.backoff import RestartPolicy
from runtime.condition import Condition, CrashWindow
from runtime.failures import CoveredUp, Failure, Stuck, Verdict, judge
from runtime.rate import TokenBucket
from runtime.statistics import Counters

_MOST_NAMES = 10


class EventLog(Protocol):
    """Where transitions are told, one structured event each; a structlog logger fits."""

    def debug(self, event: str, **fields: object) -> object:
        """Tell of a detail that matters to whoever looks for it."""

    def info(self, event: str, **fields: object) -> object:
        """Tell of something that is as it should be."""

    def warning(self, event: str, **fields: object) -> object:
        """Tell of trouble that mends itself."""

    def error(self, event: str, **fields: object) -> object:
        """Tell of a defect, or of something that a person should see to."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the units of one actor have in common. The supervisor's: it outlives every crash.

    ``turn`` is held by the worker that waits for a batch.
    """

    spec: ActorSpec[Any]
    policy: RestartPolicy
    counters: Counters
    bucket: TokenBucket
    crashes: CrashWindow
    log: EventLog
    contexts: list[UnitContext] = field(default_factory=list)
    turn: trio.Lock = field(default_factory=trio.Lock)


class Deadline:
    """How long a unit may go without a sign of life.

    Args:
        limit_s: seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._scope: trio.CancelScope | None = None
        self._idle = 0

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed and what it guards has not ended yet."""
        return self._scope is not None and self._scope.cancel_called

    @property
    def runs(self) -> bool:
        """Whether something is guarded and not idle."""
        return self._scope is not None and self._idle == 0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Cancel the block when the deadline passes.

        Raises:
            Stuck: the deadline passed, and the block was cancelled.
        """
        covered = CoveredUp()
        self._idle = 0
        try:
            end = trio.current_time() + self._limit_s
            with trio.CancelScope(deadline=end) as self._scope, covered:
                yield
        finally:
            scope, self._scope = self._scope, None
        if scope is not None and scope.cancelled_caught:
            reason = f"no sign of life for {self._limit_s:g} s"
            if covered.error is not None:
                reason += f", while dealing with {judge(covered.error).type}"
            raise Stuck(reason)

    def restart(self) -> None:
        """There was a sign of life: the whole time is left again."""
        if self._scope is not None and self._idle == 0:
            self._scope.deadline = trio.current_time() + self._limit_s

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Let the deadline not run meanwhile. May be entered by several tasks of the unit."""
        self._idle += 1
        if self._scope is not None:
            self._scope.deadline = float("inf")
        try:
            yield
        finally:
            self._idle -= 1
            self.restart()


class UnitContext:
    """Fulfils :class:`runtime.actor.Context` for one unit, over all its incarnations.

    Args:
        unit: the unit's name, for logs.
        shared: what belongs to the actor.
        rng: the unit's own source of jitter.

    Attributes:
        in_hand: the messages that the unit is dealing with.
    """

    def __init__(self, unit: str, shared: Shared, rng: random.Random) -> None:
        self.unit = unit
        self.condition = Condition(shared.policy, shared.crashes, rng)
        self.deadline = Deadline(shared.spec.deadline_s)
        self._shared = shared
        self._rng = rng
        self.in_hand: Callable[[], Sequence[object]] = tuple
        shared.contexts.append(self)

    @property
    def name(self) -> str:
        """The actor's name."""
        return self._shared.spec.name

    @property
    def concurrency(self) -> int:
        """How many things the actor may do at once."""
        return self._shared.spec.concurrency

    @property
    def rng(self) -> random.Random:
        """The source of jitter."""
        return self._rng

    async def acquire(self, cost: int = 1) -> None:
        """Wait for the actor's own rate. The deadline does not run meanwhile.

        If cancelled, nothing was taken.
        """
        with self.deadline.idle():
            await self._shared.bucket.acquire(cost)

    def spare(self) -> float:
        """The share of the actor's own rate that is left now, from 0 to 1."""
        return self._shared.bucket.spare()

    def progress(self) -> None:
        """Start the deadline anew."""
        self.deadline.restart()

    def succeeded(self, count: int = 1) -> None:
        """Count things done, forget earlier failures, and start the deadline anew.

        A sibling's trouble that is disproved by it ends as well.
        """
        self._shared.counters.count_success(count)
        self.deadline.restart()
        if self.condition.succeed():
            self._tell_recovered()
        for context in self._shared.contexts:
            if context.condition.is_in_trouble:
                context.condition.note_sibling_success()
                context.recover()

    def recover(self) -> None:
        """End trouble, and say so, if a sibling succeeded since and nothing of it is left here."""
        if self.condition.recover():
            self._tell_recovered()

    def failed(self, error: Exception) -> None:
        """Count one thing that failed and show it as the last error."""
        self._shared.counters.failed += 1
        self._shared.counters.note_error(judge(error))

    def skipped(self, reason: str, count: int = 1, **about: str) -> None:
        """Count things left out on purpose, and log each reason at debug."""
        self._shared.counters.count_skipped(reason, count)
        fields = {"actor": self.name, "reason": reason, "count": count, **about}
        self._shared.log.debug("skipped", **fields)

    def lag(self, seconds: float | None) -> None:
        """Say how far behind the actor is, in seconds."""
        self._shared.counters.lag_s = seconds

    async def sleep(self, seconds: float) -> None:
        """Be idle: the deadline does not run meanwhile. A time that has passed is none."""
        with self.deadline.idle():
            await trio.sleep(max(0.0, seconds))

    async def back_off(self, error: Exception) -> None:
        """Show ``error`` and ``backing_off``, wait, and go on.

        An ``AuthRejected`` is shown as ``failed`` and waits long. If cancelled, only the waiting
        ends.
        """
        failure = judge(error)
        delay_s = self.condition.back_off(failure, trio.current_time())
        self.tell(failure, delay_s)
        try:
            await self.sleep(delay_s)
        finally:
            self.condition.resume(trio.current_time())
            self.recover()

    def tell(
        self, failure: Failure, delay_s: float, messages: Sequence[object] | None = None
    ) -> None:
        """Show this as the last error, and log what follows from it.

        Args:
            failure: what happened.
            delay_s: seconds until it goes on.
            messages: what was in hand; what is now if ``None``.
        """
        more = self.name_messages(self.in_hand() if messages is None else messages)
        more["delay_s"] = round(delay_s, 3)
        self._shared.counters.note_error(failure)
        if failure.verdict is Verdict.RETRY:
            self._shared.log.warning("actor backing off", **self._cause(failure), **more)
        elif self.condition.has_failed:
            self._shared.log.error("actor failed", **self._cause(failure), **more)
        else:
            self._shared.log.error("actor crashed", **self._cause(failure), **more)

    def tell_while_ending(self, failure: Failure) -> None:
        """Show this as the last error, and log that nothing follows from it."""
        self._shared.counters.note_error(failure)
        self._shared.log.warning("error while stopping", **self._cause(failure))

    def event_fields(self) -> dict[str, object]:
        """Which unit and incarnation an event is about."""
        return {"actor": self.name, "unit": self.unit, "incarnation": self.condition.incarnation}

    def name_messages(self, messages: Sequence[object]) -> dict[str, object]:
        """Which messages an event is about: ``message``, or ``messages`` if there are several."""
        name = self._shared.spec.name_message
        if name is None or not messages:
            return {}
        names = [name(message) for message in messages[:_MOST_NAMES]]
        return {"message": names[0]} if len(messages) == 1 else {"messages": names}

    def _tell_recovered(self) -> None:
        self._shared.log.info("actor recovered", **self.event_fields())

    def _cause(self, failure: Failure) -> dict[str, object]:
        fields = self.event_fields()
        fields.update(cause=failure.type, why=failure.message, action=failure.action)
        if failure.verdict is Verdict.CRASH:
            fields["trace"] = failure.trace
        return fields

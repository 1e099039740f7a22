"""One actor with all its units, over all their incarnations."""

from __future__ import annotations

import random

import trio

from runtime.actor import Runs
from runtime.context import Shared
from runtime.duty import Duty
from runtime.statistics import ActorStatistics, State, worst
from runtime.unit import Unit
from runtime.worker import Closing

_TROUBLE: frozenset[State] = frozenset({"failed", "backing_off"})
"""A paused actor in one of these has something in hand that it cannot finish."""

_IDLE: frozenset[State] = frozenset({"standby", "paused"})
"""An actor in one of these looks at nothing, so nobody knows how far behind it is."""

CLEANUP_S = 1.0
"""How long what was cancelled may take to clean up, in seconds, beyond ``stop_within_s``."""


class SupervisedActor:
    """One actor with all its units.

    Args:
        shared: what its units have in common.
        seed: of their jitter, so that each unit has its own, reproducible one.
    """

    def __init__(self, shared: Shared, seed: int) -> None:
        self.spec = shared.spec
        self.ended = trio.Event()
        self._shared = shared
        self._seed = seed
        self._nursery: trio.Nursery | None = None
        self._closing = Closing()
        self.units = self._make_units()

    @property
    def name(self) -> str:
        """The actor's name."""
        return self.spec.name

    def note_skipped(self, reason: str) -> None:
        """Count something that was left out on purpose before it reached the actor."""
        self._shared.counters.count_skipped(reason, 1)

    def _make_units(self) -> list[Unit]:
        workers = range(1, self.spec.concurrency + 1) if self.spec.mailbox else ()
        names = [f"worker-{number}" for number in workers] or ["run"]
        return [self._make_unit(name) for name in names]

    def _make_unit(self, name: str) -> Unit:
        rng = random.Random(f"{self._seed} {self.spec.name} {name}")  # noqa: S311 - jitter only
        works = self.spec.mailbox is not None and name != "run"
        return Unit(name, self._shared, rng, works=works, on_created=self._look_for_run)

    def _look_for_run(self, incarnation: object) -> None:
        # That an actor also runs by itself can be seen only once one has been created.
        if not isinstance(incarnation, Runs) or any(unit.name == "run" for unit in self.units):
            return
        unit = self._make_unit("run")
        self.units.append(unit)
        self._start(unit)

    def _start(self, unit: Unit) -> None:
        if self._nursery is not None and not self._closing.asked:
            unit.begin()
            self._nursery.start_soon(unit.supervise)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Create the first incarnations, say so, and supervise until all units have ended.

        An actor with a duty says so at once, and then works whenever it is on duty.
        """
        try:
            if self.spec.duty is None:
                await self._work(task_status)
            else:
                task_status.started()
                await self._work_on(self.spec.duty)
        finally:
            self.ended.set()

    async def _work(self, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as self._nursery:
            for unit in tuple(self.units):
                self._start(unit)
            task_status.started()

    async def _work_on(self, duty: Duty) -> None:
        while True:
            with self._closing.interrupts():
                await duty.wait_on()
            if self._closing.asked:
                return
            with duty.scope():
                await self._work(trio.TASK_STATUS_IGNORED)
            if not self._closing.asked:
                # What was in hand is somebody else's now: the next duty begins with new units.
                self._shared.contexts.clear()
                self.units = self._make_units()

    async def stop(self, until: float) -> None:
        """Let it finish what is in hand until then (monotonic seconds), and then cancel it.

        Returns when it has ended, or :data:`CLEANUP_S` later; :attr:`ended` tells which.
        """
        self._closing.ask()
        if self._nursery is None:
            self.ended.set()
        for unit in self.units:
            unit.finish()
        with trio.move_on_at(until):
            await self.ended.wait()
        for unit in self.units:
            unit.cancel()
        with trio.move_on_at(until + CLEANUP_S):
            await self.ended.wait()

    def statistics(self) -> ActorStatistics:
        """Read without I/O or waiting."""
        spec, counters, bucket = self.spec, self._shared.counters, self._shared.bucket
        units = tuple(unit.statistics() for unit in self.units)
        workers = [unit for unit in self.units if unit.name != "run"] or self.units
        state = self._state(worst(unit.state for unit in units))
        return ActorStatistics(
            name=spec.name,
            state=state,
            critical=spec.critical,
            paused=spec.pause.is_on,
            disabled=spec.disabled,
            concurrency=spec.concurrency,
            busy=sum(unit.is_busy for unit in workers),
            mailbox=spec.mailbox.statistics() if spec.mailbox is not None else None,
            handled=counters.handled,
            failed=counters.failed,
            skipped=counters.skipped,
            restarts=counters.restarts,
            last_success=counters.last_success,
            last_error=counters.last_error,
            rate=bucket.rate,
            waiting_s=bucket.waiting_s(),
            lag_s=None if state in _IDLE else counters.lag_s,
            units=units,
        )

    def _state(self, of_units: State) -> State:
        if self.spec.disabled is not None:
            return "disabled"
        if self.ended.is_set():
            return "stopped"
        duty = self.spec.duty
        off_duty = duty is not None and not duty.is_on
        if of_units == "stuck":
            return of_units
        if self.spec.pause.is_on and (off_duty or of_units not in _TROUBLE):
            return "paused"
        return "standby" if off_duty else of_units

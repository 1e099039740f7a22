"""Keeps all actors alive: starts them in order, restarts what crashed, stops them in reverse.

A crash never leaves its unit. Only a defect of the supervisor itself, or an interrupt, ends
:meth:`Supervisor.run` with an error.
"""

from __future__ import annotations

import graphlib
import math
import random
from collections.abc import Sequence
from typing import Any

import trio

from runtime.actor import ActorSpec
from runtime.backoff import RestartPolicy
from runtime.clock import WallClock
from runtime.condition import CrashWindow
from runtime.context import EventLog, Shared
from runtime.rate import TokenBucket
from runtime.statistics import ActorStatistics, Counters
from runtime.supervised import CLEANUP_S, SupervisedActor

_LOOK_EVERY_S = 5.0


class Supervisor:
    """Owns everything that must outlive a crash, but for the mailboxes, which are passed in.

    Args:
        specs: the actors, in the order of starting.
        policy: how crashes are answered.
        wall_clock: for the times that are shown.
        rng: seeds the jitter of every unit.
        log: told of every transition.

    Raises:
        ValueError: two actors have one name, a specification makes no sense, or the actors wait
            on each other's mailboxes in a circle.
    """

    def __init__(
        self,
        specs: Sequence[ActorSpec[Any]],
        *,
        policy: RestartPolicy,
        wall_clock: WallClock,
        rng: random.Random,
        log: EventLog,
    ) -> None:
        _check(specs)
        seed = rng.getrandbits(64)
        self._log = log
        self._stopping = False
        self._actors = tuple(
            SupervisedActor(
                Shared(
                    spec=spec,
                    policy=policy,
                    counters=Counters(wall_clock),
                    bucket=TokenBucket(spec.rate),
                    crashes=CrashWindow(policy),
                    log=log,
                ),
                seed,
            )
            for spec in specs
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start all actors in order, say so, and supervise them until :meth:`stop`.

        If cancelled, every actor is cancelled at once, and what is in hand is not finished.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_after)
            async with trio.open_nursery() as actors:
                for actor in self._enabled():
                    if not self._stopping:
                        await actors.start(actor.run)
                task_status.started()
            nursery.cancel_scope.cancel()

    async def stop(self, grace_s: float = math.inf) -> tuple[str, ...]:
        """Stop all actors, the last one first, each within its ``stop_within_s``.

        Args:
            grace_s: seconds for all together; what is left in hand then is cancelled.

        Returns:
            the names of those that did not end. Trio cannot end a task that shields itself from
            cancellation, nor a thread, so :meth:`run` will not return: leave by ``os._exit``.
        """
        self._stopping = True
        latest = trio.current_time() + grace_s
        for actor in reversed(self._enabled()):
            await actor.stop(min(latest, trio.current_time() + actor.spec.stop_within_s))
        with trio.move_on_after(CLEANUP_S):
            for actor in self._enabled():
                await actor.ended.wait()
        stuck = tuple(actor.spec.name for actor in self._enabled() if not actor.ended.is_set())
        for name in stuck:
            self._log.error("actor did not stop", actor=name)
        return stuck

    def statistics(self) -> tuple[ActorStatistics, ...]:
        """How every actor is, in the order of starting. Read without I/O or waiting."""
        return tuple(actor.statistics() for actor in self._actors)

    def note_skipped(self, name: str, reason: str) -> None:
        """Count something that was left out on purpose before it reached this actor."""
        for actor in self._actors:
            if actor.name == name:
                actor.note_skipped(reason)

    def _enabled(self) -> tuple[SupervisedActor, ...]:
        return tuple(actor for actor in self._actors if actor.spec.disabled is None)

    async def _look_after(self) -> None:
        while True:
            await trio.sleep(_LOOK_EVERY_S)
            for actor in self._actors:
                for unit in actor.units:
                    unit.tell_if_stuck()


def _check(specs: Sequence[ActorSpec[Any]]) -> None:
    names = [spec.name for spec in specs]
    for spec in specs:
        if names.count(spec.name) > 1:
            raise ValueError(f"two actors are called {spec.name}")
        if spec.mailbox is not None and spec.on_poison is None:
            raise ValueError(
                f"{spec.name}: with a mailbox it needs on_poison, or messages get lost"
            )
        if min(spec.concurrency, spec.batch) < 1 or min(spec.deadline_s, spec.stop_within_s) <= 0:
            raise ValueError(f"{spec.name}: concurrency, batch and times must be positive")
        for other in set(spec.sends_to) - set(names):
            raise ValueError(f"{spec.name} sends to {other}, which does not exist")
    try:
        graphlib.TopologicalSorter({spec.name: spec.sends_to for spec in specs}).prepare()
    except graphlib.CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"actors would wait on each other for ever: {circle}") from error

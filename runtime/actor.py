"""What an actor is: its specification, and what it may ask of the runtime.

An actor is a class. It has ``run()`` when it drives itself (a poller, a dispatcher), ``handle``
or ``handle_batch`` when it works through a mailbox, or both. Everything it needs comes through its
constructor, which the specification's ``create`` calls anew for every incarnation; so nothing
broken survives a crash. What must survive belongs to the supervisor: the mailbox, the message in
hand, the rate, the counters.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from runtime.duty import Duty
from runtime.mailbox import Mailbox
from runtime.pause import Pause
from runtime.rate import Rate

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


class Context(Protocol):
    """What the runtime offers to one running unit (a worker, or a ``run``) of an actor."""

    @property
    def name(self) -> str:
        """The actor's name."""

    @property
    def concurrency(self) -> int:
        """How many things the actor may do at once."""

    @property
    def rng(self) -> random.Random:
        """The source of jitter; seeded in tests."""

    async def acquire(self, cost: int = 1) -> None:
        """Wait for the actor's own rate. Call it once before each remote request."""

    def spare(self) -> float:
        """The share of the actor's own rate that is left now, from 0 to 1."""

    def progress(self) -> None:
        """Say that the unit is alive: its deadline starts anew."""

    def succeeded(self, count: int = 1) -> None:
        """Count things done, note the time, and forget earlier failures of this unit.

        A poll that found nothing is ``succeeded(0)``.
        """

    def failed(self, error: Exception) -> None:
        """Count one thing that failed and show it as the last error."""

    def skipped(self, reason: str, count: int = 1, **about: str) -> None:
        """Count things left out on purpose; every reason shows in ``/health``.

        It is logged at debug with ``about``, which says what was left out: ids, never a text.
        """

    def lag(self, seconds: float | None) -> None:
        """Say how far behind the newest known item the actor is."""

    async def sleep(self, seconds: float) -> None:
        """Be idle: the deadline does not run meanwhile."""

    async def back_off(self, error: Exception) -> None:
        """Show ``backing_off``, wait (exponential, jittered, at least ``error.after_s``), go on.

        For faults that are settled already and say that the other side is in trouble. The waiting
        time grows until :meth:`succeeded`.
        """


@runtime_checkable
class Runs(Protocol):
    """An actor that drives itself. Returning is a crash: it is meant to run for ever."""

    async def run(self) -> None:
        """Work until cancelled."""


@runtime_checkable
class Handles(Protocol[M_contra]):
    """An actor that works through its mailbox, one message at a time per worker."""

    async def handle(self, message: M_contra) -> None:
        """Deal with one message. Return only when it may be forgotten."""


@runtime_checkable
class HandlesBatch(Protocol[M_contra]):
    """An actor that works through its mailbox, taking what waits together."""

    async def handle_batch(self, messages: Sequence[M_contra]) -> None:
        """Deal with all of these. Return only when all may be forgotten."""


PoisonHandler = Callable[[M, int, Exception], Awaitable[None]]
"""Called with a message that crashed its actor too often, the attempts, and the last error."""


@dataclass(frozen=True)
class ActorSpec(Generic[M]):
    """How one actor is made and kept alive.

    Args:
        name: as shown in ``/health`` and logs.
        create: makes one incarnation from its context.
        mailbox: for actors that handle messages.
        concurrency: workers on the mailbox, each restarted by itself. For an actor that only
            runs: how many requests it may have under way.
        rate: the actor's own limit on remote requests.
        batch: the most messages that one ``handle_batch`` gets.
        deadline_s: seconds that one message or batch may take, and that a ``run`` may go without
            ``progress``; longer is a crash.
        stop_within_s: seconds that it may take to finish what is in hand when stopping.
        critical: without it the process is no use: ``/health`` is ``down`` when it failed.
        on_poison: what becomes of a message that crashed its worker too often.
        sends_to: names of actors whose mailboxes it waits on; checked to have no cycle.
        disabled: why this actor does not run at all, or ``None``.
        name_message: the name of a message in logs, which says nothing of what is in it.
        duty: works only while this is on, and each time begins anew with nothing in hand; always
            if ``None``. Whoever fills its mailbox empties it in between.
        pause: while it is on, the actor finishes what is in hand and takes nothing new.
    """

    name: str
    create: Callable[[Context], Any]
    rate: Rate
    mailbox: Mailbox[M] | None = None
    concurrency: int = 1
    batch: int = 1
    deadline_s: float = 60.0
    stop_within_s: float = 5.0
    critical: bool = False
    on_poison: PoisonHandler[M] | None = None
    sends_to: tuple[str, ...] = field(default=())
    disabled: str | None = None
    name_message: Callable[[M], str] | None = None
    duty: Duty | None = None
    pause: Pause = field(default_factory=Pause)

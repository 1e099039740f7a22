"""Actors that misbehave as told, and a world in which they are supervised.

All of it runs on virtual time. :meth:`World.running` checks at its end, for every test, what must
always hold: stopping takes no longer than it may, nothing is started while stopping, every actor
ends as ``stopped``, and no thread is left.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
import trio.testing

from runtime.actor import ActorSpec, Context, PoisonHandler
from runtime.backoff import RestartPolicy
from runtime.mailbox import Mailbox
from runtime.rate import Rate
from runtime.statistics import ActorStatistics
from runtime.supervised import CLEANUP_S
from runtime.supervisor import Supervisor

NOON = 1_767_268_800.0
"""The wall-clock time when the virtual clock is at zero, as Unix seconds: 2026-01-01T12:00:00Z."""

GENEROUS = Rate(1_000_000, 1.0)


@dataclass(frozen=True)
class Event:
    """One thing that the supervisor told, and when (virtual seconds)."""

    at: float
    level: str
    name: str
    fields: dict[str, object]


class Recorder:
    """Keeps all events, like a log."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def _keep(self, level: str, name: str, fields: dict[str, object]) -> None:
        self.events.append(Event(trio.current_time(), level, name, fields))

    def debug(self, event: str, **fields: object) -> None:
        """Keep an event."""
        self._keep("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Keep an event."""
        self._keep("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Keep an event."""
        self._keep("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Keep an event."""
        self._keep("error", event, fields)

    def of(self, name: str, actor: str | None = None) -> list[Event]:
        """All events of this name, of one actor or of all."""
        return [
            event
            for event in self.events
            if event.name == name and actor in (None, event.fields["actor"])
        ]

    def starts(self, actor: str) -> list[float]:
        """When each incarnation of an actor was created."""
        return [event.at for event in self.of("actor started", actor)]


class Running:
    """An actor that runs a function."""

    def __init__(self, context: Context, function: Callable[[Context], Awaitable[None]]) -> None:
        self._context = context
        self._function = function

    async def run(self) -> None:
        """Call the function."""
        await self._function(self._context)


class Handling:
    """An actor that handles each message by a function."""

    def __init__(
        self, context: Context, function: Callable[[Context, Any], Awaitable[None]]
    ) -> None:
        self._context = context
        self._function = function

    async def handle(self, message: Any) -> None:  # noqa: ANN401 - any message
        """Call the function."""
        await self._function(self._context, message)


class Batching:
    """An actor that handles batches by a function."""

    def __init__(
        self, context: Context, function: Callable[[Context, Sequence[Any]], Awaitable[None]]
    ) -> None:
        self._context = context
        self._function = function

    async def handle_batch(self, messages: Sequence[Any]) -> None:
        """Call the function."""
        await self._function(self._context, messages)


@dataclass
class Graveyard:
    """Keeps messages that were given up; fails as often as told before it works."""

    failures: list[Exception] = field(default_factory=list)
    buried: list[tuple[Any, int, str]] = field(default_factory=list)

    async def bury(self, message: Any, attempts: int, error: Exception) -> None:  # noqa: ANN401
        """Keep message, attempts and the type of the last error."""
        await trio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.pop(0)
        self.buried.append((message, attempts, type(error).__name__))


async def never_poison(message: object, attempts: int, error: Exception) -> None:
    """For actors that are not expected to give anything up."""
    raise AssertionError(f"gave up {message!r} after {attempts} attempts") from error


def running(
    name: str,
    function: Callable[[Context], Awaitable[None]],
    *,
    rate: Rate = GENEROUS,
    **more: Any,  # noqa: ANN401 - whatever a specification takes
) -> ActorSpec[Any]:
    """Specify an actor that runs ``function``."""
    return ActorSpec(name, lambda context: Running(context, function), rate, **more)


def handling(
    name: str,
    function: Callable[[Context, Any], Awaitable[None]],
    *,
    capacity: int = 16,
    rate: Rate = GENEROUS,
    on_poison: PoisonHandler[Any] = never_poison,
    **more: Any,  # noqa: ANN401 - whatever a specification takes
) -> ActorSpec[Any]:
    """Specify an actor that handles single messages by ``function``."""
    return ActorSpec(
        name,
        lambda context: Handling(context, function),
        rate,
        mailbox=Mailbox[Any](name, capacity),
        on_poison=on_poison,
        **more,
    )


def batching(
    name: str,
    function: Callable[[Context, Sequence[Any]], Awaitable[None]],
    *,
    batch: int,
    concurrency: int = 1,
    on_poison: PoisonHandler[Any] = never_poison,
) -> ActorSpec[Any]:
    """Specify an actor that handles batches by ``function``."""
    return ActorSpec(
        name,
        lambda context: Batching(context, function),
        GENEROUS,
        mailbox=Mailbox[Any](name, 64),
        batch=batch,
        concurrency=concurrency,
        on_poison=on_poison,
    )


def post(spec: ActorSpec[Any], *messages: object) -> None:
    """Put messages into an actor's mailbox; there must be room."""
    for message in messages:
        assert spec.mailbox is not None
        assert spec.mailbox.offer(message)


async def idle(context: Context) -> None:
    """A run that does nothing and is well."""
    context.succeeded(0)
    await context.sleep(float("inf"))


def raising(*errors: Exception) -> ActorSpec[object]:
    """An actor whose run raises these one after the other, and then is well."""
    left = list(errors)

    async def run(context: Context) -> None:
        await trio.lowlevel.checkpoint()
        if left:
            raise left.pop(0)
        await idle(context)

    return running("A", run)


async def crash_always(_: Context) -> None:
    """A run that crashes at once, always."""
    await trio.lowlevel.checkpoint()
    raise KeyError("customer's words")


class World:
    """A supervisor over scripted actors.

    Args:
        specs: the actors.
        policy: how crashes are answered.
        seed: of all jitter.
        hangs: names of actors that are expected not to end when stopped.
    """

    def __init__(
        self,
        *specs: ActorSpec[Any],
        policy: RestartPolicy | None = None,
        seed: int = 0,
        hangs: Sequence[str] = (),
    ) -> None:
        self.specs = specs
        self.log = Recorder()
        self.hangs = tuple(hangs)
        self.release = trio.Event()
        self.stop_took_s = 0.0
        self.supervisor = Supervisor(
            specs,
            policy=policy or RestartPolicy(),
            wall_clock=lambda: NOON + trio.current_time(),
            rng=random.Random(seed),  # noqa: S311 - jitter only
            log=self.log,
        )

    def actor(self, name: str) -> ActorStatistics:
        """How one actor is now."""
        return next(found for found in self.supervisor.statistics() if found.name == name)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Supervise while the block runs, then stop and check what must always hold."""
        with trio.fail_after(100_000):
            async with trio.open_nursery() as nursery:
                await nursery.start(self.supervisor.run)
                yield
                await self._stop()
                self.release.set()
        assert trio.testing.active_thread_count() == 0
        for spec in self.specs:
            state = self.actor(spec.name).state
            assert state == ("stopped" if spec.disabled is None else "disabled")

    async def _stop(self) -> None:
        started, before = len(self.log.of("actor started")), trio.current_time()
        stuck = await self.supervisor.stop()
        self.stop_took_s = trio.current_time() - before
        assert stuck == self.hangs
        assert len(self.log.of("actor started")) == started, "started while stopping"
        may_take_s = sum(spec.stop_within_s for spec in self.specs)
        may_take_s += CLEANUP_S * (len(self.hangs) + 1 if self.hangs else 0)
        assert self.stop_took_s <= may_take_s

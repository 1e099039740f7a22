"""Actors that meet trouble of every kind at random, and a ledger of what they really did.

All dice are seeded and all time is virtual, so that a storm can be seen again.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import trio

from runtime.actor import ActorSpec, Context
from runtime.errors import Fault, RateLimited, Retryable
from runtime.mailbox import Mailbox
from runtime.rate import Rate
from runtime.supervised import CLEANUP_S
from tests.runtime.scripted import Batching, Handling, Running

DEADLINE_S = 20.0
RATE = Rate(30, 10.0)
CAPACITY = 8
BATCH = 4
OFTEN_AFTER = 0.01
"""How often a worker crashes right after its effect, or a message cannot be given up."""
POISONED = 25
"""Every so many messages there is one that crashes whoever handles it."""

Message: TypeAlias = tuple[str, int]
"""Who sent it, and its number there."""


@dataclass(slots=True)
class Ledger:
    """What happened, noted in the very step in which it happened.

    Attributes:
        sent: what every poller has put into a mailbox, by the receiver.
        effects: how often a message took effect.
        repeated: how often its worker crashed after that, so that it must take effect again.
        crashed: how often it was in the hands of a worker that crashed.
        order: the messages of each sender in the order of their first effect, by the receiver.
        buried: the attempts of each message that was given up.
        asked: when tokens were given out, by actor.
        wrongs: what must never happen.
    """

    sent: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    effects: Counter[Message] = field(default_factory=Counter)
    repeated: Counter[Message] = field(default_factory=Counter)
    crashed: Counter[Message] = field(default_factory=Counter)
    order: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    buried: dict[Message, int] = field(default_factory=dict)
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrongs: list[str] = field(default_factory=list)

    def take_effect(self, receiver: str, message: Message) -> None:
        """A message does what it is for."""
        if self.effects[message] == 0:
            self.order[receiver].append(message)
        self.effects[message] += 1


class Storm:
    """Draws what happens next, as long as it lasts.

    Args:
        dice: of everything.
        spared: names of actors that nothing happens to.
    """

    def __init__(self, dice: random.Random, spared: Sequence[str] = ()) -> None:
        self.ledger = Ledger()
        self.is_over = False
        self.is_stopping = False
        self.met: Counter[str] = Counter()
        self._dice = dice
        self._spared = spared

    async def strike(self, context: Context, *, often: float) -> None:
        """Crash, hang, be slow, be in trouble, or pass without anything.

        Raises:
            Exception: of many kinds.
        """
        if self.is_over or context.name in self._spared or self._dice.random() > often:
            await trio.sleep(self._dice.uniform(0.0, 0.05))
            return
        dice = self._dice
        kind = dice.choice(("crash", "group", "hang", "late", "slow", "away", "limited"))
        self.met[kind] += 1
        match kind:
            case "crash":
                await trio.sleep(dice.random())
                raise KeyError("at random")
            case "group":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    nursery.start_soon(self._crash_soon)
            case "hang":
                await trio.sleep_forever()
            case "late":
                # It takes a while to clean up after its cancellation.
                try:
                    await trio.sleep_forever()
                finally:
                    with trio.CancelScope(shield=True):
                        await trio.sleep(dice.uniform(0.0, 0.9 * CLEANUP_S))
            case "slow":
                await trio.sleep(dice.uniform(0.3, 0.9) * DEADLINE_S)
            case "away":
                raise Retryable("away")
            case "limited":
                raise RateLimited("slower", after_s=dice.uniform(1.0, 30.0))

    async def _crash_soon(self) -> None:
        await trio.sleep(self._dice.random())
        raise ValueError("in a child")

    async def _acquire(self, context: Context) -> None:
        await context.acquire()
        self.ledger.asked[context.name].append(trio.current_time())

    @contextmanager
    def _noting(self, name: str, messages: Sequence[Message]) -> Iterator[None]:
        """Whatever ends the block but success or the other side's trouble is a crash on these.

        A worker is cancelled only when its deadline has passed, and when all is stopped.
        """
        began = trio.current_time()
        try:
            yield
        except Fault:
            raise
        except trio.Cancelled:
            self.ledger.crashed.update(messages)
            if trio.current_time() - began < DEADLINE_S - 1e-6 and not self.is_stopping:
                self.ledger.wrongs.append(f"{name} was cancelled at {trio.current_time()}")
            raise
        except BaseException:
            self.ledger.crashed.update(messages)
            raise

    # --- the actors -----------------------------------------------------------------------

    def make_poller(self, name: str, receiver: ActorSpec[Message]) -> ActorSpec[Message]:
        """Sends numbered messages to one receiver."""
        mailbox, sent = receiver.mailbox, self.ledger.sent[receiver.name]
        assert mailbox is not None
        numbers = itertools.count()
        waiting: list[Message] = []

        async def run(context: Context) -> None:
            while True:
                await self._acquire(context)
                await self.strike(context, often=0.02)
                if not waiting:
                    waiting.append((name, next(numbers)))
                await mailbox.send(waiting[0])
                # In the same step: who is cancelled while sending has sent nothing.
                sent.append(waiting.pop())
                context.succeeded()
                await context.sleep(self._dice.uniform(0.0, 4.0))

        return ActorSpec(
            name,
            lambda context: Running(context, run),
            RATE,
            deadline_s=DEADLINE_S,
            sends_to=(receiver.name,),
        )

    def make_worker(self, name: str, *, concurrency: int = 1, batch: int = 1) -> ActorSpec[Message]:
        """Handles messages, and notes what it does to each."""

        async def handle_all(context: Context, messages: Sequence[Message]) -> None:
            await self._acquire(context)
            with self._noting(name, messages):
                await self.strike(context, often=0.1)
                if any(is_poison(message) for message in messages):
                    raise KeyError("poison")
                for message in messages:
                    self.ledger.take_effect(name, message)
                if not self.is_over and self._dice.random() < OFTEN_AFTER:
                    self.ledger.repeated.update(messages)
                    raise ValueError("after the effect")
            context.succeeded(len(messages))

        async def handle(context: Context, message: Message) -> None:
            await handle_all(context, [message])

        def create(context: Context) -> object:
            return Handling(context, handle) if batch == 1 else Batching(context, handle_all)

        return ActorSpec(
            name,
            create,
            RATE,
            mailbox=Mailbox[Message](name, CAPACITY),
            concurrency=concurrency,
            batch=batch,
            deadline_s=DEADLINE_S,
            on_poison=self._bury,
        )

    async def _bury(self, message: Message, attempts: int, error: Exception) -> None:
        if not self.is_over and self._dice.random() < OFTEN_AFTER:
            raise Retryable("the dead letters cannot be written")
        await trio.sleep(0.01)
        if message in self.ledger.buried:
            self.ledger.wrongs.append(f"{message} was buried twice")
        self.ledger.buried[message] = attempts

    def make_bystander(self, name: str) -> ActorSpec[Message]:
        """Ticks every second, and notes when it could not."""

        async def run(context: Context) -> None:
            context.succeeded(0)
            while True:
                before = trio.current_time()
                await context.sleep(1.0)
                if trio.current_time() - before > 1.0:
                    self.ledger.wrongs.append(f"{name} was held up at {before}")

        return ActorSpec(name, lambda context: Running(context, run), RATE)


def is_poison(message: Message) -> bool:
    """Whether it crashes whoever handles it, in any weather."""
    return message[1] % POISONED == POISONED - 1

"""How a worker goes through its actor's mailbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import trio

from runtime.actor import Handles, HandlesBatch, PoisonHandler
from runtime.context import Deadline
from runtime.mailbox import Mailbox
from runtime.pause import Pause
from runtime.slot import Parcel, Slot

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Handling(Generic[M]):
    """How one incarnation deals with messages: so many together at most."""

    handle: Callable[[Sequence[M]], Awaitable[None]]
    most: int


def find_handling(actor: object, batch: int) -> Handling[Any] | None:
    """How this actor takes messages; ``None`` if it takes none. ``batch`` is the most it may get.

    Found once for each incarnation: asking an object for a protocol takes its time.
    """
    match actor:
        case HandlesBatch():
            return Handling(actor.handle_batch, batch)
        case Handles():
            handle = actor.handle
            return Handling(lambda messages: handle(messages[0]), 1)
        case _:
            return None


class Closing:
    """Whether a unit was asked to finish. Asking interrupts waiting, and never work."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting: trio.CancelScope | None = None

    def ask(self) -> None:
        """Ask to finish."""
        self.asked = True
        if self._waiting is not None:
            self._waiting.cancel()

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """A block of waiting, which ends when asked."""
        with trio.CancelScope() as self._waiting:
            if self.asked:
                self._waiting.cancel()
            yield
        self._waiting = None


class Worker(Generic[M]):
    """A place at the mailbox. It keeps what is in hand when the one who works there crashes.

    Args:
        mailbox: where messages wait.
        on_poison: gets a message that crashed the worker ``poison_after`` times.
        poison_after: see ``on_poison``.
        deadline: of each message, each batch and each call of ``on_poison``.
        closing: tells when to take nothing more.
        pause: while it is on, nothing is taken either.
        turn: held by the one of the actor's workers that waits for a batch.
    """

    def __init__(
        self,
        mailbox: Mailbox[M],
        *,
        on_poison: PoisonHandler[M],
        poison_after: int,
        deadline: Deadline,
        closing: Closing,
        pause: Pause,
        turn: trio.Lock,
    ) -> None:
        self.slot = Slot[M]()
        self._mailbox = mailbox
        self._on_poison = on_poison
        self._poison_after = poison_after
        self._deadline = deadline
        self._closing = closing
        self._pause = pause
        self._turn = turn

    async def work(self, handling: Handling[M]) -> Parcel[M] | None:
        """Take messages if there are none in hand, and deal with those that are.

        Returns without having dealt with any if asked to finish, or paused, while waiting. If
        cancelled, or if the actor raises, what is in hand stays there.

        Returns:
            a message that was given up in this step.

        Raises:
            Stuck: it took longer than the deadline.
            Exception: whatever the actor or ``on_poison`` raised.
        """
        if not self.slot:
            await self._receive(handling.most)
        if not self.slot:
            return None
        parcel = self.slot.oldest
        if parcel.error is not None and parcel.attempts >= self._poison_after:
            await self._give_up(parcel.message, parcel.attempts, parcel.error)
            return parcel
        messages = self.slot.hand_out(handling.most)
        with self._deadline.guard():
            await handling.handle(messages)
        self.slot.finish()
        return None

    async def _receive(self, most: int) -> None:
        with self._closing.interrupts(), self._pause.interrupts():
            # Parked in the same step as received: no message is ever in a local variable only.
            if most == 1:
                self.slot.park(await self._mailbox.receive())
                return
            # One after the other: of what comes at the same time not each should get one.
            async with self._turn:
                self.slot.park(await self._mailbox.receive())
                while len(self.slot) < most:
                    message = self._mailbox.receive_nowait()
                    if message is None:
                        return
                    self.slot.park(message)

    async def _give_up(self, message: M, attempts: int, error: Exception) -> None:
        with self._deadline.guard():
            await self._on_poison(message, attempts, error)
        self.slot.give_up()

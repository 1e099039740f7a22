"""How a worker goes through its actor's mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

import trio

from runtime.actor import Handles, HandlesBatch, PoisonHandler
from runtime.context import Deadline
from runtime.mailbox import Mailbox
from runtime.pause import Pause
from runtime.slot import Parcel, Slot

M = TypeVar("M")

Handler: TypeAlias = Handles[M] | HandlesBatch[M]


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
        batch: the most messages that are taken together.
        on_poison: gets a message that crashed the worker ``poison_after`` times.
        poison_after: see ``on_poison``.
        deadline: of each message, each batch and each call of ``on_poison``.
        closing: tells when to take nothing more.
        pause: while it is on, nothing is taken either.
    """

    def __init__(
        self,
        mailbox: Mailbox[M],
        *,
        batch: int,
        on_poison: PoisonHandler[M],
        poison_after: int,
        deadline: Deadline,
        closing: Closing,
        pause: Pause,
    ) -> None:
        self.slot = Slot[M]()
        self._mailbox = mailbox
        self._batch = batch
        self._on_poison = on_poison
        self._poison_after = poison_after
        self._deadline = deadline
        self._closing = closing
        self._pause = pause

    async def work(self, actor: Handler[M]) -> Parcel[M] | None:
        """Take messages if there are none in hand, and deal with those that are.

        Returns without having dealt with any if asked to finish, or paused, while waiting. If
        cancelled, or if the actor raises, what is in hand stays there.

        Returns:
            a message that was given up in this step.

        Raises:
            Stuck: it took longer than the deadline.
            Exception: whatever the actor or ``on_poison`` raised.
        """
        most = self._batch if isinstance(actor, HandlesBatch) else 1
        if not self.slot:
            await self._receive(most)
        if not self.slot:
            return None
        parcel = self.slot.oldest
        if parcel.error is not None and parcel.attempts >= self._poison_after:
            await self._give_up(parcel.message, parcel.attempts, parcel.error)
            return parcel
        await self._deliver(actor, most)
        return None

    async def _receive(self, most: int) -> None:
        with self._closing.interrupts(), self._pause.interrupts():
            # Parked in the same step as received: no message is ever in a local variable only.
            self.slot.park(await self._mailbox.receive())
        while self.slot and len(self.slot) < most:
            message = self._mailbox.receive_nowait()
            if message is None:
                return
            self.slot.park(message)

    async def _deliver(self, actor: Handler[M], most: int) -> None:
        messages = self.slot.hand_out(most)
        with self._deadline.guard():
            if isinstance(actor, HandlesBatch):
                await actor.handle_batch(messages)
            else:
                await actor.handle(messages[0])
        self.slot.finish()

    async def _give_up(self, message: M, attempts: int, error: Exception) -> None:
        with self._deadline.guard():
            await self._on_poison(message, attempts, error)
        self.slot.give_up()

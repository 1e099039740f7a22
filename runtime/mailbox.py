"""Mailboxes: bounded channels that outlive the actor that reads them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from runtime.errors import Retryable

M = TypeVar("M")
R = TypeVar("R")


class Unanswered(Retryable):
    """Nobody answered within the time that the asker could wait."""


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """How full a mailbox is. ``waiting_senders`` are tasks held up because it is full."""

    depth: int
    capacity: int
    waiting_senders: int


class Mailbox(Generic[M]):
    """A bounded queue of messages for one actor.

    It belongs to whoever puts the house together, not to the actor: both ends stay open for the
    life of the process, so a restart loses nothing that waits and no sender sees a broken channel.

    Args:
        owner: the actor's name, for error messages.
        capacity: how many messages may wait.
    """

    def __init__(self, owner: str, capacity: int) -> None:
        self.owner = owner
        self.capacity = capacity
        self._send, self._receive = trio.open_memory_channel[M](capacity)

    async def send(self, message: M) -> None:
        """Put a message in, waiting for room. If cancelled, the message was not put in.

        Where there is room, nobody else has a turn in between: whoever asks waits for the answer
        anyway.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self.offer(message):
            await self._send.send(message)

    def offer(self, message: M) -> bool:
        """Put a message in if there is room, at once. Returns whether it was put in."""
        try:
            self._send.send_nowait(message)
        except trio.WouldBlock:
            return False
        return True

    async def receive(self) -> M:
        """Take the oldest message, waiting for one. If cancelled, nothing was taken."""
        return await self._receive.receive()

    def receive_nowait(self) -> M | None:
        """Take the oldest message if there is one, at once."""
        try:
            return self._receive.receive_nowait()
        except trio.WouldBlock:
            return None

    def statistics(self) -> MailboxStatistics:
        """Read without I/O or waiting."""
        counts = self._send.statistics()
        return MailboxStatistics(
            depth=counts.current_buffer_used,
            capacity=self.capacity,
            waiting_senders=counts.tasks_waiting_send,
        )


class Reply(Generic[R]):
    """The one answer to a question put in a mailbox.

    It is answered at most once; a second answer is ignored, because a question may be handled
    again after a crash. Questions are therefore idempotent.
    """

    def __init__(self) -> None:
        self._answered = trio.Event()
        self._values: deque[R] = deque(maxlen=1)
        self._error: Exception | None = None

    def answer(self, value: R) -> None:
        """Give the answer and wake the asker."""
        if not self._answered.is_set():
            self._values.append(value)
            self._answered.set()

    def fail(self, error: Exception) -> None:
        """Answer with an error, which is raised in the asker."""
        if not self._answered.is_set():
            self._error = error
            self._answered.set()

    async def wait(self, within_s: float, *, who: str) -> R:
        """Wait for the answer.

        Raises:
            Unanswered: after ``within_s`` seconds. The question may still take effect later.
        """
        if not self._answered.is_set():
            with trio.move_on_after(within_s):
                await self._answered.wait()
        if not self._answered.is_set():
            raise Unanswered(f"{who} did not answer within {within_s:g} s")
        return self._read()

    async def take(self) -> R:
        """Wait for the answer, however long it takes. Cancelled: the question may take effect."""
        await self._answered.wait()
        return self._read()

    def _read(self) -> R:
        if self._error is not None:
            raise self._error
        return self._values[0]

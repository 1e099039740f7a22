"""The messages that a worker has in hand. They outlive the worker that crashed on them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

M = TypeVar("M")


@dataclass(slots=True)
class Parcel(Generic[M]):
    """A message in hand: how often it crashed its worker, and the last error."""

    message: M
    attempts: int = 0
    error: Exception | None = None


class Slot(Generic[M]):
    """What one worker took from the mailbox and has not finished yet, oldest first.

    A batch is handed out whole at first. After a crash each of its messages is handed out by
    itself, so that the culprit stands alone.
    """

    def __init__(self) -> None:
        self._parcels: deque[Parcel[M]] = deque()
        self._handed_out = 0

    def __len__(self) -> int:
        return len(self._parcels)

    @property
    def oldest(self) -> Parcel[M]:
        """The next message, with what happened to it so far."""
        return self._parcels[0]

    @property
    def handed_out(self) -> tuple[M, ...]:
        """What is being dealt with."""
        return tuple(parcel.message for parcel in islice(self._parcels, self._handed_out))

    def park(self, message: M) -> None:
        """Keep a message. To be called in the step that received it, without waiting between."""
        self._parcels.append(Parcel(message))

    def hand_out(self, most: int) -> tuple[M, ...]:
        """What is to be dealt with together now. It stays here until :meth:`finish`."""
        alone = any(parcel.attempts for parcel in self._parcels)
        self._handed_out = 1 if alone else min(most, len(self._parcels))
        return self.handed_out

    def finish(self) -> None:
        """Forget what was handed out: it has been dealt with."""
        for _ in range(self._handed_out):
            self._parcels.popleft()
        self._handed_out = 0

    def take_back(self, crash: Exception | None) -> None:
        """Keep what was handed out for another time.

        Args:
            crash: what the worker crashed with, which counts as an attempt; ``None`` if it was
                not the fault of the messages.
        """
        handed_out, self._handed_out = self._handed_out, 0
        if crash is None:
            return
        for parcel in islice(self._parcels, handed_out):
            parcel.attempts += 1
            parcel.error = crash

    def give_up(self) -> None:
        """Forget the oldest message: somebody else keeps it now."""
        self._handed_out = 1
        self.finish()

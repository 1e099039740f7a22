"""What is known of each actor at any moment, read without I/O or waiting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from runtime.clock import WallClock
from runtime.failures import Failure
from runtime.mailbox import MailboxStatistics
from runtime.rate import Rate

State: TypeAlias = Literal[
    "failed",
    "stuck",
    "backing_off",
    "starting",
    "paused",
    "standby",
    "running",
    "stopped",
    "disabled",
]
"""How an actor is, the worst first.

- ``failed``: it crashed too often, or a person has to mend something; it is tried now and then.
- ``stuck``: its deadline has passed and it has not ended.
- ``backing_off``: it waits before it tries again, or nothing of it has succeeded since.
- ``starting``: not begun yet.
- ``paused``, ``standby``: held back on purpose. A paused one may still finish what is in hand.
- ``running``, ``stopped``, ``disabled``: as they say.
"""

_WORST_FIRST: tuple[State, ...] = get_args(State)

MOST_REASONS = 32
"""How many different reasons for skipping are counted; the rest are counted together."""

OTHER_REASONS = "other"


def worst(states: Iterable[State]) -> State:
    """The state of an actor whose units are in these states; without any, it is starting."""
    return min(states, key=_WORST_FIRST.index, default="starting")


@dataclass(frozen=True, slots=True)
class LastError:
    """The latest error: leaf types, a text safe to show, what a person should do, Unix time."""

    type: str
    message: str
    action: str | None
    at: float


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """One worker, or one ``run``. ``wait_s``: seconds until it is tried again, if it waits."""

    name: str
    state: State
    incarnation: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class ActorStatistics:
    """One actor. Times are Unix seconds; ``waiting_s`` is until its rate gives the next token.

    ``restarts`` counts the incarnations that followed a crash: not an outage of the other side,
    nor wrong credentials. ``paused`` is whether it takes nothing new because a person said so.
    """

    name: str
    state: State
    critical: bool
    paused: bool
    disabled: str | None
    concurrency: int
    busy: int
    mailbox: MailboxStatistics | None
    handled: int
    failed: int
    skipped: Mapping[str, int]
    restarts: int
    last_success: float | None
    last_error: LastError | None
    rate: Rate
    waiting_s: float
    lag_s: float | None
    units: tuple[UnitStatistics, ...]


class Counters:
    """What one actor has done so far. Owned by the supervisor, so that no restart resets it."""

    def __init__(self, wall_clock: WallClock) -> None:
        self._wall_clock = wall_clock
        self._skipped: dict[str, int] = {}
        self.handled = 0
        self.failed = 0
        self.restarts = 0
        self.last_success: float | None = None
        self.last_error: LastError | None = None
        self.lag_s: float | None = None

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many things were left out, by reason: a copy."""
        return dict(self._skipped)

    def count_success(self, count: int) -> None:
        """Count things done, and note the time."""
        self.handled += count
        self.last_success = self._wall_clock()

    def count_skipped(self, reason: str, count: int) -> None:
        """Count things left out. The number of different reasons is bounded."""
        if reason not in self._skipped and len(self._skipped) >= MOST_REASONS:
            reason = OTHER_REASONS
        self._skipped[reason] = self._skipped.get(reason, 0) + count

    def note_error(self, failure: Failure) -> None:
        """Show this as the last error."""
        self.last_error = LastError(
            failure.type, failure.message, failure.action, self._wall_clock()
        )

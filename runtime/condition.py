"""How one unit of an actor is doing, and how long it waits after each kind of failure."""

from __future__ import annotations

import random
from collections import deque
from typing import Literal

from runtime.backoff import RestartPolicy
from runtime.failures import Failure, Verdict
from runtime.statistics import State


class CrashWindow:
    """The latest crashes of one actor, over all its units."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._period_s = policy.period_s
        self._limit = policy.intensity
        self._times: deque[float] = deque(maxlen=policy.intensity + 1)

    def count(self, now: float) -> bool:
        """Add a crash. Returns whether there were more in the period than may be."""
        self._times.append(now)
        return len(self._times) > self._limit and now - self._times[0] <= self._period_s


class Condition:
    """The state of one unit over all its incarnations. Times are monotonic seconds.

    Trouble is shown until the unit succeeds, not only while it waits: a unit that fails at every
    attempt is not ``running`` in between. When it no longer has in hand what it failed with, the
    success of another unit of the actor is as good, unless it crashed too often. Without either
    it is forgotten after ``healthy_after_s``.
    """

    def __init__(self, policy: RestartPolicy, crashes: CrashWindow, rng: random.Random) -> None:
        self._policy = policy
        self._crashes = crashes
        self._rng = rng
        self._phase: Literal["starting", "alive", "waiting", "held", "stopped"] = "starting"
        self._trouble: Literal["backing_off", "failed"] | None = None
        self._crashed_too_often = False
        self._sibling_succeeded = False
        self._redelivers = False
        self._retries_in_a_row = 0
        self._crashes_in_a_row = 0
        self._started_at = 0.0
        self._quiet_since = 0.0
        self._proven = False
        self.incarnation = 0
        self.resumes_at: float | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it is tried only now and then."""
        return self._trouble == "failed"

    @property
    def is_in_trouble(self) -> bool:
        """Whether it failed, and neither it nor a sibling has succeeded since."""
        return self._trouble is not None

    def begin(self, now: float) -> None:
        """A new incarnation starts."""
        self.incarnation += 1
        self._proven = False
        self._started_at = now
        self.resume(now)

    def resume(self, now: float) -> None:
        """Waiting is over."""
        self._phase = "alive"
        self._quiet_since = now
        self.resumes_at = None

    def hold(self) -> None:
        """A pause begins. It is no trouble, and what trouble there was is not shown meanwhile."""
        self._phase = "held"
        self.resumes_at = None

    def stop(self) -> None:
        """There will be no further incarnation."""
        self._phase = "stopped"
        self.resumes_at = None

    def succeed(self) -> bool:
        """Something worked. Returns whether the unit was in trouble until now."""
        was_in_trouble = self.is_in_trouble
        self._trouble = None
        self._crashed_too_often = False
        self._retries_in_a_row = 0
        self._proven = True
        return was_in_trouble

    def note_sibling_success(self) -> None:
        """Another unit of the actor succeeded, perhaps while this one waits."""
        self._sibling_succeeded = True

    def recover(self) -> bool:
        """End trouble that a sibling's success disproves. Returns whether there was any."""
        is_over = self._phase == "alive" and not self._redelivers and not self._crashed_too_often
        if self._trouble is None or not is_over or not self._sibling_succeeded:
            return False
        self._trouble = None
        return True

    def settle(self, *, in_hand: bool) -> None:
        """A step of work is through; ``in_hand`` tells whether something is left of it."""
        self._redelivers = self._redelivers and in_hand

    def fail(self, failure: Failure, now: float, *, in_hand: bool) -> float:
        """The incarnation ended with ``failure``. Returns how many seconds to wait.

        ``in_hand`` tells whether the next incarnation starts with something in hand.
        """
        self._redelivers = in_hand
        if failure.verdict is Verdict.CRASH:
            return self._crash(now)
        return self.back_off(failure, now)

    def back_off(self, failure: Failure, now: float) -> float:
        """The other side is in trouble; nobody crashed. Returns how many seconds to wait."""
        self._crashed_too_often = False
        if failure.verdict is Verdict.ASK_A_PERSON:
            return self._wait("failed", self._policy.slow_delay_s(self._rng), now)
        delay_s = self._policy.delay_s(self._retries_in_a_row, self._rng)
        self._retries_in_a_row += 1
        return self._wait("backing_off", max(delay_s, failure.after_s or 0.0), now)

    def _crash(self, now: float) -> float:
        if self._proven and now - self._started_at >= self._policy.healthy_after_s:
            self._crashes_in_a_row = 0
        n, self._crashes_in_a_row = self._crashes_in_a_row, self._crashes_in_a_row + 1
        self._crashed_too_often = self._crashes.count(now)
        if self._crashed_too_often:
            return self._wait("failed", self._policy.slow_delay_s(self._rng), now)
        return self._wait("backing_off", self._policy.delay_s(n, self._rng), now)

    def _wait(self, trouble: Literal["backing_off", "failed"], delay_s: float, now: float) -> float:
        self._phase = "waiting"
        self._trouble = trouble
        self._sibling_succeeded = False
        self.resumes_at = now + delay_s
        return delay_s

    def state(self, now: float, *, stuck: bool) -> State:
        """What to show.

        Args:
            now: monotonic seconds.
            stuck: the deadline has passed and the unit has not ended.
        """
        if self._phase == "stopped":
            return "stopped"
        if stuck:
            return "stuck"
        if self._phase == "held":
            return "paused"
        trouble = self._trouble
        quiet = now - self._quiet_since >= self._policy.healthy_after_s
        if self._phase == "alive" and not self._redelivers and quiet:
            trouble = None
        if trouble is not None:
            return trouble
        return "starting" if self._phase == "starting" else "running"

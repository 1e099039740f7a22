"""How long a message waits for its next attempt, and its worker for the platform."""

from __future__ import annotations

import random
from typing import TypeAlias

from runtime.errors import AuthRejected, Effect, Malformed, RateLimited, Retryable

LOOK_AGAIN_AFTER_S = 5.0
"""After a lost answer: the request may still be under way, and looking too soon would miss it."""

LONGEST_BACK_OFF_S = 60.0
"""However long the platform wants to be left alone, messages that grow too old get a receipt."""

Trouble: TypeAlias = Retryable | Malformed | AuthRejected
"""What passes, by itself or by a person's doing, and does not condemn the message."""


def choose_delay_s(error: Trouble, attempts: int, left_s: float, rng: random.Random) -> float:
    """Seconds until the next attempt.

    Args:
        attempts: so far.
        left_s: for how long the message is still worth sending; it waits no longer for that.
    """
    left_s = max(0.0, left_s)
    if isinstance(error, AuthRejected):
        return max(1.0, min(LONGEST_BACK_OFF_S, left_s))
    delay_s = retry_delay_s(attempts, rng)
    if isinstance(error, Malformed) or error.effect is Effect.UNKNOWN:
        delay_s = max(delay_s, LOOK_AGAIN_AFTER_S)
    asked_s = (error.after_s if isinstance(error, Retryable) else None) or 0.0
    return max(delay_s, min(asked_s, left_s))


def retry_delay_s(attempts: int, rng: random.Random) -> float:
    """Seconds until the next attempt: anywhere from 1 to a cap that doubles up to a minute."""
    return rng.uniform(1.0, min(60.0, 2.0 ** min(attempts + 1, 6)))


def shorten(error: Trouble) -> Retryable | AuthRejected:
    """The trouble as the worker waits for it to pass. An answer of no sense is the server's."""
    if isinstance(error, Malformed):
        return Retryable(str(error))
    if isinstance(error, RateLimited) and (error.after_s or 0.0) > LONGEST_BACK_OFF_S:
        return RateLimited(str(error), after_s=LONGEST_BACK_OFF_S, action=error.action)
    return error

"""What went wrong, typed by what to do next.

::

    Fault
    ├── Retryable           try again later, by itself
    │   └── RateLimited     not before the time that the other side named
    ├── AuthRejected        only a person can mend it; keep everything else running
    ├── Rejected            this one will never be accepted; tell whoever sent it
    └── Malformed           this one cannot be read; keep it as a dead letter

Only the adapters that speak to a library or a platform raise these, always ``from`` the
error they translate. An actor matches on them; anything else that escapes is a crash.
"""

from __future__ import annotations

import enum


class Effect(enum.Enum):
    """What is known of the remote effect when an error was raised."""

    NOT_DONE = "not_done"
    """It certainly did not happen: refused, or never sent."""
    UNKNOWN = "unknown"
    """The answer was lost. It may have happened: look before doing it again."""


class Fault(Exception):
    """Something that is expected to go wrong at times."""

    def __init__(
        self, message: str, *, effect: Effect = Effect.NOT_DONE, action: str | None = None
    ) -> None:
        super().__init__(message)
        self.effect = effect
        self.action = action
        """What a person should do, in one sentence, or ``None`` when nothing is needed."""


class Retryable(Fault):
    """A network fault, a time-out, a 5xx, a store that is away."""

    def __init__(
        self,
        message: str,
        *,
        after_s: float | None = None,
        effect: Effect = Effect.NOT_DONE,
        action: str | None = None,
    ) -> None:
        super().__init__(message, effect=effect, action=action)
        self.after_s = after_s
        """How long the other side asked us to wait, in seconds, if it said."""


class RateLimited(Retryable):
    """The other side refused because of our pace; ``after_s`` is its own waiting time."""


class AuthRejected(Fault):
    """Credentials or permissions are wrong; ``action`` says what to correct."""


class Rejected(Fault):
    """The other side understood and will never accept this.

    Args:
        code: a short machine-readable word, e.g. the XRPC ``error`` or the Genesys ``code``.
        message: what the other side said.
    """

    def __init__(self, code: str, message: str, *, action: str | None = None) -> None:
        super().__init__(message, effect=Effect.NOT_DONE, action=action)
        self.code = code


class Malformed(Fault):
    """Data that does not have the shape its protocol promises."""

"""How often to log in: the history of ``createSession``, and what it permits.

The platform allows 300 logins a day and 30 in five minutes, and shares them among all that use
the account from one address. So this connector takes a few, never in a loop, and remembers them
across restarts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ValidationError

from actors.bluesky.errors import CredentialsRefused
from runtime.clock import format_time
from runtime.errors import AuthRejected, Fault, RateLimited, Rejected, Retryable

DAY_S = 86_400.0
LOGINS_PER_DAY = 10
FIRST_SPACING_S = 30.0
LONGEST_SPACING_S = 900.0
REFUSED_HOLD_S = 6 * 3600.0
CLOSED_HOLD_S = 900.0
UNTOLD_LIMIT_S = 300.0

HoldKind: TypeAlias = Literal["refused", "limited", "failed"]


@dataclass(frozen=True, slots=True)
class Hold:
    """No login before ``until`` (unix time), and why.

    ``refused`` is for a person to mend, and holds for its credentials only; ``limited`` and
    ``failed`` pass by themselves.
    """

    kind: HoldKind
    until: float
    why: str
    action: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LoginHistory:
    """Attempts and successes of the last day, as unix times, oldest first."""

    attempts: tuple[float, ...] = ()
    successes: tuple[float, ...] = ()
    hold: Hold | None = None

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read what :meth:`dump` wrote; nothing and nonsense are an empty history."""
        try:
            stored = _StoredHistory.model_validate_json(text or "{}")
        except ValidationError:
            return cls()
        hold = Hold(**dict(stored.hold)) if stored.hold else None
        return cls(tuple(stored.attempts), tuple(stored.successes), hold)

    def dump(self) -> str:
        """Write it as JSON. It holds no password and no token."""
        hold = self.hold and {
            "kind": self.hold.kind,
            "until": self.hold.until,
            "why": self.hold.why,
            "action": self.hold.action,
            "fingerprint": self.hold.fingerprint,
        }
        return json.dumps({"attempts": self.attempts, "successes": self.successes, "hold": hold})

    def check(self, now_s: float, fingerprint: str) -> None:
        """Say whether these credentials may be tried now.

        Raises:
            AuthRejected: they were refused, and nothing has changed since.
            RateLimited: with the seconds to wait.
        """
        self._check_hold(now_s, fingerprint)
        if self.attempts and now_s < self.attempts[-1] + self._spacing_s():
            wait_s = self.attempts[-1] + self._spacing_s() - now_s
            raise RateLimited("the last login was just now; the next one waits", after_s=wait_s)
        if len(self.successes) >= LOGINS_PER_DAY:
            raise RateLimited(
                f"{LOGINS_PER_DAY} logins in a day are enough",
                after_s=min(self.successes[0] + DAY_S - now_s, LONGEST_SPACING_S),
                action="Find out what ends the session again and again: "
                "is its app password revoked, or does another process share the account?",
            )

    def _check_hold(self, now_s: float, fingerprint: str) -> None:
        hold = self.hold
        if hold is None or now_s >= hold.until:
            return
        if hold.kind == "limited":
            raise RateLimited(hold.why, after_s=hold.until - now_s, action=hold.action)
        if hold.kind == "failed":
            raise Retryable(hold.why, after_s=hold.until - now_s, action=hold.action)
        if hold.fingerprint == fingerprint:
            until = format_time(hold.until)
            why = f"{hold.why} (the same credentials are not tried again before {until})"
            raise AuthRejected(why, action=hold.action)

    def _spacing_s(self) -> float:
        return float(min(FIRST_SPACING_S * 2 ** (len(self.attempts) - 1), LONGEST_SPACING_S))

    def with_attempt(self, now_s: float) -> LoginHistory:
        """With one more attempt, and without what is older than a day."""
        return LoginHistory((*_recent(self.attempts, now_s), now_s), _recent(self.successes, now_s))

    def with_success(self, now_s: float) -> LoginHistory:
        """The last attempt succeeded."""
        return replace(self, successes=(*self.successes, now_s), hold=None)

    def with_failure(self, error: Fault, now_s: float, fingerprint: str) -> LoginHistory:
        """The last attempt was answered with this error."""
        kind, hold_s = self._judge(error)
        hold = Hold(kind, now_s + hold_s, str(error), error.action, fingerprint)
        return replace(self, hold=hold)

    def _judge(self, error: Fault) -> tuple[HoldKind, float]:
        if isinstance(error, CredentialsRefused):
            return "refused", REFUSED_HOLD_S
        if isinstance(error, (AuthRejected, Rejected)):
            # A wrong password stays wrong; a closed account or a strange answer may be mended.
            return "refused", CLOSED_HOLD_S
        if isinstance(error, RateLimited):
            return "limited", error.after_s if error.after_s is not None else UNTOLD_LIMIT_S
        return "failed", self._spacing_s()


class _StoredHold(BaseModel):
    kind: HoldKind
    until: float
    why: str
    action: str | None
    fingerprint: str


class _StoredHistory(BaseModel):
    attempts: list[float] = []
    successes: list[float] = []
    hold: _StoredHold | None = None


def _recent(times: tuple[float, ...], now_s: float) -> tuple[float, ...]:
    return tuple(one for one in times if one > now_s - DAY_S)

"""Who may look, and pull the levers: whoever has logged in with ``ADMIN_TOKEN``."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

import trio

SESSION_S = 12 * 3600.0
"""How long a login lasts, in seconds."""

MOST_SESSIONS = 32
WRONG_COSTS_S = 1.0
"""How long a wrong token holds up the next attempt, in seconds."""

MOST_ATTEMPTS_AT_ONCE = 8


class TooManyAttempts(Exception):
    """So many people try to log in that this one was not tried."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login. ``lever_token`` goes with everything that is done; ``ends_at`` is monotonic."""

    lever_token: str
    ends_at: float = float("inf")
    may_log_out: bool = True


class TokenAccess:
    """Access by a token. What is kept of a login is in memory alone, and dies with the process.

    Args:
        token: what must be known.
    """

    def __init__(self, token: str) -> None:
        self._digest = _digest(token)
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._turn = trio.StrictFIFOLock()

    async def log_in(self, token: str) -> str | None:
        """Try a token; returns the secret of a new session, or ``None`` if it is wrong.

        One attempt at a time, and a wrong one takes :data:`WRONG_COSTS_S`. If cancelled, nobody
        has logged in.

        Raises:
            TooManyAttempts: too many wait for their turn already.
        """
        if self._turn.statistics().tasks_waiting >= MOST_ATTEMPTS_AT_ONCE:
            raise TooManyAttempts
        async with self._turn:
            if not hmac.compare_digest(_digest(token), self._digest):
                await trio.sleep(WRONG_COSTS_S)
                return None
            return self._begin()

    def find(self, secret: str) -> Session | None:
        """The session with this secret, unless it has ended."""
        session = self._sessions.get(_digest(secret))
        if session is None or trio.current_time() >= session.ends_at:
            return None
        return session

    def log_out(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(secret), None)

    def _begin(self) -> str:
        secret = secrets.token_urlsafe(32)
        ends_at = trio.current_time() + SESSION_S
        self._sessions[_digest(secret)] = Session(secrets.token_urlsafe(32), ends_at)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return secret


class OpenAccess:
    """Access without a login, for whoever sits at the machine; for the sandbox alone."""

    def __init__(self) -> None:
        self.session = Session(secrets.token_urlsafe(32), may_log_out=False)


Access: TypeAlias = TokenAccess | OpenAccess


def _digest(text: str) -> bytes:
    """Of one length whatever the text, so that comparing tells nothing of that either."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

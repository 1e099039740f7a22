"""The one owner of the Bluesky session: loads, refreshes, saves it, and seldom logs in."""

from __future__ import annotations

import trio

from actors.bluesky.errors import TokenRefused
from actors.bluesky.logins import LoginHistory
from actors.bluesky.tokens import Credentials, Session, read_session
from actors.bluesky.xrpc import Call, Xrpc
from actors.store import Store, StoreUnavailable, Value
from runtime.clock import WallClock
from runtime.errors import AuthRejected, Effect, Fault, Malformed, Rejected, Retryable

SESSION_NAME = "bluesky"
LOGINS_NAME = "bluesky-logins"
SAVE_AGAIN_AFTER_S = 10.0
KEEP_S = 90 * 86_400.0
"""A server ends a session sooner than that which nobody renews."""


class SessionOwner:
    """Gives a session to all who speak to Bluesky, and keeps it across restarts.

    Only one task at a time loads, refreshes or logs in; the others wait and take what it got.

    Args:
        xrpc: how requests are sent.
        store: where session and login history are kept. Without it there is no login: a history
            that cannot be written cannot hold back the next one.
        clock: unix time.
        credentials: whom to log in as.
    """

    def __init__(
        self, xrpc: Xrpc, store: Store, clock: WallClock, credentials: Credentials
    ) -> None:
        self._xrpc = xrpc
        self._store = store
        self._clock = clock
        self._credentials = credentials
        self._fingerprint = ""
        self._lock = trio.Lock()
        self._session: Session | None = None
        self._history: LoginHistory | None = None
        self._save_at: float | None = None

    async def current(self) -> Session:
        """A session whose access token is good for a while.

        If cancelled, a new session may have been made but not kept; the old one still holds.

        Raises:
            StoreUnavailable: there is none in memory, and the store is away.
            RateLimited: a login is needed, but not yet permitted.
            AuthRejected: a person has to mend credentials or account.
            Retryable, Rejected, Malformed: from the server.
        """
        session = self._session
        if session and self._clock() < session.renew_at and self._save_at is None:
            return session
        async with self._lock:
            return await self._provide()

    async def renew(self, refused: Session) -> Session:
        """Another session than this one, whose access token the server has refused.

        Raises:
            As :meth:`current` does.
        """
        async with self._lock:
            session = self._session
            if session is None or session.access != refused.access:
                return await self._provide()
            return await self._refresh(session)

    async def _provide(self) -> Session:
        if self._session is None:
            self._session = await self._load()
        if self._session is None:
            return await self._log_in()
        if self._clock() >= self._session.renew_at:
            return await self._refresh(self._session)
        await self._save_if_due()
        return self._session

    async def _load(self) -> Session | None:
        self._fingerprint = self._fingerprint or self._credentials.fingerprint()
        if self._history:
            # A hold that is known needs no question to the store.
            self._history.check(self._clock(), self._fingerprint)
        return Session.parse(await self._store.read("session", SESSION_NAME), self._fingerprint)

    async def _refresh(self, session: Session) -> Session:
        call = Call("POST", "com.atproto.server.refreshSession", repeatable=True)
        try:
            answer = await self._xrpc.send(call, service=session.service, token=session.refresh)
            renewed = read_session(answer, session.service, self._clock())
        except (TokenRefused, Rejected):
            return await self._replace(session)
        except Malformed as error:
            raise _as_login_fault(error) from error
        return await self._keep(renewed)

    async def _replace(self, revoked: Session) -> Session:
        """Another process may have got a newer session; else only a login helps."""
        self._session = None
        stored = await self._load()
        if stored is not None and stored.refresh != revoked.refresh:
            self._session = stored
            return await self._provide()
        return await self._log_in()

    async def _log_in(self) -> Session:
        history = LoginHistory.parse(await self._store.read("session", LOGINS_NAME))
        self._history = history
        history.check(self._clock(), self._fingerprint)
        # Written down first: a crash in the middle must not make the next process try at once.
        attempted = history.with_attempt(self._clock())
        await self._save_history(attempted)
        try:
            session = await self._create_session()
        except Fault as error:
            unsent = type(error) is Retryable and error.effect is Effect.NOT_DONE
            failed = attempted.with_failure(error, self._clock(), self._fingerprint)
            await self._remember(history if unsent else failed)
            raise _as_login_fault(error) from error
        self._history = attempted.with_success(self._clock())
        return await self._keep(session)

    async def _create_session(self) -> Session:
        credentials = self._credentials
        identifier = credentials.identifier.removeprefix("@")
        body = {"identifier": identifier, "password": credentials.password}
        call = Call("POST", "com.atproto.server.createSession", body=body)
        answer = await self._xrpc.send(call, service=credentials.service)
        return read_session(answer, credentials.service, self._clock())

    async def _remember(self, history: LoginHistory) -> None:
        self._history = history
        try:
            await self._save_history(history)
        except StoreUnavailable:
            # Memory holds this process back, and the attempt itself is stored: a next process
            # waits too. What matters now is the error of the login.
            return

    async def _save_history(self, history: LoginHistory) -> None:
        await self._store.save(Value("session", LOGINS_NAME, history.dump(), KEEP_S))

    async def _keep(self, session: Session) -> Session:
        self._session = session
        self._save_at = trio.current_time()
        await self._save_if_due()
        return session

    async def _save_if_due(self) -> None:
        """Save what is not saved yet. The session holds without, so a store away is no error."""
        if self._session is None or self._save_at is None or trio.current_time() < self._save_at:
            return
        values = [Value("session", SESSION_NAME, self._session.dump(self._fingerprint), KEEP_S)]
        if self._history is not None:
            values.append(Value("session", LOGINS_NAME, self._history.dump(), KEEP_S))
        try:
            await self._store.record(values=values)
        except StoreUnavailable:
            self._save_at = trio.current_time() + SAVE_AGAIN_AFTER_S
        else:
            self._save_at = None


def _as_login_fault(error: Fault) -> Fault:
    """What a failed login or refresh is to whoever wanted to do something else.

    Their own request was certainly not sent, and neither is it refused nor malformed.
    """
    if isinstance(error, Retryable):
        error.effect = Effect.NOT_DONE
        return error
    if isinstance(error, Malformed):
        return Retryable(f"login: {error}", action=error.action)
    return AuthRejected(f"login refused: {error}", action=error.action)

"""The OAuth token of Genesys Cloud: one owner for all who call the API."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import trio

from actors.genesys.exchange import exchange, read_seconds
from actors.genesys.models import Grant, LoginRefusal, parse_text
from runtime.errors import AuthRejected, Effect, RateLimited, Retryable

MARGIN_S = 60.0
"""A token is renewed so long before it expires, or at nine tenths of its life if that is later."""

HOLD_OFF_S = 60.0
"""After a refusal nobody tries to log in for so long; after each further one, twice as long."""

LONGEST_HOLD_OFF_S = 3600.0
"""The longest time between two attempts to log in that are refused."""

_MOST_DOUBLINGS = 10

_ACTION = (
    "Check GC_CC_CLIENT_ID, GC_CC_CLIENT_SECRET and GC_REGION; "
    "the OAuth client must be of the grant type Client Credentials. "
    "Then restart the connector: by itself it tries again within the hour."
)


@dataclass(frozen=True, slots=True)
class _HeldToken:
    token: str = field(repr=False)
    renew_at: float
    expires_at: float


class TokenKeeper:
    """Logs in with client credentials, and again before the token expires.

    Make one for the whole process. Those who ask at the same time share one login. A refused login
    is remembered, from :data:`HOLD_OFF_S` up to :data:`LONGEST_HOLD_OFF_S`, so that nothing can
    log in in a loop.

    Args:
        http: used for the login only by way of absolute addresses.
        login_url: for example ``https://login.mypurecloud.com``.
        deadline_s: how long one login may take.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        login_url: str,
        client_id: str,
        client_secret: str,
        deadline_s: float,
    ) -> None:
        self._http = http
        self._url = f"{login_url.rstrip('/')}/oauth/token"
        self._credentials = httpx.BasicAuth(client_id, client_secret)
        self._deadline_s = deadline_s
        self._lock = trio.Lock()
        self._held: _HeldToken | None = None
        self._refusal: AuthRejected | None = None
        self._refused_until = float("-inf")
        self._refusals = 0

    async def get(self) -> str:
        """A token that is good for a while yet.

        If cancelled while logging in, the next one to ask logs in.

        Raises:
            AuthRejected: the login is refused, or was refused lately; with the action.
            Retryable: the login service cannot be reached. ``RateLimited`` if it says so.
        """
        async with self._lock:
            self._raise_if_refused()
            held = self._held
            if held is not None and trio.current_time() < held.renew_at:
                return held.token
            try:
                return await self._log_in()
            except Retryable:
                if held is None or trio.current_time() >= held.expires_at:
                    raise
                return held.token

    async def renew(self, refused: str) -> str:
        """Another token than the one that a call was just refused with; raises as :meth:`get`."""
        async with self._lock:
            self._raise_if_refused()
            if self._held is not None and self._held.token != refused:
                return self._held.token
            return await self._log_in()

    def refuse(self, token: str, error: AuthRejected) -> None:
        """Remember that a token was refused although it was new."""
        if self._held is not None and self._held.token == token:
            self._remember(error)

    def accept(self) -> None:
        """The platform takes the token: earlier refusals are forgotten."""
        self._refusals = 0

    def _remember(self, error: AuthRejected) -> None:
        hold_off_s = HOLD_OFF_S * 2.0 ** min(self._refusals, _MOST_DOUBLINGS)
        self._refusals += 1
        self._held = None
        self._refusal = error
        self._refused_until = trio.current_time() + min(hold_off_s, LONGEST_HOLD_OFF_S)

    def _raise_if_refused(self) -> None:
        if self._refusal is not None and trio.current_time() < self._refused_until:
            raise AuthRejected(str(self._refusal), action=self._refusal.action)

    async def _log_in(self) -> str:
        form = {"grant_type": "client_credentials"}
        request = self._http.build_request("POST", self._url, data=form)
        response = await exchange(
            self._http, request, deadline_s=self._deadline_s, auth=self._credentials
        )
        grant = parse_text(Grant, response.content) if response.is_success else None
        if grant is None:
            raise self._make_fault(response)
        life_s, now = grant.expires_in, trio.current_time()
        renew_at = now + life_s - min(MARGIN_S, life_s / 10)
        self._held = _HeldToken(grant.access_token, renew_at, now + life_s)
        return grant.access_token

    def _make_fault(self, response: httpx.Response) -> Retryable | AuthRejected:
        status = response.status_code
        text = f"POST {self._url}: {status}"
        after_s = read_seconds(response.headers, "Retry-After")
        if status == 429:
            return RateLimited(f"{text}: too many logins", after_s=after_s)
        if status == 408 or status >= 500:
            return Retryable(f"{text}: the login service is in trouble", after_s=after_s)
        if response.is_success:
            return Retryable(f"{text} with something that is no token", effect=Effect.UNKNOWN)
        refusal = parse_text(LoginRefusal, response.content)
        why = f" {refusal.error}: {refusal.description}" if refusal is not None else ""
        refused = AuthRejected(f"{text}{why}", action=_ACTION)
        self._remember(refused)
        return refused

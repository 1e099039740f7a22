"""Sessions: login, the pair of tokens, and the rotation of the refresh token."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.bluesky import tokens
from sandbox.bluesky.accounts import Account, Accounts, Scope
from sandbox.bluesky.errors import authentication_required, invalid_request
from sandbox.bluesky.formats import is_at_identifier
from sandbox.bluesky.identifiers import Clock

SERVICE_DID = "did:web:localhost"
REFRESH_TTL = timedelta(days=90)
REFRESH_GRACE = timedelta(hours=2)
"""How long a refresh token that was used stays good for the same successor."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or refresh gives, as JWTs."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom a request comes from and what its token allows."""

    account: Account
    scope: Scope


@dataclass(frozen=True, slots=True)
class _RefreshToken:
    did: str
    scope: Scope
    password: str
    expires_at: datetime
    next_id: str | None = None


class Sessions:
    """Opens, renews and closes sessions.

    ``access_ttl_s`` is how long access tokens live, in whole seconds. It may be changed at any
    time and holds for tokens given from then on.
    """

    def __init__(
        self, accounts: Accounts, clock: Clock, rng: random.Random, access_ttl_s: int
    ) -> None:
        self.access_ttl_s = access_ttl_s
        self._accounts = accounts
        self._clock = clock
        self._rng = rng
        self._key = rng.randbytes(32)
        self._refresh_tokens: dict[str, _RefreshToken] = {}

    def log_in(self, identifier: str, password: str) -> tuple[Account, Tokens]:
        """Open a session with a handle, DID or e-mail address.

        Raises:
            XrpcError: 401, wrong credentials or an account that was taken down.
        """
        account = self._find(identifier)
        scope = account.scope_of(password) if account else None
        if account is None or scope is None:
            raise authentication_required("Invalid identifier or password")
        if account.status == "takendown":
            raise _taken_down()
        return account, self._give(account, scope, password, self._new_id())

    def refresh(self, token: str) -> tuple[Account, Tokens]:
        """Renew a session. The same token used again gives the same next refresh token id.

        Raises:
            XrpcError: 400 ``ExpiredToken`` if it expired or was revoked, ``InvalidToken``.
        """
        token_id = self._refresh_id(token)
        known = self._refresh_tokens.get(token_id)
        if known is None or known.expires_at <= self._clock():
            raise invalid_request("Token has been revoked", "ExpiredToken")
        account = self._account(known.did)
        if account.status == "takendown":
            raise _taken_down()
        next_id = known.next_id or self._new_id()
        until = min(known.expires_at, self._clock() + REFRESH_GRACE)
        self._refresh_tokens[token_id] = replace(known, next_id=next_id, expires_at=until)
        return account, self._give(account, known.scope, known.password, next_id)

    def close(self, token: str) -> None:
        """End the session of a refresh token, also of an expired one. Access tokens live on."""
        self._refresh_tokens.pop(self._refresh_id(token, may_be_expired=True), None)

    def revoke(self, account: Account, password: str) -> None:
        """Forget an app password: its sessions cannot be renewed. Access tokens live on."""
        account.app_passwords.pop(password, None)
        self._refresh_tokens = {
            token_id: known
            for token_id, known in self._refresh_tokens.items()
            if (known.did, known.password) != (account.did, password)
        }

    def authenticate(self, token: str) -> Credentials:
        """Whom an access token belongs to.

        Raises:
            XrpcError: 400 ``ExpiredToken`` or ``InvalidToken``.
        """
        claims = tokens.verify(token, tokens.ACCESS_TYPE, self._key, self._now_s())
        return Credentials(self._account(claims["sub"]), Scope(claims["scope"]))

    def _find(self, identifier: str) -> Account | None:
        if "@" in identifier:
            return self._accounts.find_by_email(identifier)
        return self._accounts.find(identifier) if is_at_identifier(identifier) else None

    def _account(self, did: str) -> Account:
        account = self._accounts.find(did)
        if account is None:
            raise invalid_request(f"Could not find user info for account: {did}")
        return account

    def _refresh_id(self, token: str, *, may_be_expired: bool = False) -> str:
        claims = tokens.verify(
            token, tokens.REFRESH_TYPE, self._key, self._now_s(), may_be_expired=may_be_expired
        )
        return str(claims["jti"])

    def _give(self, account: Account, scope: Scope, password: str, refresh_id: str) -> Tokens:
        now = self._clock()
        expires_at = now + REFRESH_TTL
        if refresh_id not in self._refresh_tokens:
            known = _RefreshToken(account.did, scope, password, expires_at)
            self._refresh_tokens[refresh_id] = known
        issued = int(now.timestamp())
        common = {"sub": account.did, "aud": SERVICE_DID, "iat": issued}
        access = {"scope": scope, **common, "exp": issued + self.access_ttl_s}
        refresh = {
            "scope": Scope.REFRESH,
            **common,
            "jti": refresh_id,
            "exp": int(expires_at.timestamp()),
        }
        return Tokens(
            access=tokens.sign(access, tokens.ACCESS_TYPE, self._key),
            refresh=tokens.sign(refresh, tokens.REFRESH_TYPE, self._key),
        )

    def _new_id(self) -> str:
        return base64.b64encode(self._rng.randbytes(32)).decode().rstrip("=")

    def _now_s(self) -> float:
        return self._clock().timestamp()


def _taken_down() -> Exception:
    return authentication_required("Account has been taken down", "AccountTakedown")

"""Who may do what, and how often: OAuth tokens, permissions and the rate limit."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass

import trio

from sandbox.genesys.errors import (
    bad_token,
    missing_all,
    missing_any,
    missing_token,
    too_many_requests,
)
from sandbox.genesys.ids import Ids
from sandbox.genesys.wire import Json

RATE_WINDOW_S = 60.0
DEFAULT_RATE_LIMIT = 300
DEFAULT_EXPIRES_IN_S = 86_400

ALL_PERMISSIONS = frozenset(
    {
        "socialmedia:message:receive",
        "socialmedia:reaction:receive",
        "socialmedia:topic:view",
        "socialmedia:topic:add",
        "socialmedia:openDataIngestionRule:view",
        "socialmedia:openDataIngestionRule:add",
        "conversation:message:receive",
        "conversation:message:view",
        "messaging:integration:view",
        "messaging:integration:add",
        "messaging:integration:edit",
        "messaging:identityResolutionOpen:view",
        "messaging:identityResolutionOpen:edit",
        "externalContacts:contact:view",
        "externalContacts:contact:add",
        "externalContacts:contact:edit",
        "externalContacts:contact:enrich",
        "externalContacts:externalSource:view",
        "externalContacts:externalSource:add",
        "externalContacts:conversation:associate",
    }
)
"""All that the operations served here ask for."""


class OAuthError(Exception):
    """A refused login, answered in the words of RFC 6749 and not as an ``ErrorBody``."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {
            "error": error,
            "description": description,
            "error_description": description,
        }


@dataclass(slots=True)
class Token:
    """A bearer token, with the requests counted in its current minute."""

    value: str
    expires_at: float
    window_ends: float = -math.inf
    count: int = 0


class Access:
    """The OAuth client of the organization.

    ``permissions`` may be changed at any time, as an administrator would; so may
    ``expires_in_s`` (for tokens granted later) and ``rate_limit`` (requests a minute).
    """

    def __init__(self, client_id: str, client_secret: str, ids: Ids) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.permissions: set[str] = set(ALL_PERMISSIONS)
        self.expires_in_s: float = DEFAULT_EXPIRES_IN_S
        self.rate_limit = DEFAULT_RATE_LIMIT
        self.granted = 0
        self._ids = ids
        self._tokens: dict[str, Token] = {}

    def grant(self, authorization: str | None, form: Mapping[str, str]) -> Json:
        """Answer a client credentials grant.

        Raises:
            OAuthError: credentials or grant are not right.
        """
        client_id, client_secret = _basic_credentials(authorization)
        if client_id != self.client_id:
            raise OAuthError(400, "invalid_client", "client not found")
        if client_secret != self.client_secret:
            raise OAuthError(401, "invalid_client", "authentication failed")
        if form.get("grant_type") != "client_credentials":
            raise OAuthError(400, "unsupported_grant_type", "unsupported grant type")
        self._forget_expired()
        value = self._ids.secret(512)
        self._tokens[value] = Token(value, trio.current_time() + self.expires_in_s)
        self.granted += 1
        return {"access_token": value, "token_type": "bearer", "expires_in": int(self.expires_in_s)}

    @property
    def valid_tokens(self) -> frozenset[str]:
        """The tokens that are good now."""
        self._forget_expired()
        return frozenset(self._tokens)

    def revoke_tokens(self) -> None:
        """Make every token granted so far worthless at once."""
        self._tokens.clear()

    def authenticate(self, authorization: str | None) -> Token:
        """The token of a request.

        Raises:
            ApiError: 401.
        """
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise missing_token()
        token = self._tokens.get(value)
        if token is None or token.expires_at <= trio.current_time():
            raise bad_token()
        return token

    def count(self, token: Token) -> None:
        """Count a request against the token's budget.

        Raises:
            ApiError: 429, and the request is not counted.
        """
        now = trio.current_time()
        if token.window_ends <= now:
            token.window_ends = now + RATE_WINDOW_S
            token.count = 0
        if token.count >= self.rate_limit:
            raise too_many_requests(math.ceil(token.window_ends - now))
        token.count += 1

    def rate_headers(self, token: Token) -> dict[str, str]:
        """The budget as it stands, for every answer to an authenticated request."""
        left_s = max(0, math.ceil(token.window_ends - trio.current_time()))
        return {
            "inin-ratelimit-count": str(token.count),
            "inin-ratelimit-allowed": str(self.rate_limit),
            "inin-ratelimit-reset": str(left_s),
        }

    def require(self, all_of: tuple[str, ...], any_of: tuple[str, ...]) -> None:
        """Check permissions: every one of ``all_of`` and, if there are any, one of ``any_of``.

        Raises:
            ApiError: 403, naming what is missing.
        """
        missing = [name for name in all_of if name not in self.permissions]
        if missing:
            raise missing_all(missing)
        if any_of and self.permissions.isdisjoint(any_of):
            raise missing_any(any_of)

    def _forget_expired(self) -> None:
        now = trio.current_time()
        self._tokens = {
            value: token for value, token in self._tokens.items() if token.expires_at > now
        }


def _basic_credentials(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise OAuthError(401, "invalid_client", "authentication failed")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise OAuthError(401, "invalid_client", "authentication failed") from None
    client_id, _, client_secret = decoded.partition(":")
    return client_id, client_secret

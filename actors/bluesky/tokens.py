"""A session's tokens: read from the server's answers, written for the store, never shown."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from actors.bluesky.errors import MEND_ACCOUNT
from actors.messages import Json
from runtime.errors import AuthRejected, Malformed

MARGIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom to log in as, and where.

    Args:
        service: the server to log in at, e.g. ``https://bsky.social``.
        identifier: handle, DID or e-mail address; an ``@`` before it is refused by the server.
        password: an app password.
    """

    service: str
    identifier: str
    password: str = field(repr=False)

    def fingerprint(self) -> str:
        """Tells one set of credentials from another without giving the password away."""
        salt = f"{self.service} {self.identifier}".encode()
        digest = hashlib.scrypt(self.password.encode(), salt=salt, n=2**12, r=8, p=1, dklen=16)
        return digest.hex()


@dataclass(frozen=True, slots=True)
class Session:
    """A login that holds. ``renew_at`` is unix time by our own clock."""

    did: str
    handle: str
    service: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    renew_at: float

    @classmethod
    def parse(cls, text: str | None, fingerprint: str) -> Self | None:
        """Read what :meth:`dump` wrote, if it was by a login with these credentials.

        Another app password may carry other rights, so its session is not this one's.
        """
        try:
            stored = _StoredSession.model_validate_json(text or "{}")
        except ValidationError:
            return None
        if stored.fingerprint != fingerprint:
            return None
        return cls(**stored.model_dump(exclude={"fingerprint"}))

    def dump(self, fingerprint: str) -> str:
        """Write it for the store."""
        return json.dumps(
            {
                "fingerprint": fingerprint,
                "did": self.did,
                "handle": self.handle,
                "service": self.service,
                "access": self.access,
                "refresh": self.refresh,
                "renew_at": self.renew_at,
            }
        )


def read_session(answer: Json, service: str, now_s: float) -> Session:
    """Read what ``com.atproto.server.createSession`` and ``refreshSession`` answer.

    Args:
        answer: the output of either.
        service: used until the DID document names the account's own server.
        now_s: unix time.

    Raises:
        AuthRejected: the account is closed; the server says so with status 200.
        Malformed: it is no such answer.
    """
    try:
        view = _SessionView.model_validate(answer)
    except ValidationError as error:
        fields = ", ".join(str(one["loc"][0]) for one in error.errors() if one["loc"])
        # Not chained: the error would carry the tokens along.
        raise Malformed(f"the answer to a login lacks or spoils {fields or 'all'}") from None
    if not view.active:
        raise AuthRejected(f"the account is {view.status or 'not active'}", action=MEND_ACCOUNT)
    return Session(
        did=view.did,
        handle=view.handle,
        service=_find_server(view.did_doc, service),
        access=view.access_jwt,
        refresh=view.refresh_jwt,
        renew_at=now_s + _renew_after_s(view.access_jwt, now_s),
    )


class _SessionView(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, hide_input_in_errors=True)

    did: str
    handle: str
    access_jwt: str
    refresh_jwt: str
    active: bool = True
    status: str | None = None
    did_doc: Any = None


class _StoredSession(BaseModel):
    fingerprint: str
    did: str
    handle: str
    service: str
    access: str
    refresh: str
    renew_at: float


def _find_server(document: object, service: str) -> str:
    """The endpoint of ``#atproto_pds`` in a DID document, unless it is less safe than ours."""
    entries = document.get("service") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not str(entry.get("id")).endswith("#atproto_pds"):
            continue
        endpoint = entry.get("serviceEndpoint")
        allowed = ("https://",) if service.startswith("https://") else ("https://", "http://")
        if isinstance(endpoint, str) and endpoint.startswith(allowed):
            return endpoint.rstrip("/")
    return service


def _renew_after_s(token: str, now_s: float) -> float:
    """How long to use an access token: its life less a margin.

    Its life is ``exp - iat``, so that a clock of ours that is wrong does no harm. A token that
    cannot be read is used until it is refused.
    """
    claims = _read_claims(token)
    expires, issued = claims.get("exp"), claims.get("iat", now_s)
    if not isinstance(expires, (int, float)) or not isinstance(issued, (int, float)):
        return float(2**31)
    life_s = max(0.0, expires - issued)
    return life_s - min(MARGIN_S, life_s / 2)


def _read_claims(token: str) -> dict[str, Any]:
    # Only the server can verify its token; we read when it ends.
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}

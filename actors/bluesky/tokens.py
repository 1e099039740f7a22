"""A session's tokens: read from the server's answers, written for the store, never shown."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from actors.bluesky.errors import MEND_ACCOUNT
from actors.media.addresses import is_public
from actors.messages import Json
from actors.web import is_loopback
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
        service=_find_server(view.did_doc, view.did, service),
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


def _find_server(document: object, did: str, service: str) -> str:
    """The endpoint of ``#atproto_pds`` in the account's DID document, if tokens may go there.

    They may not go to a place that is less safe than the one where we log in: without TLS, on a
    private network, with a user or a query in its address. Nor is another account's document ours.
    """
    if not isinstance(document, dict) or document.get("id", did) != did:
        return service
    entries = document.get("service")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("id") in ("#atproto_pds", f"{did}#atproto_pds"):
            endpoint = entry.get("serviceEndpoint")
            if isinstance(endpoint, str) and _may_have_tokens(endpoint, service):
                return endpoint.rstrip("/")
    return service


def _may_have_tokens(endpoint: str, service: str) -> bool:
    try:
        place, ours = httpx.URL(endpoint), httpx.URL(service)
    except (httpx.InvalidURL, UnicodeError):
        return False
    if place.userinfo or place.query or place.fragment or place.path.strip("/"):
        return False
    if place.scheme != "https" and (place.scheme != "http" or ours.scheme == "https"):
        return False
    if is_loopback(ours.host):
        return bool(place.host)
    return bool(place.host) and not _is_private(place.host)


def _is_private(host: str) -> bool:
    """Whether it is this machine, or an address that is not on the public internet."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return is_loopback(host) or host.endswith((".localhost", ".internal", ".local"))
    return not is_public(host)


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
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}

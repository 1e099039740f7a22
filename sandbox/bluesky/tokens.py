"""JSON web tokens signed with HMAC-SHA-256, as the PDS gives them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from sandbox.bluesky.errors import invalid_request

ACCESS_TYPE = "at+jwt"
REFRESH_TYPE = "refresh+jwt"


def sign(claims: Mapping[str, Any], kind: str, key: bytes) -> str:
    """A token with these claims; ``kind`` is its ``typ``."""
    parts = f"{_encode({'typ': kind, 'alg': 'HS256'})}.{_encode(claims)}"
    return f"{parts}.{_base64(_signature(parts, key))}"


def verify(
    token: str, kind: str, key: bytes, now_s: float, *, may_be_expired: bool = False
) -> dict[str, Any]:
    """The claims of a token that is genuine, of this ``typ`` and not expired at ``now_s``.

    Raises:
        XrpcError: 400 ``ExpiredToken`` or ``InvalidToken``.
    """
    header, claims = _open(token, key)
    if header.get("typ") != kind:
        raise _unverified()
    if not may_be_expired and claims["exp"] <= now_s:
        raise invalid_request("Token has expired", "ExpiredToken")
    return claims


def _open(token: str, key: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    parts, _, signature = token.rpartition(".")
    genuine = _base64(_signature(parts, key))
    if not hmac.compare_digest(genuine.encode(), signature.encode()):
        raise _unverified()
    header, _, claims = parts.partition(".")
    return _decode(header), _decode(claims)


def _unverified() -> Exception:
    return invalid_request("Token could not be verified", "InvalidToken")


def claims_of(token: str) -> dict[str, Any]:
    """The claims of any token, genuine or not; empty if it is none."""
    try:
        return _decode(token.split(".")[1])
    except (IndexError, ValueError, binascii.Error):
        return {}


def _signature(parts: str, key: bytes) -> bytes:
    return hmac.digest(key, parts.encode(), hashlib.sha256)


def _encode(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decode(text: str) -> dict[str, Any]:
    decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded if isinstance(decoded, dict) else {}


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

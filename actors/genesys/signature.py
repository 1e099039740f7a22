"""The signature of the outbound webhook: ``X-Hub-Signature-256``.

The header is ``sha256=`` and the base64 (not hex) of HMAC-SHA256 over the raw body, keyed with the
integration's Outbound Webhook Signature Secret Token.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

SIGNATURE_HEADER = "X-Hub-Signature-256"


def make_signature(body: bytes, secret: str) -> str:
    """The header's value for a body."""
    digest = hmac.digest(secret.encode(), body, "sha256")
    return f"sha256={base64.b64encode(digest).decode('ascii')}"


def is_signed(body: bytes, signature: str | bytes | None, secrets: Sequence[str]) -> bool:
    """Whether ``signature`` is that of ``body`` under one of the secrets.

    Never raises, whatever the header holds. The time taken depends on the lengths only, not on how
    much is right. More than one secret is for the days in which a new one is brought in; an empty
    one signs nothing.
    """
    if signature is None:
        return False
    given = signature if isinstance(signature, bytes) else signature.encode(errors="replace")
    matches = [
        hmac.compare_digest(make_signature(body, secret).encode(), given)
        for secret in secrets
        if secret
    ]
    return any(matches)

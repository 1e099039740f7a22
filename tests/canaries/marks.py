"""What must not come out, and how it is found."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

TEXT, NAME, HANDLE, SAID = "zqtext", "zqname", "zqhandle", "zqsaid"
"""In what people write, how they are called, and what platforms say of an error."""
WORDS = (TEXT, NAME, HANDLE, SAID)

POISON = "zqtextpoison"
"""In a message that makes whoever gets it crash."""

APP_PASSWORD = "zqsecret-app-password"
CLIENT_SECRET = "zqsecret-client-secret"
WEBHOOK_SECRET = "zqsecret-webhook-secret"
REDIS_PASSWORD = "zqsecret-redis-password"
ADMIN_TOKEN = "zqsecret-admin-token"
COLLECTOR_KEY = "zqsecret-collector-key"
STATE_KEY = base64.b64encode(b"zqsecret-state-key".ljust(32, b"!")).decode()
SECRETS = (
    "zqsecret",
    STATE_KEY,
    base64.b64encode(CLIENT_SECRET.encode())[4:-4].decode(),
)

_TOKENS = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}|[Bb]earer [\w-]{8,}|[Bb]asic [\w+/=]{8,}")
_AROUND = 60


def find_secrets(text: str, more: Iterable[str] = ()) -> list[str]:
    """Where a secret or a token stands, each with what is around it."""
    return [*_find(text, (*SECRETS, *more)), *(found[0] for found in _TOKENS.finditer(text))]


def find_words(text: str) -> list[str]:
    """Where somebody's words or names stand."""
    return _find(text, WORDS)


def _find(text: str, marks: Iterable[str]) -> list[str]:
    return [
        text[max(0, found.start() - _AROUND) : found.end() + _AROUND]
        for mark in marks
        for found in re.finditer(re.escape(mark), text, re.IGNORECASE)
    ]

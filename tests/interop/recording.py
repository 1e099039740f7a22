"""Views of the real AppView, made the same at every run: ids, keys, times and addresses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

TIME = "2026-01-02T03:04:05.000Z"
"""When all that is recorded was written, by its author's clock."""
_OTHER_TIME = "2026-01-01T00:00:00.000Z"
_KEY_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"

_DID = re.compile(r"(?:(?<=did:plc:)|(?<=did%3Aplc%3A))[a-z2-7]{24}")
_CID = re.compile(r"baf[ky]rei[a-z2-7]{52}")
_KEY = re.compile(r"(?<=/)3[a-z2-7]{12}(?=[\"/])")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def settle(view: dict[str, Any]) -> dict[str, Any]:
    """The view with ids, record keys, times and addresses that do not change from run to run.

    They are numbered as they appear, and keep their forms.
    """
    text = json.dumps(view)
    text = _number(text, _DID, lambda number, _: _letters(f"did {number}", 24))
    text = _number(text, _CID, lambda number, old: _make_cid(number, raw=old.startswith("bafk")))
    text = _number(text, _KEY, lambda number, _: f"3k{_letters(f'key {number}', 11)}")
    text = _TIME.sub(lambda match: match[0] if match[0] == TIME else _OTHER_TIME, text)
    text = _ADDRESS.sub("https://appview.example", text)
    settled: dict[str, Any] = json.loads(text)
    return settled


def _number(text: str, pattern: re.Pattern[str], make: Callable[[int, str], str]) -> str:
    found = list(dict.fromkeys(match[0] for match in pattern.finditer(text)))
    made = {old: make(number, old) for number, old in enumerate(found)}
    return pattern.sub(lambda match: made[match[0]], text)


def _make_cid(number: int, *, raw: bool) -> str:
    prefix = b"\x01\x55\x12\x20" if raw else b"\x01\x71\x12\x20"
    digest = hashlib.sha256(str(number).encode()).digest()
    return "b" + base64.b32encode(prefix + digest).decode().lower().rstrip("=")


def _letters(seed: str, length: int) -> str:
    digest = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    return "".join(_KEY_LETTERS[digest >> 5 * at & 31] for at in range(length))

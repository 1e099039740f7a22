"""JSON as the sandbox speaks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""One JSON object."""


def encode(body: Mapping[str, Any]) -> bytes:
    """Write JSON as the platform does: compact, in UTF-8."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    # A refusal may quote half a surrogate pair, which UTF-8 cannot say.
    return text.encode(errors="backslashreplace")


def timestamp(when: datetime) -> str:
    """A time as the platform writes it: ``yyyy-MM-ddTHH:mm:ss.mmmZ``."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

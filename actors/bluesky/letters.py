"""Dead letters for what a poller cannot read."""

from __future__ import annotations

import hashlib
import json

from actors.messages import DeadLetter
from runtime.errors import Fault, Rejected


def make_letter(
    source: str, value: object, error: Fault, *, identity: str | None = None
) -> DeadLetter:
    """Keep ``value`` for a person to look at.

    Args:
        source: the poller's name.
        value: JSON, as it came.
        error: why it cannot be carried.
        identity: what the same thing has at every sight of it; by default all of its JSON.
    """
    # ASCII only: what is broken may hold text that no store can encode.
    payload = json.dumps(value, sort_keys=True)
    digest = hashlib.sha256((identity or payload).encode(errors="backslashreplace")).hexdigest()
    code = error.code if isinstance(error, Rejected) else type(error).__name__
    return DeadLetter(
        letter_id=f"letter:{source}:{digest[:32]}",
        source=source,
        code=code,
        why=str(error),
        payload=payload,
    )

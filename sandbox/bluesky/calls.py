"""The log of requests, for tests and the demo page."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CAPACITY = 10_000
_SECRETS = ("password", "accessJwt", "refreshJwt")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came, and what became of it.

    ``body`` is the decoded JSON (secrets masked), or the number of bytes of anything else.
    ``did`` is whom the token says it is for. ``status`` is what the server answered; the caller
    may have received nothing, if a fault cut the connection.
    """

    at: datetime
    nsid: str
    method: str
    query: Mapping[str, tuple[str, ...]]
    body: Any
    did: str | None
    proxy: str | None
    status: int


class CallLog:
    """The latest requests, the oldest first; bounded.

    Requests that a fault kept from the server are not here; the fault's rule counts its hits.
    """

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=CAPACITY)

    def add(self, call: Call) -> None:
        """Note a request that was dealt with."""
        self._calls.append(call)

    def all(self, nsid: str | None = None) -> tuple[Call, ...]:
        """All calls in the log, or those of one method."""
        return tuple(call for call in self._calls if nsid in (None, call.nsid))

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()


def masked(body: object) -> object:
    """A JSON body without its passwords and tokens."""
    if not isinstance(body, dict):
        return body
    return {key: "***" if key in _SECRETS else value for key, value in body.items()}

"""One XRPC request over HTTP: paced, bounded in time, its answer typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import httpx
import trio

from actors.bluesky.errors import (
    RateState,
    make_fault,
    make_network_fault,
    read_object,
    read_rate,
)
from actors.messages import Json
from actors.web import send
from runtime.clock import WallClock
from runtime.errors import Effect, RateLimited, Retryable
from runtime.rate import Budget

Parameters: TypeAlias = Mapping[str, str | int | Sequence[str]]

CHAT_SERVICE = "did:web:api.bsky.chat#bsky_chat"
SHARED_WINDOW_S = 300.0
"""The limit on all requests together has this window (3000 in it). Others (logins, uploads,
record writes in an hour or a day) concern only what was asked, and must not stop the rest."""
PATIENCE_S = 5.0
"""Longer than this nobody is kept waiting for the budget, but told to come back."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. A ``GET`` is a query; ``body`` is for a ``POST``, which may have none.

    ``content`` is for a ``POST`` of bytes of the type ``mime`` instead.
    ``repeatable`` says that it does no harm to do it twice, so that a lost answer leaves nothing
    to look up. What is sent is not shown: a login has the password in it.
    """

    method: Literal["GET", "POST"]
    nsid: str
    parameters: Parameters | None = None
    body: Json | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    mime: str = ""
    chat: bool = False
    repeatable: bool = False


class Xrpc:
    """Sends requests to any service, within the platform's budget.

    Args:
        http: connections; not closed here.
        budget: shared by all who use the platform from this address.
        clock: to read the times that rate limits name.
        timeout_s: the most that one request may take, from connecting to the end of the answer.
    """

    def __init__(
        self, http: httpx.AsyncClient, budget: Budget, clock: WallClock, *, timeout_s: float
    ) -> None:
        self._http = http
        self._budget = budget
        self._clock = clock
        self._timeout_s = timeout_s
        self._blocked_until: dict[str, float] = {}

    async def send(self, call: Call, *, service: str, token: str | None = None) -> Json:
        """Send one request. If cancelled, it may have taken effect.

        Raises:
            RateLimited: by the server, or because it named a time before which not to ask.
            Retryable: no whole answer, or a failure of the server.
            TokenRefused, AuthRejected, Rejected, Malformed: as ``actors.bluesky.errors`` says.
        """
        await self._wait_for_turn(call.nsid)
        harmless = call.method == "GET" or call.repeatable
        lost = Effect.NOT_DONE if harmless else Effect.UNKNOWN
        response = await self._exchange(call, service, token, lost)
        rate = read_rate(response.headers, self._clock())
        self._observe(call.nsid, response.status_code, rate)
        if response.is_success:
            return read_object(response, call.nsid, lost=lost)
        raise make_fault(response, lost=lost, now_s=self._clock())

    def spare(self) -> float:
        """The share of the platform's budget that is left now, from 0 to 1."""
        return self._budget.spare()

    async def _wait_for_turn(self, nsid: str) -> None:
        blocked_s = self._blocked_until.get(nsid, float("-inf")) - trio.current_time()
        wait_s = max(blocked_s, self._budget.waiting_s())
        if blocked_s > 0 or wait_s > PATIENCE_S:
            raise RateLimited(f"{nsid} waits for the rate limit", after_s=wait_s)
        await self._budget.acquire()

    async def _exchange(
        self, call: Call, service: str, token: str | None, lost: Effect
    ) -> httpx.Response:
        headers = {"accept": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if call.chat:
            headers["atproto-proxy"] = CHAT_SERVICE
        if call.content is not None:
            headers["content-type"] = call.mime
        request = self._http.build_request(
            call.method,
            _make_address(service, call),
            json=call.body,
            content=call.content,
            headers=headers,
            timeout=self._timeout_s,
        )
        with trio.move_on_after(self._timeout_s):
            try:
                return await send(self._http, request)
            except httpx.TransportError as error:
                raise make_network_fault(error, call.nsid, lost=lost) from error
            except httpx.DecodingError as error:
                raise Retryable(f"{call.nsid}: {error}", effect=lost) from error
        raise Retryable(f"{call.nsid}: no answer in {self._timeout_s:g} s", effect=lost)

    def _observe(self, nsid: str, status: int, rate: RateState) -> None:
        refused = status == httpx.codes.TOO_MANY_REQUESTS
        if rate.reset_in_s is None or not (refused or rate.remaining == 0):
            return
        if nsid.startswith("com.atproto.server."):
            # Logging in has limits of its own, by account; whoever logs in keeps to them.
            return
        window_s = rate.window_s or rate.reset_in_s
        if window_s <= SHARED_WINDOW_S:
            self._budget.observe(remaining=0, reset_in_s=rate.reset_in_s)
        else:
            self._blocked_until[nsid] = trio.current_time() + rate.reset_in_s


def _make_address(service: str, call: Call) -> str:
    """With the colons and slashes of its many addresses as they are, which a query may have.

    Escaping them, and the client's looking for what is escaped, would take longer than all else
    that is done to send a request for 25 posts.
    """
    address = f"{service.rstrip('/')}/xrpc/{call.nsid}"
    if not call.parameters:
        return address
    return f"{address}?{urlencode(call.parameters, doseq=True, safe=':/')}"

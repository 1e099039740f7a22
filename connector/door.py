"""The door: what has to be right about a request before anything behind it sees any of it.

Everything here holds for all who can reach the port. It is cheap, and it is the same for all paths
but the webhook's, which has larger bodies and may be closed to most of the world.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import trio
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)

from connector.bodies import Bodies, Body
from connector.callers import Failures, find_caller
from connector.refusals import Refusals
from runtime.networks import Networks, is_in, parse_address

WEBHOOK_PATH = "/webhook"
BODY_WITHIN_S = 5.0
"""All of a body, however steadily it drips. Genesys Cloud gives up after 10 s."""
MOST_HEADERS = 100
MOST_HEADER_BYTES = 16 * 1024
MOST_OTHER_BYTES = 64 * 1024
"""The largest body of a request that is no webhook."""
MOST_BODIES_BYTES = 4 * 1024 * 1024
"""A thousand webhooks of a usual size at once."""


_LONG_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered, and by which word it is counted."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


_TOO_LARGE = Refusal(413, "too_large")
_HEADERS = Refusal(431, "headers")
_LENGTH = Refusal(400, "ambiguous_length")
_TARGET = Refusal(400, "target")
_FORBIDDEN = Refusal(403, "forbidden_address")
# Genesys Cloud repeats after a 5xx, and gives the message up after a 4xx.
_SLOW = Refusal(503, "slow_body")
_NO_ROOM = Refusal(503, "no_room")


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in, and with how much.

    Args:
        most_bytes: the largest webhook.
        allow: networks that webhooks may come from; none: all.
        proxies: networks whose ``X-Forwarded-For`` is believed. Without any, nobody can tell
            callers behind a proxy apart, so no address is limited for its failures.
    """

    most_bytes: int
    allow: Networks = ()
    proxies: Networks = ()


@dataclass(slots=True)
class _Request:
    """What is known of a request from its head."""

    scope: HTTPScope
    caller: str
    is_webhook: bool
    status: int = field(default=0)


class Door:
    """An ASGI application in front of another one, which sees whole requests only.

    Args:
        app: what is behind it.
        rules: who may come in.
        failures: who failed how often.
        refusals: told of everything that was turned away, and of what ``app`` refused.
    """

    def __init__(
        self, app: ASGIFramework, rules: Rules, failures: Failures, refusals: Refusals
    ) -> None:
        self._app = app
        self._rules = rules
        self._failures = failures
        self._refusals = refusals
        self._bodies = Bodies(max(MOST_BODIES_BYTES, 2 * rules.most_bytes))

    def is_shared(self, address: str) -> bool:
        """Whether an address is that of a proxy, which stands for many callers."""
        return is_in(parse_address(address), self._rules.proxies)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request. If cancelled, nothing is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = self._read_head(scope)
        refusal = self._judge(request)
        if refusal is None:
            with self._bodies.hold() as body:
                refusal = await self._receive(request, receive, body)
                if refusal is None:
                    if body.is_whole:
                        await self._pass_on(request, body, receive, send)
                    return
        self._refusals.note(refusal.reason, request.caller)
        if refusal.status != 429:
            self._failures.note_failure(request.caller)
        await _turn_away(refusal, receive, send)

    def _read_head(self, scope: HTTPScope) -> _Request:
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        peer = (scope.get("client") or ("", 0))[0]
        caller = find_caller(peer, forwarded, self._rules.proxies)
        named = str(caller) if caller is not None else "unknown"
        return _Request(scope, named, scope["path"] == WEBHOOK_PATH)

    def _judge(self, request: _Request) -> Refusal | None:
        headers = list(request.scope["headers"])
        rules = self._rules
        if not request.scope["path"].startswith("/"):
            # A whole address, as one sends it to a proxy, or ``*``.
            return _TARGET
        if request.is_webhook:
            if rules.allow and not is_in(parse_address(request.caller), rules.allow):
                return _FORBIDDEN
            wait_s = self._failures.limited_for_s(request.caller) if rules.proxies else 0.0
            if wait_s > 0:
                after = str(math.ceil(wait_s)).encode()
                return Refusal(429, "too_many_failures", ((b"retry-after", after),))
        if len(headers) > MOST_HEADERS or _measure(headers) > MOST_HEADER_BYTES:
            return _HEADERS
        lengths = [value for name, value in headers if name == b"content-length"]
        if lengths and any(name == b"transfer-encoding" for name, _ in headers):
            # Two servers in a row may each believe another one of the two.
            return _LENGTH
        if lengths and _read_length(lengths[0]) > self._most_bytes(request):
            return _TOO_LARGE
        return None

    def _most_bytes(self, request: _Request) -> int:
        return self._rules.most_bytes if request.is_webhook else MOST_OTHER_BYTES

    async def _receive(
        self, request: _Request, receive: ASGIReceiveCallable, body: Body
    ) -> Refusal | None:
        """Read the body to its end. Not whole and no refusal: the client has gone."""
        most_bytes = self._most_bytes(request)
        body.scope.deadline = trio.current_time() + BODY_WITHIN_S
        with body.scope:
            while not body.is_whole:
                event = await receive()
                if event["type"] != "http.request":
                    return None
                body.add(event.get("body", b""))
                if body.size > most_bytes:
                    return _TOO_LARGE
                body.is_whole = not body.is_dropped and not event.get("more_body", False)
        if body.is_whole:
            return None
        return _NO_ROOM if body.is_dropped else _SLOW

    async def _pass_on(
        self, request: _Request, body: Body, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        given = False

        async def receive_whole() -> ASGIReceiveEvent:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body.take(), "more_body": False}

        async def send_and_look(event: ASGISendEvent) -> None:
            if event["type"] == "http.response.start" and request.is_webhook:
                self._learn(request.caller, int(event["status"]))
            await send(event)

        await self._app(request.scope, receive_whole, send_and_look)

    def _learn(self, caller: str, status: int) -> None:
        """What the answer to a webhook says of its sender."""
        if status == 200:
            self._failures.note_authentic(caller)
        elif 400 <= status < 500:
            self._failures.note_failure(caller)
            # WebhookReceiver has counted it.
            self._refusals.tell("wrong_signature" if status == 401 else f"status_{status}", caller)


def _read_length(value: bytes) -> float:
    # The language refuses to read numbers of thousands of digits.
    return int(value) if len(value) < _LONG_NUMBER else math.inf


def _measure(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)


async def _turn_away(
    refusal: Refusal, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Answer without having read the body, and close the connection."""

    async def drain() -> None:
        # What comes meanwhile would hold up the connection, and so the answer.
        while (await receive())["type"] == "http.request":
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drain)
        ends = [(b"content-length", b"0"), (b"connection", b"close")]
        headers = [*refusal.headers, *ends]
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        nursery.cancel_scope.cancel()

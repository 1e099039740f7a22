"""What stands before the routes: ordered faults, the log of calls, and compression."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never
from urllib.parse import parse_qsl

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

from sandbox.bluesky import limits
from sandbox.bluesky.calls import Call, masked
from sandbox.bluesky.errors import XrpcError
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.server import jetstream
from sandbox.bluesky.server.routes import create_routes
from sandbox.bluesky.tokens import claims_of
from sandbox.faults import RateLimit, Refusal, Status, inject_faults

_COMPRESS_FROM = 1024
"""Smaller answers are not worth compressing, in bytes."""


@dataclass(slots=True)
class _Answer:
    """An answer before it is sent."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def create_app(network: BlueskyNetwork) -> ASGIFramework:
    """The network as an ASGI application, to be served by :func:`sandbox.serving.serve`.

    ``network.faults`` strike here, and every request that gets past them is noted in
    ``network.calls``. A request that was received whole takes effect, even if its caller has gone.
    """
    routes: ASGIFramework = create_routes(network)

    async def front(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "websocket" and scope["path"] == jetstream.PATH:
            await jetstream.stream_commits(network.commits, scope, receive, send)
            return
        if scope["type"] != "http":
            await routes(scope, receive, send)
            return
        content = await _read(receive)
        if content is None:
            return  # the caller left in the middle of the request
        answer = await _ask(routes, scope, content)
        headers = _headers(scope)
        network.calls.add(_call(network, scope, headers, content, answer.status))
        await _send(answer, send, gzip_accepted="gzip" in headers.get("accept-encoding", ""))

    return inject_faults(front, network.faults, lambda fault: _refuse(network, fault))


def _refuse(network: BlueskyNetwork, fault: Status | RateLimit) -> Refusal:
    """The PDS's words for a fault that answers."""
    match fault:
        case Status():
            error = XrpcError(fault.status, fault.error, fault.message, fault.headers)
        case RateLimit():
            now = network.clock()
            resets_at = now + timedelta(seconds=fault.retry_after_s)
            standing = limits.Standing(network.rate_limits.requests, 0, resets_at, exceeded=True)
            error = limits.rate_limit_exceeded(standing, now)
        case _:
            assert_never(fault)
    headers = {"content-type": "application/json; charset=utf-8", **error.headers}
    return Refusal(error.status, headers, json.dumps(error.body).encode())


async def _read(receive: ASGIReceiveCallable) -> bytes | None:
    parts = []
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        parts.append(event["body"])
        if not event["more_body"]:
            return b"".join(parts)


async def _ask(routes: ASGIFramework, scope: HTTPScope, content: bytes) -> _Answer:
    answer = _Answer()

    async def keep(event: ASGISendEvent) -> None:
        if event["type"] == "http.response.start":
            answer.status = event["status"]
            answer.headers = list(event["headers"])
        elif event["type"] == "http.response.body":
            answer.body += event["body"]
        await trio.lowlevel.checkpoint()

    await routes(scope, _replay(content), keep)
    return answer


def _replay(content: bytes) -> Callable[[], Awaitable[ASGIReceiveEvent]]:
    """A ``receive`` that gives the whole body at once, and then never that the caller left."""
    given = False

    async def receive() -> ASGIReceiveEvent:
        nonlocal given
        if given:
            await trio.sleep_forever()
        given = True
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


def _headers(scope: HTTPScope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _call(
    network: BlueskyNetwork, scope: HTTPScope, headers: dict[str, str], content: bytes, status: int
) -> Call:
    query: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(scope["query_string"].decode(), keep_blank_values=True):
        query[name] = (*query.get(name, ()), value)
    token = headers.get("authorization", "").partition(" ")[2]
    return Call(
        at=network.clock(),
        nsid=scope["path"].removeprefix("/xrpc/"),
        method=scope["method"],
        query=query,
        body=_body(content, headers.get("content-type", "")),
        did=claims_of(token).get("sub"),
        proxy=headers.get("atproto-proxy"),
        status=status,
    )


def _body(content: bytes, kind: str) -> object:
    if kind.startswith("application/json"):
        try:
            return masked(json.loads(content))
        except ValueError:
            return len(content)
    return len(content) if content else None


async def _send(answer: _Answer, send: ASGISendCallable, *, gzip_accepted: bool) -> None:
    headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
    body = answer.body
    if gzip_accepted and len(body) >= _COMPRESS_FROM:
        body = gzip.compress(body, compresslevel=1)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})

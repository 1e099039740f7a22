"""From an HTTP request to a method and back, in the order of checks of the real PDS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.bluesky.accounts import Scope
from sandbox.bluesky.errors import (
    XrpcError,
    authentication_required,
    internal_error,
    invalid_request,
    not_implemented,
)
from sandbox.bluesky.limits import Charge, Standing
from sandbox.bluesky.network import BlueskyNetwork
from sandbox.bluesky.schema import Object, SchemaError
from sandbox.bluesky.server.method import ADDRESS, Access, Answer, Method, Request
from sandbox.bluesky.server.methods import METHODS
from sandbox.bluesky.server.parameters import decode
from sandbox.bluesky.sessions import Credentials

CHAT_PROXY = "did:web:api.bsky.chat#bsky_chat"
APPVIEW_PROXY = "did:web:api.bsky.app#bsky_appview"


@dataclass(frozen=True, slots=True)
class Incoming:
    """An HTTP request to ``/xrpc/<nsid>``; header names are in lower case."""

    nsid: str
    http_method: str
    pairs: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    content: bytes
    base_url: str


def answer(network: BlueskyNetwork, incoming: Incoming) -> tuple[Answer, Mapping[str, str]]:
    """Do what is asked; the answer and its headers.

    Raises:
        XrpcError: the refusal, with the headers that belong to it.
    """
    charge = Charge(network.rate_limits.requests, ("requests", ADDRESS))
    standing = network.limiter.consume([charge])
    try:
        found = _method(incoming)
        request, standing = _prepare(network, incoming, found, standing)
        return found.handle(request), standing.headers()
    except XrpcError as error:
        error.headers = {**standing.headers(), **error.headers}
        raise


def _method(incoming: Incoming) -> Method:
    if incoming.http_method not in ("GET", "POST"):
        raise invalid_request("XRPC requests only supports GET and POST")
    found = METHODS.get(incoming.nsid)
    if found is None or not _is_reached(incoming):
        if "authorization" not in incoming.headers:
            raise authentication_required(error="AuthMissing")
        raise not_implemented()
    if incoming.http_method != found.http_method:
        message = f"Incorrect HTTP method ({incoming.http_method}) expected {found.http_method}"
        raise invalid_request(message)
    return found


def _is_reached(incoming: Incoming) -> bool:
    """Whether the service that the request is meant for has the method it names."""
    proxy = incoming.headers.get("atproto-proxy")
    if incoming.nsid.startswith("com.atproto."):
        return True  # the PDS's own methods
    if proxy not in (None, CHAT_PROXY, APPVIEW_PROXY):
        raise internal_error()  # a service that does not resolve
    if incoming.nsid.startswith("chat.bsky."):
        return proxy == CHAT_PROXY
    return proxy != CHAT_PROXY


def _prepare(
    network: BlueskyNetwork, incoming: Incoming, method: Method, standing: Standing
) -> tuple[Request, Standing]:
    request = Request(network, incoming.base_url)
    if method.access is Access.PUBLIC:
        request = replace(request, params=decode(method.nsid, method.params, incoming.pairs))
    else:
        request = _authorize(request, method, _bearer(incoming))
        request = replace(request, params=decode(method.nsid, method.params, incoming.pairs))
    request = _read_body(request, method, incoming)
    charges = method.charges(request)
    if charges:
        own = network.limiter.consume(charges)
        standing = min(standing, own, key=lambda one: one.remaining)
    return request, standing


def _bearer(incoming: Incoming) -> str:
    header = incoming.headers.get("authorization")
    if header is None:
        raise authentication_required(error="AuthMissing")
    kind, _, token = header.partition(" ")
    if not token or " " in token:
        raise invalid_request("Malformed authorization header", "InvalidToken")
    if kind.lower() != "bearer":
        raise invalid_request("Unexpected authorization type", "InvalidToken")
    return token


def _authorize(request: Request, method: Method, token: str) -> Request:
    if method.access is Access.REFRESH:
        return replace(request, token=token)
    credentials = request.network.sessions.authenticate(token)
    if method.privileged and credentials.scope is Scope.APP_PASSWORD:
        raise invalid_request("Bad token method", "InvalidToken")
    return replace(request, credentials=Credentials(credentials.account, credentials.scope))


def _read_body(request: Request, method: Method, incoming: Incoming) -> Request:
    if method.body is None:
        if incoming.content:
            raise invalid_request("A request body was provided when none was expected")
        return request
    content_type = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not content_type:
        raise invalid_request("Request encoding (Content-Type) required but not provided")
    if method.body == "bytes":
        return replace(request, content=incoming.content, content_type=content_type)
    if content_type != "application/json":
        raise invalid_request(f"Wrong request encoding (Content-Type): {content_type}")
    if len(incoming.content) > method.json_limit:
        raise XrpcError(413, "PayloadTooLargeError", "request entity too large")
    return replace(request, body=_parse(incoming.content, method.body))


def _parse(content: bytes, schema: Object) -> dict[str, Any]:
    try:
        body = json.loads(content, parse_float=_number)
    except ValueError as error:
        raise invalid_request(f"{error} is not valid JSON", "SyntaxError") from error
    try:
        schema.check(body, ())
    except SchemaError as error:
        raise invalid_request(str(error)) from error
    return dict(body)


def _number(text: str) -> int | float:
    """``1.0`` is the integer 1, as in JavaScript; the data model has no fractions."""
    number = float(text)
    return int(number) if number.is_integer() else number

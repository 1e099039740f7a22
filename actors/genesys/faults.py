"""What an answer of Genesys Cloud that is no success means, typed by what to do next."""

from __future__ import annotations

import re

import httpx

from actors.echoes import conceal_echoes
from actors.genesys.exchange import read_seconds
from actors.genesys.models import ErrorBody, parse_text
from runtime.errors import AuthRejected, Effect, Fault, RateLimited, Rejected, Retryable

_MESSAGE_LIMIT = 300
_PERMISSION = re.compile(r"[A-Za-z]+:[A-Za-z*]+:[A-Za-z*]+")

_ANY_OF = "missing.any."

_PERMISSIONS = (
    ("POST", "/inbound/open/", "conversation:message:receive"),
    ("GET", "/conversations/messages/", "conversation:message:view"),
    ("POST", "/conversations/messages/", "conversation:message:view"),
    ("POST", "/messages/bulk", "socialmedia:message:receive"),
    ("POST", "/contacts/enrich", "externalContacts:contact:enrich"),
    ("POST", "/identifierlookup/contacts", "externalContacts:contact:view"),
    ("POST", "/externalcontacts/contacts", "externalContacts:contact:add"),
    ("PATCH", "/externalcontacts/contacts/", "externalContacts:contact:edit"),
    ("GET", "/externalsources/", "externalContacts:externalSource:view"),
    ("GET", "/dataingestionrules/open/", "socialmedia:openDataIngestionRule:view"),
    ("GET", "/socialmedia/topics/", "socialmedia:topic:view"),
    ("GET", "/integrations/open/", "messaging:integration:view"),
)
"""What an operation needs (``x-inin-requires-permissions``), by its method and a part of its path.

The first that fits counts.
"""


class GenesysRejected(Rejected):
    """A 4xx with a Genesys ``code``; ``status`` is that of HTTP."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


class PermissionMissing(AuthRejected):
    """The OAuth client may not do this; everything else may still work.

    ``permissions`` are those that the platform named, or else what the operation needs as far as
    that is known.
    """

    def __init__(
        self, message: str, *, action: str | None = None, permissions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, action=action)
        self.permissions = permissions


def make_fault(response: httpx.Response) -> Fault:
    """The error for an answer that is no success.

    A refusal that does not have the shape of Genesys' own (``ErrorBody``) comes from something in
    between or from another server: what was sent is not to blame, so it is kept and tried again.
    """
    status, body = response.status_code, parse_text(ErrorBody, response.content)
    text = _describe(response, body)
    after_s = read_seconds(response.headers, "Retry-After")
    if status == 429:
        reset_s = read_seconds(response.headers, "inin-ratelimit-reset")
        return RateLimited(text, after_s=reset_s if after_s is None else after_s)
    if status >= 500:
        return Retryable(text, after_s=after_s, effect=Effect.UNKNOWN)
    if status == 408:
        return Retryable(text, after_s=after_s)
    if status == 401:
        return AuthRejected(text, action=_advise_on_login(body))
    if status == 403:
        permissions = _find_permissions(response, body)
        action = _advise_on_permission(permissions)
        return PermissionMissing(text, action=action, permissions=permissions)
    if status >= 400 and body is not None:
        return GenesysRejected(status, body.code, text)
    if status == 413:
        return GenesysRejected(status, "request.entity.too.large", text)
    action = "Check that GC_REGION (or GC_API_URL) names your Genesys Cloud, and any proxy between."
    return Retryable(text, after_s=after_s, action=action)


def _describe(response: httpx.Response, body: ErrorBody | None) -> str:
    request = response.request
    place = f"{request.method} {request.url.path}: {response.status_code}"
    if body is None:
        return f"{place}, not an error of Genesys Cloud"
    context_id = body.context_id or response.headers.get("inin-correlation-id", "unknown")
    told = f"{place} {body.code}"
    if response.status_code < 500 and response.status_code != 429:
        # Of a server in trouble the code says enough, and its words may be anybody's.
        told += f": {conceal_echoes(body.message, request)[:_MESSAGE_LIMIT]}"
    return f"{told} (contextId {context_id})"


def _advise_on_login(body: ErrorBody | None) -> str:
    if body is not None and body.code == "ip.not.authorized":
        return "Add this machine's address to the allowed IP addresses of the organization."
    return "Check that the OAuth client still exists and is enabled, and that GC_REGION is its own."


def _find_permissions(response: httpx.Response, body: ErrorBody | None) -> tuple[str, ...]:
    named = _PERMISSION.findall(body.message) if body is not None else []
    request = response.request
    known = [
        permission
        for method, part, permission in _PERMISSIONS
        if method == request.method and part in request.url.path
    ]
    if body is not None and body.code.startswith(_ANY_OF):
        # One of those is enough: that which the connector knows to be made for it.
        named = [name for name in named if name in known[:1]] or named[:1]
    return tuple(named or known[:1])


def _advise_on_permission(permissions: tuple[str, ...]) -> str:
    if not permissions:
        return "Check the roles and divisions of the OAuth client in Genesys Cloud."
    names = ", ".join(permissions)
    return f"Give the OAuth client a role with {names}, for the division concerned."

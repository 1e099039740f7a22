"""``com.atproto.server.*``: sessions, and what the server says of itself."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky.accounts import Account
from sandbox.bluesky.blobs import UPLOAD_LIMIT
from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.limits import Charge
from sandbox.bluesky.schema import Boolean, Object, Optional, Text
from sandbox.bluesky.server.method import ADDRESS, Access, Method, Request
from sandbox.bluesky.sessions import SERVICE_DID, Tokens


def _create(request: Request) -> Json:
    sessions = request.network.sessions
    account, tokens = sessions.log_in(request.body["identifier"], request.body["password"])
    return {**_tokens(tokens), **_session(account, request.base_url)}


def _refresh(request: Request) -> Json:
    account, tokens = request.network.sessions.refresh(request.token)
    return {**_tokens(tokens), **_session(account, request.base_url)}


def _get(request: Request) -> Json:
    account = request.account
    if account.status == "takendown":
        raise invalid_request(f"Could not find user info for account: {account.did}")
    return _session(account, request.base_url)


def _delete(request: Request) -> None:
    request.network.sessions.close(request.token)


def _describe(request: Request) -> Json:
    suffixes = {"." + account.handle.split(".", 1)[1] for account in request.network.accounts.all()}
    return {
        "did": SERVICE_DID,
        "availableUserDomains": sorted(suffixes),
        "inviteCodeRequired": False,
        "blobUploadLimit": UPLOAD_LIMIT,
        "links": {},
        "contact": {},
    }


def _tokens(tokens: Tokens) -> dict[str, str]:
    return {"accessJwt": tokens.access, "refreshJwt": tokens.refresh}


def _session(account: Account, base_url: str) -> dict[str, Any]:
    view = {
        "did": account.did,
        "didDoc": _did_document(account, base_url),
        "handle": account.handle,
        "email": account.email,
        "emailConfirmed": False,
        "active": account.status == "active",
    }
    return view if account.status == "active" else {**view, "status": account.status}


def _did_document(account: Account, base_url: str) -> Json:
    server = {
        "id": "#atproto_pds",
        "type": "AtprotoPersonalDataServer",
        "serviceEndpoint": base_url,
    }
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": account.did,
        "alsoKnownAs": [f"at://{account.handle}"],
        "verificationMethod": [],
        "service": [server],
    }


def _login_charges(request: Request) -> list[Charge]:
    key = ("login", request.body["identifier"], ADDRESS)
    return [Charge(limit, key) for limit in request.network.rate_limits.logins]


METHODS = (
    Method(
        "com.atproto.server.createSession",
        "procedure",
        _create,
        body=Object(
            {
                "identifier": Text(),
                "password": Text(),
                "authFactorToken": Optional(Text()),
                "allowTakendown": Optional(Boolean()),
            }
        ),
        access=Access.PUBLIC,
        charges=_login_charges,
    ),
    Method("com.atproto.server.refreshSession", "procedure", _refresh, access=Access.REFRESH),
    Method("com.atproto.server.deleteSession", "procedure", _delete, access=Access.REFRESH),
    Method("com.atproto.server.getSession", "query", _get),
    Method("com.atproto.server.describeServer", "query", _describe, access=Access.PUBLIC),
)

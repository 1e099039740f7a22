"""``app.bsky.graph.*``: muting, which is in no repository."""

from __future__ import annotations

from sandbox.bluesky.accounts import Account
from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.schema import Boolean, Object, Optional, Text
from sandbox.bluesky.server.method import Method, Request


def _mute(request: Request) -> None:
    other = _other(request)
    if other is request.account:
        raise invalid_request("Actor cannot mute themselves")
    if request.body.get("onlyReposts") or request.body.get("onlyQuoteposts"):
        raise invalid_request("this server mutes whole accounts only")
    request.network.index.mutes.setdefault(request.account.did, set()).add(other.did)


def _unmute(request: Request) -> None:
    other = _other(request)
    request.network.index.mutes.get(request.account.did, set()).discard(other.did)


def _other(request: Request) -> Account:
    account = request.network.accounts.find(request.body["actor"])
    if account is None:
        raise invalid_request("Actor not found")
    return account


_ACTOR = {"actor": Text("at-identifier")}

METHODS = (
    Method(
        "app.bsky.graph.muteActor",
        "procedure",
        _mute,
        body=Object(
            {
                **_ACTOR,
                "onlyReposts": Optional(Boolean()),
                "onlyQuoteposts": Optional(Boolean()),
            }
        ),
    ),
    Method("app.bsky.graph.unmuteActor", "procedure", _unmute, body=Object(_ACTOR)),
)

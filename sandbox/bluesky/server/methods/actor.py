"""``app.bsky.actor.*``: profiles."""

from __future__ import annotations

from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.schema import Array, Text
from sandbox.bluesky.server.method import ACTOR, Method, Parameter, Request


def _get_profile(request: Request) -> Json:
    account = request.network.accounts.find(request.params["actor"])
    if account is None:
        raise invalid_request("Profile not found")
    return request.views.profile_detailed(account)


def _get_profiles(request: Request) -> Json:
    found = [request.network.accounts.find(actor) for actor in request.params["actors"]]
    unique = dict.fromkeys(account for account in found if account is not None)
    return {"profiles": [request.views.profile_detailed(account) for account in unique]}


METHODS = (
    Method("app.bsky.actor.getProfile", "query", _get_profile, params={"actor": ACTOR}),
    Method(
        "app.bsky.actor.getProfiles",
        "query",
        _get_profiles,
        params={"actors": Parameter(Array(Text("at-identifier"), max_length=25), required=True)},
    ),
)

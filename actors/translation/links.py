"""Addresses on bsky.app of what AT URIs name."""

from __future__ import annotations

import re

SITE = "https://bsky.app"

_AT_URI = re.compile(r"at://(?P<did>[^/\s]+)/(?P<collection>[^/\s]+)/(?P<key>[^/\s?#]+)")
_PATHS = {
    "app.bsky.feed.post": "post",
    "app.bsky.feed.generator": "feed",
    "app.bsky.graph.list": "lists",
}


def make_profile_link(did: str, handle: str | None = None) -> str:
    """The profile's address: by handle if it resolves, else by DID, which always does.

    ``handle.invalid`` is what ``app.bsky.actor.defs`` views show for a handle that fails.
    """
    return f"{SITE}/profile/{did if handle in (None, '', 'handle.invalid') else handle}"


def make_link(uri: str, handle: str | None = None) -> str:
    """The address of the post, feed or list of this AT URI; of its author for anything else."""
    match = _AT_URI.fullmatch(uri)
    if match is None:
        return SITE
    profile = make_profile_link(match["did"], handle)
    if match["collection"] == "app.bsky.graph.starterpack":
        return f"{SITE}/starter-pack/{match['did']}/{match['key']}"
    path = _PATHS.get(match["collection"])
    return f"{profile}/{path}/{match['key']}" if path else profile

"""The XRPC methods, one module for each part of the lexicons."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.bluesky.server.method import Method
from sandbox.bluesky.server.methods import (
    actor,
    conversation,
    feed,
    graph,
    notification,
    repository,
    session,
)

_ALL = (*session.METHODS, *repository.METHODS, *actor.METHODS, *feed.METHODS, *graph.METHODS)

METHODS: Mapping[str, Method] = {
    method.nsid: method for method in (*_ALL, *notification.METHODS, *conversation.METHODS)
}
"""Every method of this server, by NSID."""

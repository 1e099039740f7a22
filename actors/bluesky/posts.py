"""Asking for posts by their addresses (``app.bsky.feed.getPosts``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from actors.bluesky.answers import read_list
from actors.bluesky.client import Bluesky
from actors.messages import Json

V = TypeVar("V")

POSTS_PER_REQUEST = 25
"""``app.bsky.feed.getPosts`` takes no more uris."""


async def get_posts(bluesky: Bluesky, uris: Sequence[str]) -> list[Json]:
    """The views of the posts that are there, in any order; the others are left out.

    Raises:
        Rejected, Retryable, AuthRejected, Malformed: as the client says. One uri that the server
            refuses spoils the request.
    """
    answer = await bluesky.query("app.bsky.feed.getPosts", {"uris": list(uris)})
    return [view for view in read_list(answer, "posts") if isinstance(view, dict)]


def make_batches(values: Sequence[V]) -> list[Sequence[V]]:
    """The values in pieces that one request takes."""
    size = POSTS_PER_REQUEST
    return [values[start : start + size] for start in range(0, len(values), size)]

"""Where what was fetched is worked on: in threads, so that nothing waits for the processor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import trio

R = TypeVar("R")

MOST_IMAGE_BYTES = 2_000_000
"""``app.bsky.embed.images``: ``image``."""
MOST_THUMB_BYTES = 1_000_000
"""``app.bsky.embed.external``: ``thumb``."""


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image as it is uploaded. Its size is in pixels, as it is shown."""

    content: bytes
    mime: str
    width: int
    height: int


class Workshop:
    """Works on what was fetched in threads of its own, so that nothing waits for the processor.

    Args:
        at_once: how many things are worked on at a time, and so how much memory that takes.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._limiter = trio.CapacityLimiter(at_once)

    async def prepare(self, content: bytes, most_bytes: int = MOST_IMAGE_BYTES) -> PreparedImage:
        """See :func:`actors.media.images.prepare_image`. If cancelled, the work ends unheeded."""
        return await self.run(partial(_prepare, content, most_bytes))

    async def run(self, work: Callable[[], R]) -> R:
        """Have any other work done, as long as there is a place. Cancelled: the same."""
        return await trio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)


def _prepare(content: bytes, most_bytes: int) -> PreparedImage:
    # Only here: Pillow is 3 MB that nobody needs whose agents send no images.
    from actors.media.images import prepare_image

    return prepare_image(content, most_bytes)

"""Files and pages that are there, or not, without a network."""

from __future__ import annotations

import functools

import trio

from actors.media.fetching import Fetched, Wanted
from runtime.errors import Rejected
from tests.bluesky.scripted_bluesky import Points
from tests.media.pictures import make_picture, write_picture

GENESYS = "https://api.genesys.test/api/v2/downloads/"


@functools.cache
def make_file(width: int) -> bytes:
    """A small picture, so many pixels wide."""
    return write_picture("PNG", make_picture(width, 10))


class ScriptedFiles:
    """Fulfils :class:`actors.media.fetching.Files` and ``Fetch``.

    Attributes:
        contents: type and content by address. At ``GENESYS`` + N there is a picture N pixels wide.
        trouble: errors by address, one for each of the next fetches (``None``: none).
        delays: how long an address takes, in seconds.
        fetched: the addresses asked for, in order.
    """

    def __init__(self) -> None:
        self.points = Points()
        self.contents: dict[str, tuple[str, bytes]] = {}
        self.trouble: dict[str, list[Exception | None]] = {}
        self.delays: dict[str, float] = {}
        self.fetched: list[str] = []

    async def fetch(self, url: str, wanted: Wanted) -> Fetched:
        self.fetched.append(url)
        await self.points.reach()
        await trio.sleep(self.delays.get(url, 0.0))
        waiting = self.trouble.get(url)
        error = waiting.pop(0) if waiting else None
        if error is not None:
            raise error
        width = url.removeprefix(GENESYS)
        if width.isdigit():
            return Fetched(url, "image/png", None, make_file(int(width)))
        if url not in self.contents:
            raise Rejected("status", "files.test answered 404")
        media_type, content = self.contents[url]
        if not media_type.startswith(wanted.types):
            raise Rejected("type", f"files.test sent {media_type}")
        return Fetched(url, media_type, "utf-8", content[: wanted.most_bytes])

    def is_public(self, url: str) -> bool:
        return not url.startswith(GENESYS)

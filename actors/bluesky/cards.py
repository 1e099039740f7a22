"""The card below a post that has a link: what the page says of itself."""

from __future__ import annotations

from functools import partial

import trio

from actors.bluesky.calls import Calls
from actors.bluesky.media import Media
from actors.media.fetching import Fetch, Wanted
from actors.media.pages import Page, read_page
from actors.media.workshop import MOST_THUMB_BYTES
from actors.messages import Json
from runtime.errors import Fault

CARD_EMBED = "app.bsky.embed.external"
CARD_WITHIN_S = 5.0
"""An answer is worth more than its card: so long it waits for the page and its picture."""

_PAGE = Wanted(("text/html", "application/xhtml+xml"), 512 * 1024, CARD_WITHIN_S, cut=True)
_PICTURE = Wanted(("image/",), 10 * 1024 * 1024, CARD_WITHIN_S)


async def make_card(calls: Calls, media: Media, link: str) -> Json | None:
    """The card of a link (``app.bsky.embed.external``); ``None`` if the page gives none in time.

    Never fails: without its picture, or without a card, the answer is still the answer. If
    cancelled, a picture may be uploaded that no record needs, and that the server drops.
    """
    if media.pages is None:
        return None
    card: Json | None = None
    with trio.move_on_after(CARD_WITHIN_S):
        try:
            page = await _fetch_page(media.pages, media, link)
        except Fault:
            return None
        if page is None:
            return None
        external = {"uri": link, "title": page.title, "description": page.description}
        card = {"$type": CARD_EMBED, "external": external}
        if page.picture is not None:
            try:
                thumb = await _upload_picture(calls, media.pages, media, page.picture)
            except Fault:
                return card
            card = {"$type": CARD_EMBED, "external": {**external, "thumb": thumb}}
    return card


def without_picture(card: Json) -> Json:
    """The same card, when its picture is not there any more."""
    external = {name: value for name, value in card["external"].items() if name != "thumb"}
    return {**card, "external": external}


async def _fetch_page(pages: Fetch, media: Media, link: str) -> Page | None:
    found = await pages.fetch(link, _PAGE)
    return await media.workshop.run(partial(read_page, found.content, found.charset, found.url))


async def _upload_picture(calls: Calls, pages: Fetch, media: Media, url: str) -> Json:
    found = await pages.fetch(url, _PICTURE)
    prepared = await media.workshop.prepare(found.content, MOST_THUMB_BYTES)
    return await calls.upload_blob(prepared.content, prepared.mime)

"""Bluesky's rich text as plain text in which every link can be followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from actors.translation.inbound_views import (
    Entity,
    Facet,
    PostRecord,
    as_object,
    as_text,
    find_view,
)

_FEATURE = "app.bsky.richtext.facet#"
_HOST_ENDS = re.compile("[/?#]")
_MOST_FACETS = 150
"""The longest post has no room for more words. Nothing limits facets but the size of a record."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A link or mention, and the bytes of the text that it stands on, the end exclusive."""

    kind: Literal["link", "mention"]
    value: str
    start: int
    end: int


def read_features(facets: object) -> tuple[Feature, ...]:
    """The links and mentions in a list of ``app.bsky.richtext.facet``; what is odd is left out."""
    return tuple(_features(facets))


def read_post_features(record: PostRecord) -> tuple[Feature, ...]:
    """Those of a post; of an old post those that its ``entities`` tell of."""
    if record.facets is not None or not isinstance(record.entities, list):
        return read_features(record.facets)
    entities = (find_view(Entity, raw) for raw in record.entities[:_MOST_FACETS])
    return read_features([_make_facet(entity, record.text) for entity in entities if entity])


def expand_links(text: str, features: Sequence[Feature]) -> str:
    """Show each link (``app.bsky.richtext.facet#link``) in full.

    Clients shorten what they show, so that only the facet holds the address. A shortened address
    is replaced; a label keeps its words and gets the address behind it. An address whose facet
    points at no proper piece of the text is put below it, rather than lost.
    """
    encoded = text.encode()
    pieces: list[bytes] = []
    below: list[str] = []
    done = 0
    links = [one for one in features if one.kind == "link"]
    for link in sorted(links, key=lambda one: one.start):
        shown = _slice(encoded, link.start, link.end)
        if shown is None or link.start < done:
            below.append(link.value)
            continue
        pieces += [encoded[done : link.start], _expand(shown, link.value).encode()]
        done = link.end
    expanded = b"".join([*pieces, encoded[done:]]).decode()
    missing = [uri for uri in dict.fromkeys(below) if uri not in expanded]
    return "\n".join([expanded, *missing])


def find_mentions(features: Sequence[Feature]) -> tuple[str, ...]:
    """The DIDs mentioned (``app.bsky.richtext.facet#mention``), in order, each once."""
    mentions = (one.value for one in features if one.kind == "mention")
    return tuple(dict.fromkeys(mentions))


def _features(facets: object) -> Iterator[Feature]:
    if not isinstance(facets, list):
        return
    for raw in facets[:_MOST_FACETS]:
        facet = find_view(Facet, raw)
        if facet is None:
            continue
        start, end = facet.index.byte_start, facet.index.byte_end
        for feature in map(as_object, facet.features):
            kind, uri, did = (as_text(feature.get(key)) for key in ("$type", "uri", "did"))
            if uri and kind == f"{_FEATURE}link":
                yield Feature("link", uri, start, end)
            if did and kind == f"{_FEATURE}mention":
                yield Feature("mention", did, start, end)


def _make_facet(entity: Entity, text: str) -> dict[str, object]:
    """``app.bsky.richtext.facet``, whose index counts bytes, of an entity."""
    units = text.encode("utf-16-le")
    start, end = (
        len(units[: 2 * at].decode("utf-16-le", "ignore").encode())
        for at in (entity.index.start, entity.index.end)
    )
    key = "did" if entity.type == "mention" else "uri"
    feature = {"$type": f"{_FEATURE}{entity.type}", key: entity.value}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def _slice(encoded: bytes, start: int, end: int) -> str | None:
    """The piece between two borders of characters; ``None`` if they are none."""
    if not start < end <= len(encoded) or _is_inside(encoded, start) or _is_inside(encoded, end):
        return None
    return encoded[start:end].decode()


def _is_inside(encoded: bytes, at: int) -> bool:
    """Whether a character goes on here that began before."""
    return at < len(encoded) and encoded[at] & 0b1100_0000 == 0b1000_0000


def _expand(shown: str, uri: str) -> str:
    """A shortened address has the whole host. Less of it may be a word: ``go``, on google.com."""
    bare = _without_scheme(shown).removesuffix("...").removesuffix("…").rstrip("/")
    address = _without_scheme(uri)
    host = _HOST_ENDS.split(address, maxsplit=1)[0]
    if len(bare) >= len(host) and address.lower().startswith(bare.lower()):
        return uri
    return f"{shown} ({uri})"


def _without_scheme(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").removeprefix("www.")

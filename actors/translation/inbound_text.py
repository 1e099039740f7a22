"""Bluesky's rich text as plain text in which every link can be followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from actors.translation.inbound_views import Entity, Facet, FacetFeature, PostRecord, find_view

_FEATURE = "app.bsky.richtext.facet#"
_MOST_FACETS = 1000
"""More of them than the longest text has characters: the rest cannot be of any use."""


@dataclass(frozen=True, slots=True)
class _Feature:
    kind: Literal["link", "mention"]
    value: str
    start: int
    end: int


def find_facets(record: PostRecord) -> object:
    """The facets of a post; for old posts those that their ``entities`` stand for."""
    if record.facets is not None or not isinstance(record.entities, list):
        return record.facets
    entities = (find_view(Entity, raw) for raw in record.entities[:_MOST_FACETS])
    return [_make_facet(entity, record.text) for entity in entities if entity]


def expand_links(text: str, facets: object) -> str:
    """Show each link (``app.bsky.richtext.facet#link``) in full.

    Clients shorten what they show, so that only the facet holds the address. A shortened address
    is replaced; a label keeps its words and gets the address behind it. An address whose facet
    points at no proper piece of the text is put below it, rather than lost.
    """
    encoded = text.encode()
    pieces: list[bytes] = []
    below: list[str] = []
    done = 0
    links = [one for one in _features(facets) if one.kind == "link"]
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


def find_mentions(facets: object) -> tuple[str, ...]:
    """The DIDs mentioned (``app.bsky.richtext.facet#mention``), in order, each once."""
    mentions = (one.value for one in _features(facets) if one.kind == "mention")
    return tuple(dict.fromkeys(mentions))


def _features(facets: object) -> Iterator[_Feature]:
    if not isinstance(facets, list):
        return
    for raw in facets[:_MOST_FACETS]:
        facet = find_view(Facet, raw)
        if facet is None:
            continue
        start, end = facet.index.byte_start, facet.index.byte_end
        for one in facet.features:
            feature = find_view(FacetFeature, one)
            if feature and feature.uri and feature.kind == f"{_FEATURE}link":
                yield _Feature("link", feature.uri, start, end)
            if feature and feature.did and feature.kind == f"{_FEATURE}mention":
                yield _Feature("mention", feature.did, start, end)


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
    bare = _without_scheme(shown).removesuffix("...").removesuffix("…").rstrip("/")
    if bare and _without_scheme(uri).lower().startswith(bare.lower()):
        return uri
    return f"{shown} ({uri})"


def _without_scheme(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").removeprefix("www.")

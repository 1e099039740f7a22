"""Bluesky's rich text as plain text in which every link can be followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from actors.translation.inbound_views import Facet, find_view

_FEATURE = "app.bsky.richtext.facet#"


@dataclass(frozen=True, slots=True)
class _Feature:
    kind: Literal["link", "mention"]
    value: str
    start: int
    end: int


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
    for raw in facets:
        facet = find_view(Facet, raw)
        for feature in facet.features if facet else ():
            start, end = (facet.index.byte_start, facet.index.byte_end) if facet else (0, 0)
            uri, did = feature.get("uri"), feature.get("did")
            if feature.get("$type") == f"{_FEATURE}link" and isinstance(uri, str):
                yield _Feature("link", uri, start, end)
            if feature.get("$type") == f"{_FEATURE}mention" and isinstance(did, str):
                yield _Feature("mention", did, start, end)


def _slice(encoded: bytes, start: int, end: int) -> str | None:
    if not start < end <= len(encoded):
        return None
    try:
        encoded[:start].decode()
        return encoded[start:end].decode()
    except UnicodeDecodeError:
        return None


def _expand(shown: str, uri: str) -> str:
    bare = _without_scheme(shown).removesuffix("...").removesuffix("…").rstrip("/")
    if bare and _without_scheme(uri).lower().startswith(bare.lower()):
        return uri
    return f"{shown} ({uri})"


def _without_scheme(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").removeprefix("www.")

"""Facets: where a text mentions, links and tags, in UTF-8 bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.bluesky.records import LINK, MENTION, TAG

_MENTION = re.compile(r"(?<![\w@.])@((?:[a-zA-Z0-9-]+\.)+[a-zA-Z][a-zA-Z0-9-]*)")
_LINK = re.compile(r"https?://\S+")
_TAG = re.compile(r"(?<!\S)#([^\s#]*[^\s#\W\d][^\s#]*)")
_TRAILING = ".,;:!?)\"'"


def detect_facets(text: str, resolve: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """The facets that a client would write for ``text``, in its order.

    ``resolve`` gives the DID of a handle, ``None`` if there is none: then it is plain text.
    """
    facets = []
    for match in _LINK.finditer(text):
        uri = match.group().rstrip(_TRAILING)
        facets.append(_facet(text, match.start(), match.start() + len(uri), LINK, uri=uri))
    for match in _MENTION.finditer(text):
        if (did := resolve(match.group(1))) is not None:
            facets.append(_facet(text, match.start(), match.end(), MENTION, did=did))
    for match in _TAG.finditer(text):
        tag = match.group(1).rstrip(_TRAILING)
        facets.append(_facet(text, match.start(), match.start() + 1 + len(tag), TAG, tag=tag))
    return sorted(facets, key=lambda facet: int(facet["index"]["byteStart"]))


def _facet(text: str, start: int, end: int, kind: str, **value: str) -> dict[str, Any]:
    byte_start = len(text[:start].encode())
    byte_end = byte_start + len(text[start:end].encode())
    return {
        "index": {"byteStart": byte_start, "byteEnd": byte_end},
        "features": [{"$type": kind, **value}],
    }

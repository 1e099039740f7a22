"""Leaving out of a platform's error what it repeats of the request: people's words and names.

What a platform says of an error goes to logs, to ``/health`` and to the reasons of dead letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx

_WORD = re.compile(r"\w{3,}")
_LEFT_OUT = "…"


def conceal_echoes(said: str, request: httpx.Request) -> str:
    """What was said, with each word that was a word of the request's texts as ``…``.

    Names of fields, and of what is in paths, stay: they say what is wrong.
    """
    sent = {word.casefold() for text in _texts_of(request) for word in _WORD.findall(text)}
    if not sent:
        return said
    return _WORD.sub(lambda found: _LEFT_OUT if found[0].casefold() in sent else found[0], said)


def _texts_of(request: httpx.Request) -> Iterator[str]:
    yield from request.url.params.values()
    try:
        yield from _strings_in(json.loads(request.content))
    except (ValueError, RecursionError, httpx.RequestNotRead):
        # A file, or nothing at all.
        return


def _strings_in(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings_in(one)
        case dict():
            for one in value.values():
                yield from _strings_in(one)

"""Telling which posts of the whole network's stream are of interest, as cheaply as can be.

An event of Jetstream is one line of JSON. Hundreds come in a second, and hardly any is of
interest, so its text is searched for our DID and for words before it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from actors.bluesky.noise import has_word, join_text
from actors.messages import InboundReason
from actors.translation.inbound_text import find_mentions, read_features
from actors.translation.inbound_views import as_object, as_text, as_texts
from actors.translation.times import find_time
from runtime.errors import Malformed

POST = "app.bsky.feed.post"
_TIME = re.compile(r'"time_us":\s*(\d{1,18})')
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+")
_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_WORD = re.compile(r"\w+")
_OPERATORS = {"AND", "OR", "NOT"}


@dataclass(frozen=True, slots=True)
class Match:
    """A post of interest.

    Attributes:
        uri: its address; ``root_uri`` that of its thread's first post.
        author_did: who wrote it.
        reason: why it is of interest.
        is_certain: ``False`` for an answer to somebody else in a thread of ours: Bluesky tells of
            those a few levels deep only.
        time_us: when Jetstream saw it, in unix microseconds.
        created_s: when its author wrote it, by their own clock, in unix seconds.
    """

    uri: str
    root_uri: str
    author_did: str
    reason: InboundReason
    is_certain: bool
    time_us: int
    created_s: float | None


class Matcher:
    """Knows what is looked for.

    Args:
        own_did: whose mentions, answers and quotes are of interest.
        queries: the words of each query, lower case; a post that has all of one is of interest.
    """

    def __init__(self, own_did: str, queries: Iterable[tuple[str, ...]]) -> None:
        self._own_did = own_did
        self._queries = tuple(queries)

    def match(self, line: str) -> Match | None:
        """The post in an event, if it is of interest.

        Raises:
            Malformed: it might be, but cannot be read.
        """
        if self._own_did not in line and not self._may_be_hit(line):
            return None
        try:
            event: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"no event of Jetstream: {type(error).__name__}") from error
        return self._match(as_object(event))

    def _may_be_hit(self, line: str) -> bool:
        if not self._queries:
            return False
        folded = line.casefold()
        # A character that is written as an escape may be part of a word.
        return "\\u" in folded or any(
            all(word in folded for word in words) for words in self._queries
        )

    def _match(self, event: dict[str, Any]) -> Match | None:
        commit = as_object(event.get("commit"))
        if commit.get("operation") != "create" or commit.get("collection") != POST:
            return None
        did, key, time_us = event.get("did"), commit.get("rkey"), event.get("time_us")
        record = as_object(commit.get("record"))
        if not isinstance(did, str) or not _DID.fullmatch(did) or not isinstance(time_us, int):
            raise Malformed("no event of Jetstream: did or time_us is missing")
        if not isinstance(key, str) or not _KEY.fullmatch(key) or not record:
            raise Malformed("no commit of Jetstream: rkey or record is missing")
        if did == self._own_did:
            return None
        found = self._find_reason(record)
        if found is None:
            return None
        uri = f"at://{did}/{POST}/{key}"
        root_uri = _find_uri(as_object(record.get("reply")).get("root")) or uri
        created_s = find_time(record.get("createdAt"))
        return Match(uri, root_uri, did, *found, time_us, created_s)

    def _find_reason(self, record: dict[str, Any]) -> tuple[InboundReason, bool] | None:
        """Why, in the order in which Bluesky chooses among several reasons, and if it is sure."""
        if self._own_did in find_mentions(read_features(record.get("facets"))):
            return "mention", True
        if self._is_ours(_find_quoted(as_object(record.get("embed")))):
            return "quote", True
        reply = as_object(record.get("reply"))
        if self._is_ours(_find_uri(reply.get("parent"))):
            return "reply", True
        if self._is_hit(record):
            return "search", True
        return ("reply", False) if self._is_ours(_find_uri(reply.get("root"))) else None

    def _is_ours(self, uri: str | None) -> bool:
        return uri is not None and uri.startswith(f"at://{self._own_did}/{POST}/")

    def _is_hit(self, record: dict[str, Any]) -> bool:
        folded = join_text(as_text(record.get("text")), as_texts(record.get("tags")))
        return any(all(has_word(folded, word) for word in words) for words in self._queries)


def find_time_us(line: str) -> int | None:
    """When Jetstream saw an event, in unix microseconds; it names that before all content."""
    found = _TIME.search(line)
    return None if found is None else int(found[1])


def list_plain(queries: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of each query that is nothing but words, lower case.

    All else (phrases, ``from:``, ``lang:``, tags, ``-`` or ``OR``) only the search understands.
    """
    split = (query.split() for query in queries)
    return [
        tuple(word.casefold() for word in words)
        for words in split
        if words and all(_WORD.fullmatch(one) and one not in _OPERATORS for one in words)
    ]


def _find_quoted(embed: dict[str, Any]) -> str | None:
    """What ``app.bsky.embed.record`` or ``#recordWithMedia`` shows."""
    record = as_object(embed.get("record"))
    return _find_uri(record) or _find_uri(record.get("record"))


def _find_uri(reference: object) -> str | None:
    uri = as_object(reference).get("uri")
    return uri if isinstance(uri, str) else None

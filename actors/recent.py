"""A small memory of what was done lately."""

from __future__ import annotations

from collections.abc import Iterable

_KEY = 8
"""Bytes that are kept of a text."""
_ROW = 8 * _KEY
_ROOM = 3
"""So many times the capacity have room: some rows are fuller than others."""


class Recent:
    """Remembers nearly all of the last ``capacity`` texts that were added or asked for, and more.

    It is given to an actor, and where it belongs to whoever puts the house together it outlives
    the actor's incarnations. What it has forgotten is done or asked again, so it may only save
    work, never decide.

    It takes all its memory at once, 24 to 48 bytes a text, and never any more: dictionaries of
    thousands of texts that come and go would be most of what a busy connector has in memory, and
    leave holes in the rest. It is a table of rows of eight keys. A text has one row, in which the
    last used comes first and pushes out the last: less than one in a hundred is forgotten before
    its time, since more than usual had the same row.

    A key is 63 bits of the text's hash, which is another one in every process: a text that it does
    not know is taken for one that it knows once in some 10^18 times.
    """

    def __init__(self, capacity: int = 5000) -> None:
        rows = 1 << (capacity * _ROOM * _KEY // _ROW).bit_length()
        self._mask = rows - 1
        self._table = bytearray(rows * _ROW)

    def add(self, texts: Iterable[str]) -> None:
        """Remember these, each instead of what was not used for longest if there is no room."""
        for text in texts:
            row, key = self._locate(text)
            at = self._find(row, key)
            self._move_up(row, key, row + _ROW - _KEY if at < 0 else at)

    def discard(self, text: str) -> None:
        """Forget this, if it is remembered."""
        row, key = self._locate(text)
        at = self._find(row, key)
        if at >= 0:
            self._table[at : row + _ROW] = self._table[at + _KEY : row + _ROW] + bytes(_KEY)

    def __contains__(self, text: str) -> bool:
        row, key = self._locate(text)
        at = self._find(row, key)
        if at > row:
            self._move_up(row, key, at)
        return at >= 0

    def _locate(self, text: str) -> tuple[int, bytes]:
        """Where its row begins, and its key. Only a place without a text has nothing but zeros."""
        number = hash(text)
        row = (number >> 1 & self._mask) * _ROW
        return row, (number | 1).to_bytes(_KEY, "little", signed=True)

    def _find(self, row: int, key: bytes) -> int:
        at = self._table.find(key, row, row + _ROW)
        # Parts of two keys that look like a third are as good as never there.
        return at if at % _KEY == 0 else -1

    def _move_up(self, row: int, key: bytes, at: int) -> None:
        """Put it first, and all before ``at`` one place further."""
        self._table[row : at + _KEY] = key + self._table[row:at]

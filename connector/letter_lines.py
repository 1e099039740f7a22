"""How dead letters are shown: one to a line, or one whole.

All of it may hold what others wrote, so nothing that is not printable reaches the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from actors.dead_letters import Envelope, KeptLetter
from runtime.clock import format_time

_SHORTEST_ID = 12
_HEAD_AND_TAIL = (10, 13)
_WIDEST = 40
_LEAST_REASON = 20
_GOES_ON = "…"
_TITLES = ("ID", "DIED (UTC)", "SOURCE", "CODE", "ATTEMPTS", "CONVERSATION", "REASON")


class LetterList:
    """Lays out letters as the rows of a table, a page at a time.

    Args:
        letter_ids: of all letters there are.
        width: of the terminal, in columns: ids are shortened to what tells them apart, reasons
            are cut, and titles stand over each page. ``None`` without a terminal: everything
            whole, parted by tabs.
    """

    def __init__(self, letter_ids: Sequence[str], width: int | None) -> None:
        self._width = width
        self._short = shorten_ids(letter_ids) if width is not None else {}

    def lay_out(self, page: Sequence[Envelope]) -> Iterator[str]:
        """Each letter on one line, without its content."""
        rows = [self._make_row(envelope) for envelope in page]
        if self._width is None:
            yield from map("\t".join, rows)
            return
        rows.insert(0, _TITLES)
        widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
        for *cells, reason in rows:
            columns = (cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
            line = "  ".join(columns) + "  "
            left = max(self._width - len(line), _LEAST_REASON)
            yield line + (reason if len(reason) <= left else reason[: left - 1] + _GOES_ON)

    def _make_row(self, envelope: Envelope) -> tuple[str, ...]:
        letter_id, conversation = envelope.letter_id, envelope.conversation
        if self._width is not None:
            letter_id = self._short.get(letter_id, letter_id)
            conversation = _squeeze(conversation)
        cells = (
            letter_id,
            format_time(envelope.died_at).partition(".")[0] + "Z",
            envelope.source,
            envelope.code,
            str(envelope.attempts),
            conversation or "-",
            envelope.why,
        )
        return tuple(make_printable(" ".join(cell.split())) for cell in cells)


def describe_letter(letter: KeptLetter) -> Iterator[str]:
    """All there is to know of a letter, line by line. Content that is JSON is laid out."""
    envelope = letter.envelope
    facts = {
        "id": envelope.letter_id,
        "source": envelope.source,
        "conversation": envelope.conversation or "-",
        "recorded": format_time(envelope.recorded_at),
        "died": format_time(envelope.died_at),
        "retries": str(envelope.attempts),
        "code": envelope.code,
        "reason": envelope.why,
    }
    for name, text in facts.items():
        yield f"{name:<14}{make_printable(text)}"
    yield ""
    yield make_printable(_lay_out_json(letter.payload), lines=True)


def shorten_ids(letter_ids: Sequence[str]) -> dict[str, str]:
    """The shortest beginning of each id that no other shares; “…” says that it goes on."""
    ordered = sorted(letter_ids)
    shared = [_count_shared(*pair) for pair in pairwise(["", *ordered, ""])]
    short = {}
    for letter_id, with_neighbours in zip(ordered, pairwise(shared), strict=True):
        length = max(*with_neighbours, _SHORTEST_ID - 1) + 1
        whole = length + 1 >= len(letter_id)
        short[letter_id] = letter_id if whole else letter_id[:length] + _GOES_ON
    return short


def read_id(text: str) -> str:
    """An id, or the beginning of one, as it was copied from a list."""
    return text.removesuffix(_GOES_ON)


def make_printable(text: str, *, lines: bool = False) -> str:
    """The text with all that is not printable written as in JSON.

    Args:
        lines: whether line breaks stay.
    """
    return "".join(
        one if one.isprintable() or (lines and one == "\n") else json.dumps(one)[1:-1]
        for one in text
    )


def _count_shared(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _squeeze(text: str) -> str:
    """The beginning, which says what it is, and the end, which tells it apart."""
    head, tail = _HEAD_AND_TAIL
    return text if len(text) <= head + tail + 1 else text[:head] + _GOES_ON + text[-tail:]


def _lay_out_json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text

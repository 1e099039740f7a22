"""Dead letters as they are shown: to be read, to be copied, and harmless to a terminal."""

from __future__ import annotations

import dataclasses

import pytest

from actors.dead_letters import Envelope, KeptLetter
from connector.letter_lines import LetterList, describe_letter, make_printable, read_id, shorten_ids

ENVELOPE = Envelope(
    letter_id="post:at://did:plc:alice/app.bsky.feed.post/3lalice",
    source="GenesysSender",
    conversation="thread:at://did:plc:alice/app.bsky.feed.post/3lroot",
    code="bad.request",
    why="Genesys said:\nthe \x1b[31mtext\x1b[0m is too long, " + "and so on, " * 20,
    attempts=3,
    recorded_at=1_767_225_600.0,
    died_at=1_767_225_660.5,
)
OTHER = dataclasses.replace(ENVELOPE, letter_id="agent:1", code="UnsupportedMessage", why="short")


def test_without_a_terminal_a_line_is_whole_and_parted_by_tabs() -> None:
    """A script finds every field; nobody's line break makes two letters of one."""
    table = LetterList([ENVELOPE.letter_id], None)
    (row,) = table.lay_out([ENVELOPE])
    cells = row.split("\t")
    assert cells[:6] == [
        ENVELOPE.letter_id,
        "2026-01-01T00:01:00Z",
        "GenesysSender",
        "bad.request",
        "3",
        ENVELOPE.conversation,
    ]
    assert cells[6].startswith("Genesys said: the \\u001b[31mtext")
    assert len(cells) == 7


@pytest.mark.parametrize("width", [140, 200])
def test_on_a_terminal_a_line_fits_the_width(width: int) -> None:
    """The reason is cut, under its title."""
    table = LetterList([ENVELOPE.letter_id, "agent:1"], width)
    head, row, other = table.lay_out([ENVELOPE, OTHER])
    assert len(row) == width
    assert row.endswith("…")
    assert row.startswith("post:at://di…  ")
    assert "  thread:at:…d.post/3lroot  " in row
    assert row.index("Genesys said") == head.index("REASON") == other.index("short")
    assert other.startswith("agent:1  ")


def test_a_short_id_is_one_that_is_understood() -> None:
    """As long as it must be to be the only one, and no shorter than can be recognized."""
    ids = ["agent:1", "agent:12", "post:at://did:plc:alice/a/1", "post:at://did:plc:alice/a/22222"]
    short = shorten_ids(ids)
    assert list(short.values()) == [
        "agent:1",
        "agent:12",
        "post:at://did:plc:alice/a/1",
        "post:at://did:plc:alice/a/2…",
    ]
    for letter_id, shown in short.items():
        beginning = read_id(shown)
        assert beginning in ids or [one for one in ids if one.startswith(beginning)] == [letter_id]
    assert shorten_ids(["letter:DMPoller:0123456789abcdef"]) == {
        "letter:DMPoller:0123456789abcdef": "letter:DMPol…"
    }
    assert shorten_ids([]) == {}


def test_a_letter_is_shown_whole_with_its_content_laid_out() -> None:
    """Times in UTC; customers' languages stay readable."""
    letter = KeptLetter(ENVELOPE, '{"text": "日本語", "n": [1]}')
    told = "\n".join(describe_letter(letter))
    assert "recorded      2026-01-01T00:00:00.000Z\n" in told
    assert "died          2026-01-01T00:01:00.500Z\n" in told
    assert "retries       3\n" in told
    assert f"id            {ENVELOPE.letter_id}\n" in told
    assert ENVELOPE.why.count("and so on") == told.count("and so on")
    assert told.endswith('\n{\n  "text": "日本語",\n  "n": [\n    1\n  ]\n}')


@pytest.mark.parametrize("payload", ["no\nJSON", "[" * 100_000, ""])
def test_content_that_is_no_json_is_shown_as_it_is(payload: str) -> None:
    """It may be just that what is wrong with it."""
    letter = KeptLetter(dataclasses.replace(ENVELOPE, conversation=""), payload)
    told = "\n".join(describe_letter(letter))
    assert told.endswith("\n\n" + payload)
    assert "conversation  -\n" in told


def test_nothing_reaches_the_terminal_that_is_not_printable() -> None:
    """Neither colours and cursor movements, nor characters that turn the line around."""
    letter = KeptLetter(ENVELOPE, '{"a": "\\u001b[2J \\u009b31m \\u202e \\ud83d"}')
    told = "\n".join(describe_letter(letter))
    assert all(one.isprintable() or one == "\n" for one in told)
    assert '"\\u001b[2J \\u009b31m \\u202e \\ud83d"' in told
    assert make_printable("a\nb\U000e0001") == "a\\nb\\udb40\\udc01"

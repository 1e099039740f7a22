"""What is a command, and what is an ordinary text."""

from __future__ import annotations

import re

import pytest

from actors.translation.commands import (
    COMMANDS,
    EVERY_WORD,
    Typed,
    explain_commands,
    name_commands,
    read_command,
)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("!like", Typed("like", "")),
        ("  !Like \n", Typed("like", "")),
        ("!LIKE please\nnow", Typed("like", "please\nnow")),
        ("!like,thanks", Typed("like", ",thanks")),
        ("!re-post", Typed("re-post", "")),
        ("!ähnlich", Typed("ähnlich", "")),
        ("!2", Typed("2", "")),
    ],
)
def test_a_text_that_begins_with_a_word_behind_a_mark_is_a_command(text: str, typed: Typed) -> None:
    """Known or not, in any case, with what follows it."""
    assert read_command(text) == typed


@pytest.mark.parametrize("text", ["", "like", "!", "! like", "!!like", "¡like!", "so !like", "!-x"])
def test_any_other_text_is_ordinary(text: str) -> None:
    """It is posted as it is."""
    assert read_command(text) is None


def test_every_command_is_known_by_its_word_and_listed() -> None:
    """An agent who mistyped one is shown all of them; ``!help`` says what they do."""
    assert set(COMMANDS) == EVERY_WORD
    for word, command in COMMANDS.items():
        assert command.word == word == word.lower()
        assert read_command(f"!{word}") == Typed(word, "")
        text = " text" if command.takes_text else ""
        assert re.search(rf"!{word}{text}[,.]", name_commands())
        assert re.search(rf"!{word}{text} {command.does}[;.]", explain_commands())


def test_only_the_commands_that_are_allowed_are_listed() -> None:
    """With ``!help``, which cannot be taken away."""
    assert name_commands({"dm"}) == "The commands are: !help, !dm text."
    assert explain_commands(()) == "The commands: !help lists the commands."

"""What an agent may write instead of an answer: a command, ``!word``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command that puts a record about the post being answered.

    Args:
        word: what the agent types behind the ``!``.
        does: completes the sentence "``!word`` ...".
        collection: the NSID of the record, whose ``subject`` is the post.
    """

    word: str
    does: str
    collection: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed: its word in lower case, and the text behind it."""

    word: str
    rest: str


COMMANDS: Mapping[str, Command] = {
    command.word: command
    for command in (
        Command("like", "likes the post", "app.bsky.feed.like"),
        Command("repost", "reposts it", "app.bsky.feed.repost"),
    )
}

_TYPED = re.compile(r"\s*!(\w[\w-]*)(.*)", re.DOTALL)


def read_command(text: str) -> Typed | None:
    """The command that a text begins with, known or not; ``None`` if it is an ordinary text."""
    match = _TYPED.fullmatch(text)
    return Typed(match[1].lower(), match[2].strip()) if match else None


def list_commands() -> str:
    """One sentence for agents that names every command."""
    said = [f"!{command.word} {command.does}" for command in COMMANDS.values()]
    return f"The commands are: {', '.join(said)}."

"""What an agent may write instead of an answer: a command, ``!word``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Word: TypeAlias = Literal[
    "help",
    "like",
    "unlike",
    "repost",
    "unrepost",
    "quote",
    "post",
    "delete",
    "dm",
    "follow",
    "unfollow",
    "mute",
    "unmute",
    "block",
    "unblock",
    "hide",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One of the things that an agent can have done.

    Args:
        word: what the agent types behind the ``!``.
        does: completes the sentence "``!word`` ...".
        public_only: it is about a post, or would publish something: not for private answers.
        takes_text: it needs a text behind it; else it stands alone.
    """

    word: Word
    does: str
    public_only: bool = True
    takes_text: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed: its word in lower case, and the text behind it."""

    word: str
    rest: str


COMMANDS: Mapping[str, Command] = {
    command.word: command
    for command in (
        Command("help", "lists the commands", public_only=False),
        Command("like", "likes the post"),
        Command("unlike", "takes the like back"),
        Command("repost", "reposts it"),
        Command("unrepost", "takes the repost back"),
        Command("quote", "quotes it in a post of our own", takes_text=True),
        Command("post", "publishes a new post that answers nobody", takes_text=True),
        Command("delete", "deletes our last post in this conversation"),
        Command("dm", "answers its author in private", takes_text=True),
        Command("follow", "follows the person", public_only=False),
        Command("unfollow", "ends that", public_only=False),
        Command(
            "mute", "mutes the person: their mentions and replies arrive no more", public_only=False
        ),
        Command("unmute", "ends that", public_only=False),
        Command("block", "blocks the person", public_only=False),
        Command("unblock", "ends that", public_only=False),
        Command("hide", "hides the reply in our thread"),
    )
}
ALWAYS = "help"
"""The command that cannot be taken away."""
EVERY_WORD = frozenset[str](get_args(Word))

_TYPED = re.compile(r"\s*!(\w[\w-]*)(.*)", re.DOTALL)


def read_command(text: str) -> Typed | None:
    """The command that a text begins with, known or not; ``None`` if it is an ordinary text."""
    match = _TYPED.fullmatch(text)
    return Typed(match[1].lower(), match[2].strip()) if match else None


def name_commands(allowed: Collection[str] = EVERY_WORD) -> str:
    """One sentence for agents that names every command of the allowed ones."""
    return f"The commands are: {', '.join(_write(one) for one in _choose(allowed))}."


def explain_commands(allowed: Collection[str] = EVERY_WORD) -> str:
    """The same, with what each of them does."""
    said = (f"{_write(command)} {command.does}" for command in _choose(allowed))
    return f"The commands: {'; '.join(said)}."


def _choose(allowed: Collection[str]) -> list[Command]:
    return [one for one in COMMANDS.values() if one.word in allowed or one.word == ALWAYS]


def _write(command: Command) -> str:
    return f"!{command.word} text" if command.takes_text else f"!{command.word}"

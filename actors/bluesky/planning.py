"""From an agent's message to the plan of what to write: everything before the first effect."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from actors import reasons
from actors.bluesky.answering import Style, Task, plan_direct_message, plan_reply
from actors.bluesky.attachments import check_attachments, link_attachments
from actors.bluesky.calls import Calls
from actors.bluesky.commanding import plan_command
from actors.bluesky.media import Media
from actors.bluesky.people import choose_person
from actors.bluesky.refusals import Refusal
from actors.messages import AgentMessage, JournalEntry, Plan
from actors.store import Store
from actors.translation.commands import (
    ALWAYS,
    COMMANDS,
    EVERY_WORD,
    Command,
    Typed,
    explain_commands,
    name_commands,
    read_command,
)
from actors.translation.plans import clean_text
from runtime.clock import parse_time

RESOLVE_ATTEMPTS = 3
"""How often a message is put off because a handle in it cannot be looked up just now."""

FRESH_S = 60.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the administrator has decided.

    Args:
        commands: the words of the commands that agents may use; ``help`` is always among them.
    """

    commands: Collection[str] = EVERY_WORD
    style: Style = field(default_factory=Style)


async def make_plan(
    calls: Calls,
    store: Store,
    media: Media,
    rules: Rules,
    entry: JournalEntry,
    message: AgentMessage,
    now: float,
) -> Plan:
    """Decide what the message is, look up and upload what it needs, and fix every byte.

    If cancelled, nothing has been written that anybody sees.

    Args:
        message: with those that are to go out together with it.
        now: unix time in seconds.

    Raises:
        Refusal: it is nothing that can be sent.
        UnfitAttachment: the same, of one of those messages.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    text = _join_texts(message)
    task = Task(
        calls=calls,
        store=store,
        media=media,
        message=message,
        conversation=entry.conversation,
        created_at=_choose_time(entry, message, now),
        patient=entry.attempts + 1 < RESOLVE_ATTEMPTS,
        style=rules.style,
    )
    typed = read_command(text)
    if typed is not None:
        command = _check_command(message, typed, rules.commands)
        return await plan_command(task, command, typed.rest, explain_commands(rules.commands))
    if message.channel == "private":
        text = f"{text}\n{link_attachments(media, message)}".strip()
        _check_text(text)
        person = choose_person(message, await calls.did())
        return await plan_direct_message(task, person, text)
    check_attachments(message)
    if not message.attachments and not message.together:
        _check_text(text)
    return await plan_reply(task, text)


def _join_texts(message: AgentMessage) -> str:
    texts = (clean_text(one.text) for one in (message, *message.together))
    return "\n\n".join(text for text in texts if text)


def _check_text(text: str) -> None:
    if not text:
        raise Refusal(reasons.EMPTY)


def _check_command(message: AgentMessage, typed: Typed, allowed: Collection[str]) -> Command:
    """The command that was typed, in its place; a text that looks like one is never posted."""
    command = COMMANDS.get(typed.word)
    if command is None:
        raise Refusal(reasons.NO_COMMAND, typed=typed.word[:32], commands=name_commands(allowed))
    word = command.word
    if word not in allowed and word != ALWAYS:
        raise Refusal(reasons.COMMAND_OFF, word=word, commands=name_commands(allowed))
    if command.public_only and message.channel == "private":
        raise Refusal(reasons.PUBLIC_COMMAND, word=word)
    if command.takes_text and not typed.rest:
        raise Refusal(reasons.TEXT_MISSING, word=word)
    if typed.rest and not command.takes_text and word != ALWAYS:
        raise Refusal(reasons.STANDS_ALONE, word=word)
    if message.attachments:
        raise Refusal(reasons.NO_FILES, word=word)
    return command


def _choose_time(entry: JournalEntry, message: AgentMessage, now: float) -> float:
    """When the agent sent it, unless that is long ago.

    Readers see a post among others by its ``createdAt``; one that was held up for minutes would
    appear below what they have seen already, and its addressee would not be told of it.
    """
    try:
        sent_at = parse_time(message.sent_at)
    except ValueError:
        sent_at = entry.recorded_at
    return sent_at if abs(now - sent_at) <= FRESH_S else now

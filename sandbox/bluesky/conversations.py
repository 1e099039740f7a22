"""Conversations: their members, their messages and what the log tells of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from sandbox.bluesky.identifiers import Json

ConvoStatus: TypeAlias = Literal["request", "accepted"]

EventKind: TypeAlias = Literal[
    "logBeginConvo",
    "logAcceptConvo",
    "logCreateMessage",
    "logDeleteMessage",
    "logReadMessage",
    "logReadConvo",
    "logAddReaction",
    "logAddMember",
]
"""Names of definitions in ``chat.bsky.convo.defs``."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One person's emoji on a message."""

    value: str
    sender: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """``messageInput``: what a sender gives."""

    text: str
    facets: Sequence[Json] = ()
    embed: Json | None = None
    reply_to: str | None = None


@dataclass(eq=False, slots=True)
class Message:
    """A message in a conversation.

    ``added`` is set in a system message only: the DID of the member that it announces.
    """

    message_id: str
    rev: str
    sender: str
    draft: Draft
    sent_at: datetime
    added: str | None = None
    reactions: list[Reaction] = field(default_factory=list)
    deleted_for: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Member:
    """Somebody in a conversation, and how it stands for them. ``read_rev`` is the last one read."""

    did: str
    status: ConvoStatus
    read_rev: str = ""


@dataclass(eq=False, slots=True)
class Conversation:
    """Two people, or a group if it has a name; the first member of a group owns it."""

    convo_id: str
    rev: str
    members: dict[str, Member]
    created_at: datetime
    group_name: str | None = None
    messages: list[Message] = field(default_factory=list)

    def add(self, message: Message) -> None:
        """Put a message at the end: the conversation is as new as it is."""
        self.messages.append(message)
        self.rev = message.rev

    def other_than(self, did: str) -> str:
        """The other one of two."""
        return next(member for member in self.members if member != did)

    def find(self, message_id: str) -> Message | None:
        """The message with this id, if there is one."""
        found = (message for message in self.messages if message.message_id == message_id)
        return next(found, None)

    def unread(self, did: str) -> int:
        """How many messages of others this member has not read."""
        read_rev = self.members[did].read_rev
        return sum(
            1
            for message in self.messages
            if message.rev > read_rev and message.sender != did and did not in message.deleted_for
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a member's log."""

    rev: str
    kind: EventKind
    conversation: Conversation
    message: Message | None = None
    reaction: Reaction | None = None


LOG_PAGE = 100


class Log:
    """What has happened in everybody's conversations, in the order of ``rev``.

    ``on_tell`` is called after each new line.
    """

    def __init__(self, on_tell: Callable[[], None]) -> None:
        self._on_tell = on_tell
        self._events: dict[str, list[Event]] = {}

    def tell(self, recipients: Iterable[str], event: Event) -> None:
        """Add a line to the log of each of these."""
        for did in recipients:
            self._events.setdefault(did, []).append(event)
        self._on_tell()

    def after(self, did: str, cursor: str) -> list[Event]:
        """The next events after a rev. Events that share a rev are never parted."""
        events = self._events.get(did, [])
        start = bisect_right(events, cursor, key=_rev)
        end = min(start + LOG_PAGE, len(events))
        while end < len(events) and events[end].rev == events[end - 1].rev:
            end += 1
        return events[start:end]


def _rev(event: Event) -> str:
    return event.rev

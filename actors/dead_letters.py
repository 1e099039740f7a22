"""Dead letters as a person sees them, and what DedupStore may be asked about them.

Ask with :class:`actors.store.Store`. Times are unix seconds.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from actors.messages import JournalItem, ThreadReference
from runtime.mailbox import Reply


@dataclass(frozen=True, slots=True)
class Envelope:
    """All that is known of a dead letter but its content.

    ``source`` is the actor that could not carry it. ``recorded_at`` is when it came to the
    connector, ``died_at`` when it was given up; ``attempts`` is how often it was tried.
    ``conversation`` is empty for what never was in the journal.
    """

    letter_id: str
    source: str
    conversation: str
    code: str
    why: str
    attempts: int
    recorded_at: float
    died_at: float


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter whole. The payload is that of the journal, or the text as it came."""

    envelope: Envelope
    payload: str


class Replayed(enum.Enum):
    """What became of a letter that was to be put back; the value is what the script answers."""

    APPENDED = "appended"
    """It is in the journal again, and the letter is gone."""
    KNOWN = "known"
    """Its item was recorded in another way meanwhile, and the letter is gone."""
    TOLD = "told"
    """Nothing: what must not be seen was seen. The letter is where it was."""
    GONE = "gone"
    """Nothing: there is no such letter."""


@dataclass(frozen=True, slots=True)
class ListLetters:
    """The ids of all that are kept, the latest to die first."""

    reply: Reply[tuple[str, ...]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class ReadEnvelopes:
    """Read what is known of these; those that are not kept any more are left out."""

    letter_ids: tuple[str, ...]
    reply: Reply[tuple[Envelope, ...]] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """Read one; ``None`` if there is no such letter."""

    letter_id: str
    reply: Reply[KeptLetter | None] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class ReplayLetter:
    """Put a letter back into the journal, in one atomic step: the letter goes, the entry comes.

    The entry is as new: recorded now, without attempts, the last of its conversation.

    Args:
        letter_id: of a letter that is kept.
        item: what to append. By default the entry that died: then the letter must be one of the
            journal. An item with the id of the letter is appended although that was seen: the
            mark is the letter's. Any other is appended only if it was never seen.
        references: kept with it.
        unless_seen: an item id; if it was seen, nothing happens.
    """

    letter_id: str
    item: JournalItem | None = None
    references: tuple[ThreadReference, ...] = ()
    unless_seen: str | None = None
    reply: Reply[Replayed] = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, slots=True)
class DropLetter:
    """Remove a letter for good. Answers whether there was one."""

    letter_id: str
    reply: Reply[bool] = field(default_factory=Reply, compare=False)


DeadLetterRequest: TypeAlias = ListLetters | ReadEnvelopes | ReadLetter | ReplayLetter | DropLetter

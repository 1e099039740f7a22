"""What becomes of something that Genesys delivered, whichever way it came."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from actors.items import make_agent_item
from actors.messages import AgentMessage, DeadLetter, JournalItem
from actors.store import Activity
from actors.translation.webhook import Ignored, Unusable, WebhookContent


@dataclass(frozen=True, slots=True)
class Intake:
    """What is to be recorded together; all of it may be empty.

    ``skipped`` is why the message itself is not carried, in one of few words to be counted by.
    """

    items: tuple[JournalItem, ...] = ()
    letters: tuple[DeadLetter, ...] = ()
    active: tuple[Activity, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is to be recorded before a message, oldest first.

    ``asked`` is the Genesys conversation of which nothing else was missed before that message;
    ``None`` if nobody was asked, or nobody answered.
    """

    intakes: tuple[Intake, ...] = ()
    asked: str | None = None


def make_intake(content: WebhookContent, body: bytes) -> Intake:
    """Sort what was read.

    Args:
        body: as it came, to be kept whole if it cannot be used.
    """
    match content:
        case AgentMessage():
            item = make_agent_item(content)
            named = content.conversation_id
            active = (Activity(item.conversation, "conversation", named),) if named else ()
            return Intake((item,), active=active)
        case Ignored():
            return Intake(_make_items(content.failure), skipped=content.reason)
        case Unusable():
            letters = (_bury(content, body),)
            return Intake(_make_items(content.failure), letters, skipped=content.reason)
        case _:
            assert_never(content)


def join(intakes: Sequence[Intake]) -> Intake:
    """All of them in one, in their order."""
    return Intake(
        tuple(item for one in intakes for item in one.items),
        tuple(letter for one in intakes for letter in one.letters),
        tuple(activity for one in intakes for activity in one.active),
    )


def _make_items(failure: JournalItem | None) -> tuple[JournalItem, ...]:
    return () if failure is None else (failure,)


def _bury(content: Unusable, body: bytes) -> DeadLetter:
    name = content.message_id or hashlib.sha256(body).hexdigest()
    return DeadLetter(
        letter_id=f"webhook:{name}",
        source="WebhookReceiver",
        code=content.reason,
        why=content.why,
        payload=body.decode(errors="replace"),
    )

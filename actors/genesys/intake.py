"""What becomes of something that Genesys delivered, whichever way it came."""

from __future__ import annotations

import hashlib
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

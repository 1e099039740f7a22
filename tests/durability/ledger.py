"""What customers and agents said, as they said it: the truth that both sides are held to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sandbox.genesys.conversations import OutboundMessage

Kind: TypeAlias = Literal["text", "courtesy", "like", "repost", "refused"]

COURTESY = "Thank you!"
"""Agents say the same thing again and again: no token tells one of these from another."""

_TOKEN = re.compile(r"\b[ca]\d{5}\b")


@dataclass(frozen=True, slots=True)
class Said:
    """A customer's post or direct message.

    ``name`` is what Genesys knows it by (``channel.messageId``): the post's uri, or the id of the
    direct message. ``place`` is the root of the thread, or the customer's DID for a direct message.
    """

    token: str
    name: str
    place: str
    customer_did: str
    private: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """An agent's message. ``target`` is the post that it is about; ``None`` for a direct message.

    One that is ``refused`` must have no effect but a Failed receipt.
    """

    token: str
    kind: Kind
    text: str
    target: str | None
    message: OutboundMessage

    @property
    def place(self) -> str:
        """The conversation whose order it keeps."""
        return self.message.conversation_id or self.message.recipient_id


@dataclass(slots=True)
class Ledger:
    """Everything that was said, in the order of saying."""

    said: list[Said] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)

    def next_token(self, letter: Literal["c", "a"]) -> str:
        """A word that stands in one message only: of a customer, or of an agent."""
        count = len(self.said) if letter == "c" else len(self.answered)
        return f"{letter}{count:05}"


def find_token(text: str) -> str | None:
    """The token in a text, if there is one."""
    found = _TOKEN.search(text)
    return found[0] if found else None

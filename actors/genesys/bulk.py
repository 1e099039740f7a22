"""What goes to Genesys Cloud in one request together: posts, and counts of reactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actors.genesys.endpoints import Endpoints
from actors.messages import InboundPost, JournalEntry, ReactionCounts
from actors.translation.open_message import make_public_message, make_reactions


@dataclass(frozen=True, slots=True)
class Part:
    """An entry with what it becomes.

    Attributes:
        path: of the endpoint that it goes to.
        message_id: by which the answer confirms it (``channel.messageId``).
        body: its own part of the body.
    """

    entry: JournalEntry
    path: str
    message_id: str
    body: dict[str, Any]


def make_part(
    entry: JournalEntry, payload: InboundPost | ReactionCounts, endpoints: Endpoints
) -> Part:
    """The part that an entry becomes.

    Raises:
        Malformed: it cannot be said in Genesys' terms.
    """
    match payload:
        case InboundPost() as post:
            body = make_public_message(post)
            return Part(entry, endpoints.public_messages, post.post.uri, body)
        case ReactionCounts() as counts:
            body = make_reactions(counts)
            return Part(entry, endpoints.reactions, counts.post_uri, body)


def make_body(parts: Sequence[Part], endpoints: Endpoints) -> object:
    """The body of one request; all parts go to the same endpoint."""
    bodies = [part.body for part in parts]
    return {"events": bodies} if parts[0].path == endpoints.reactions else bodies


def group(parts: Sequence[Part], size: int) -> list[list[Part]]:
    """The parts as they go together, at most so many in one request.

    Those that failed before go apart: should one of them be what the platform chokes on, it does
    not take the new ones with it.
    """
    alike: dict[tuple[str, bool], list[Part]] = {}
    for part in parts:
        alike.setdefault((part.path, part.entry.attempts > 0), []).append(part)
    return [
        together[start : start + size]
        for together in alike.values()
        for start in range(0, len(together), size)
    ]

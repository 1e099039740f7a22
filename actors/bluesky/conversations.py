"""Bluesky conversations: who is in them, and whether they are requests or groups."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import trio

from actors.bluesky.client import Bluesky
from actors.translation.inbound_views import ProfileView, Raw, View, find_view, parse_view

CAPACITY = 1000
FRESH_FOR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is of interest in a ``chat.bsky.convo.defs#convoView``.

    ``request`` says that somebody else started it and the account has not accepted it.
    ``last_sent_at`` is the time of its last message as the server wrote it, if there is any.
    """

    convo_id: str
    request: bool
    group: bool
    members: tuple[ProfileView, ...]
    last_sent_at: str | None = None


class Conversations:
    """Asks ``chat.bsky.convo.getConvo``, and remembers the answers for an hour."""

    def __init__(self, bluesky: Bluesky) -> None:
        self._bluesky = bluesky
        self._kept: OrderedDict[str, tuple[float, Conversation]] = OrderedDict()

    async def get(self, convo_id: str) -> Conversation:
        """The conversation of this id.

        Raises:
            Rejected: there is none that the account takes part in.
            Retryable, AuthRejected, Malformed: from the network.
        """
        kept = self._kept.get(convo_id)
        if kept is not None and trio.current_time() < kept[0] + FRESH_FOR_S:
            return kept[1]
        answer = await self._bluesky.query(
            "chat.bsky.convo.getConvo", {"convoId": convo_id}, chat=True
        )
        conversation = read_conversation(answer.get("convo"))
        self.remember(conversation)
        return conversation

    def remember(self, conversation: Conversation) -> None:
        """Keep what another answer said of it."""
        self._kept[conversation.convo_id] = (trio.current_time(), conversation)
        self._kept.move_to_end(conversation.convo_id)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)

    def forget(self, convo_id: str) -> None:
        """Something about it has changed."""
        self._kept.pop(convo_id, None)

    def accepted(self, convo_id: str) -> None:
        """It is no request any more."""
        if convo_id in self._kept:
            self.remember(replace(self._kept[convo_id][1], request=False))


class _ConvoView(View):
    """``chat.bsky.convo.defs#convoView``."""

    id: str
    members: tuple[object, ...] = ()
    status: object = None
    kind: object = None
    last_message: Raw | None = None


def read_conversation(view: object) -> Conversation:
    """Read a ``chat.bsky.convo.defs#convoView``.

    Raises:
        Malformed: it is none.
    """
    convo = parse_view(_ConvoView, view)
    kind = convo.kind.get("$type") if isinstance(convo.kind, dict) else None
    members = (find_view(ProfileView, member) for member in convo.members)
    sent_at = (convo.last_message or {}).get("sentAt")
    return Conversation(
        convo_id=convo.id,
        request=convo.status == "request",
        # Older chat services name no kind; a direct conversation has two members, for ever.
        group=kind == "chat.bsky.convo.defs#groupConvo"
        or (kind is None and len(convo.members) > 2),
        members=tuple(member for member in members if member),
        last_sent_at=sent_at if isinstance(sent_at, str) else None,
    )

"""From chat messages as Bluesky shows them to items for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from actors.bluesky.conversations import Conversation, Conversations
from actors.bluesky.letters import make_letter
from actors.bluesky.pacing import map_together
from actors.items import make_direct_message_id, make_direct_message_item
from actors.messages import DeadLetter, JournalItem
from actors.recent import Recent
from actors.translation.inbound import translate_message
from actors.translation.inbound_views import ProfileView, Sender, View, find_view, parse_view
from runtime.actor import Context
from runtime.errors import Malformed, Rejected

RequestPolicy: TypeAlias = Literal["accept", "ignore"]

_DEFS = "chat.bsky.convo.defs#"
_SKIPPED_KINDS = {
    f"{_DEFS}deletedMessageView": "deleted_message",
    f"{_DEFS}systemMessageView": "system_message",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: of the union of message views, and the profiles that came with it."""

    convo_id: str
    message: object
    profiles: object = None


@dataclass(slots=True)
class Intake:
    """What a number of arrivals amounts to. ``requests`` are conversations to be accepted."""

    items: list[JournalItem] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    requests: dict[str, None] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """The ids that are known once this is recorded."""
        return [item.item_id for item in self.items] + [one.letter_id for one in self.letters]


class DirectMessageReader:
    """Reads arrivals: leaves out what is not for Genesys, and finds out who wrote the rest.

    Args:
        own_did: whose own messages are left out.
        requests: whether conversations that customers start are taken in.
        known: ids that are recorded already.
    """

    def __init__(
        self,
        context: Context,
        conversations: Conversations,
        *,
        own_did: str,
        requests: RequestPolicy,
        known: Recent,
    ) -> None:
        self._context = context
        self._conversations = conversations
        self._own_did = own_did
        self._requests = requests
        self._known = known

    async def read(self, arrivals: Sequence[Arrival]) -> Intake:
        """Read these, keeping their order. If cancelled, nothing has happened.

        Raises:
            Retryable, AuthRejected: from the network.
        """
        intake = Intake()
        wanted = [one for one in arrivals if self._is_wanted(one, intake)]
        convo_ids = list(dict.fromkeys(one.convo_id for one in wanted))
        found = await map_together(
            self._find_conversation, convo_ids, limit=self._context.concurrency
        )
        conversations = dict(zip(convo_ids, found, strict=True))
        for arrival in wanted:
            self._take_in(arrival, conversations, intake)
        return intake

    def wants(self, conversation: Conversation) -> bool:
        """Whether messages of this conversation are taken in; if not, the reason is counted."""
        if conversation.group:
            self._context.skipped("group_conversation", convo_id=conversation.convo_id)
            return False
        if conversation.request and self._requests == "ignore":
            self._context.skipped("request_ignored", convo_id=conversation.convo_id)
            return False
        return True

    def _is_wanted(self, arrival: Arrival, intake: Intake) -> bool:
        kind = arrival.message.get("$type") if isinstance(arrival.message, dict) else None
        if kind in _SKIPPED_KINDS:
            self._context.skipped(_SKIPPED_KINDS[kind], convo_id=arrival.convo_id)
            return False
        try:
            head = parse_view(_Head, arrival.message)
        except Malformed as error:
            self._put_aside(arrival, error, intake)
            return False
        if head.sender.did == self._own_did:
            self._context.skipped("own_message", convo_id=arrival.convo_id)
            return False
        return make_direct_message_id(arrival.convo_id, head.id) not in self._known

    async def _find_conversation(self, convo_id: str) -> Conversation | Rejected | Malformed:
        try:
            return await self._conversations.get(convo_id)
        except (Rejected, Malformed) as error:
            return error

    def _take_in(
        self,
        arrival: Arrival,
        conversations: Mapping[str, Conversation | Rejected | Malformed],
        intake: Intake,
    ) -> None:
        conversation = conversations[arrival.convo_id]
        if isinstance(conversation, (Rejected, Malformed)):
            # Without the conversation nobody could answer; but what was written is kept.
            self._put_aside(arrival, conversation, intake)
            return
        if not self.wants(conversation):
            return
        try:
            item = self._translate(arrival, conversation)
        except Malformed as error:
            self._put_aside(arrival, error, intake)
            return
        intake.items.append(item)
        if conversation.request:
            intake.requests[arrival.convo_id] = None

    def _translate(self, arrival: Arrival, conversation: Conversation) -> JournalItem:
        head = parse_view(_Head, arrival.message)
        sender = _find_profile(head.sender.did, arrival.profiles, conversation)
        message = translate_message(arrival.message, arrival.convo_id, sender)
        return make_direct_message_item(message)

    def _put_aside(self, arrival: Arrival, error: Rejected | Malformed, intake: Intake) -> None:
        value = {"convoId": arrival.convo_id, "message": arrival.message}
        letter = make_letter(self._context.name, value, error)
        if letter.letter_id not in self._known:
            intake.letters.append(letter)


class _Head(View):
    """The part of ``chat.bsky.convo.defs#messageView`` that tells whether it is of interest."""

    id: Annotated[str, Field(min_length=1)]
    sender: Sender


def _find_profile(did: str, profiles: object, conversation: Conversation) -> ProfileView:
    """Who has this DID: profiles that came with the message are newer than kept members."""
    for profile in profiles if isinstance(profiles, list) else ():
        view = find_view(ProfileView, profile)
        if view is not None and view.did == did:
            return view
    for member in conversation.members:
        if member.did == did:
            return member
    # What Bluesky itself shows for a handle that nobody can resolve.
    return ProfileView(did=did, handle="handle.invalid")

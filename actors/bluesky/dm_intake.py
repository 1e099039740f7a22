"""From chat messages as Bluesky shows them to items for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from actors.bluesky.conversations import Conversation, Conversations
from actors.bluesky.letters import make_letter
from actors.bluesky.pacing import map_together
from actors.bluesky.profiles import Profiles
from actors.items import make_direct_message_id, make_direct_message_item
from actors.messages import DeadLetter, InboundDirectMessage, JournalItem
from actors.recent import Recent
from actors.translation.inbound import translate_message, translate_reaction
from actors.translation.inbound_views import (
    ProfileView,
    ReactionView,
    Sender,
    View,
    as_object,
    find_view,
    parse_view,
)
from actors.translation.times import find_time
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
    """A message as it came: of the union of message views, and the profiles that came with it.

    ``reaction`` is set where it is not the message that is new, but a reaction to it.
    """

    convo_id: str
    message: object
    profiles: object = None
    reaction: object = None

    def find_time(self) -> float | None:
        """When it was sent, in unix time, if it says so."""
        if self.reaction is None:
            return find_time(as_object(self.message).get("sentAt"))
        return find_time(as_object(self.reaction).get("createdAt"))


@dataclass(slots=True)
class Intake:
    """What a number of arrivals amounts to.

    ``requests`` are conversations to be accepted, and ``read_up_to`` has the last message of each.
    """

    items: list[JournalItem] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    requests: dict[str, None] = field(default_factory=dict)
    read_up_to: dict[str, str] = field(default_factory=dict)

    def add(self, other: Intake) -> None:
        """Take in what came after."""
        self.items += other.items
        self.letters += other.letters
        self.requests |= other.requests
        self.read_up_to |= other.read_up_to

    @property
    def ids(self) -> list[str]:
        """The ids that are known once this is recorded."""
        return [item.item_id for item in self.items] + [one.letter_id for one in self.letters]


class DirectMessageReader:
    """Reads arrivals: leaves out what is not for Genesys, and finds out who wrote the rest.

    Args:
        own_did: whose own messages and reactions are left out.
        requests: whether conversations that customers start are taken in.
        known: ids that are recorded already.
    """

    def __init__(
        self,
        context: Context,
        conversations: Conversations,
        profiles: Profiles,
        *,
        own_did: str,
        requests: RequestPolicy,
        known: Recent,
    ) -> None:
        self._context = context
        self._conversations = conversations
        self._profiles = profiles
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
        accounts = await self._profiles.find(_read_sender(one) for one in wanted)
        for arrival in wanted:
            conversation = conversations[arrival.convo_id]
            if isinstance(conversation, Conversation):
                self._take_in(arrival, conversation, accounts, intake)
            else:
                # Without the conversation nobody could answer; but what was written is kept.
                self._put_aside(arrival, conversation, intake)
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
            did = _read_sender(arrival)
            head = parse_view(_Head, arrival.message)
        except Malformed as error:
            self._put_aside(arrival, error, intake)
            return False
        reacted = arrival.reaction is not None
        if did == self._own_did:
            reason = "own_reaction" if reacted else "own_message"
            self._context.skipped(reason, convo_id=arrival.convo_id)
            return False
        return reacted or make_direct_message_id(arrival.convo_id, head.id) not in self._known

    async def _find_conversation(self, convo_id: str) -> Conversation | Rejected | Malformed:
        try:
            return await self._conversations.get(convo_id)
        except (Rejected, Malformed) as error:
            return error

    def _take_in(
        self,
        arrival: Arrival,
        conversation: Conversation,
        accounts: Mapping[str, ProfileView],
        intake: Intake,
    ) -> None:
        if not self.wants(conversation):
            return
        sender = _find_profile(_read_sender(arrival), arrival.profiles, conversation)
        try:
            message = _translate(arrival, sender, accounts.get(sender.did))
        except Malformed as error:
            self._put_aside(arrival, error, intake)
            return
        intake.items.append(make_direct_message_item(message))
        if arrival.reaction is None:
            intake.read_up_to[arrival.convo_id] = message.message_id
        if conversation.request:
            intake.requests[arrival.convo_id] = None

    def _put_aside(self, arrival: Arrival, error: Rejected | Malformed, intake: Intake) -> None:
        value = {"convoId": arrival.convo_id, "message": arrival.message}
        if arrival.reaction is not None:
            value["reaction"] = arrival.reaction
        letter = make_letter(self._context.name, value, error)
        if letter.letter_id not in self._known:
            intake.letters.append(letter)


class _Head(View):
    """The part of ``chat.bsky.convo.defs#messageView`` that tells whether it is of interest."""

    id: Annotated[str, Field(min_length=1)]
    sender: Sender


def _read_sender(arrival: Arrival) -> str:
    """The DID of who wrote, or who reacted.

    Raises:
        Malformed: it does not say.
    """
    if arrival.reaction is not None:
        return parse_view(ReactionView, arrival.reaction).sender.did
    return parse_view(_Head, arrival.message).sender.did


def _translate(
    arrival: Arrival, sender: ProfileView, account: ProfileView | None
) -> InboundDirectMessage:
    if arrival.reaction is None:
        return translate_message(arrival.message, arrival.convo_id, sender, account)
    return translate_reaction(arrival.reaction, arrival.message, arrival.convo_id, sender, account)


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

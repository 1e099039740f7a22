"""The chat service: who may write to whom, and what happens when they do.

The real one is not public. Texts of refusals and the order of the log are what public clients
saw; pages of 100, and a conversation under way that goes on whatever the setting, are choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import regex

from sandbox.bluesky.accounts import Accounts
from sandbox.bluesky.conversations import (
    Conversation,
    ConvoStatus,
    Draft,
    Event,
    EventKind,
    Log,
    Member,
    Message,
    Reaction,
)
from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import Clock, TidClock, sortable
from sandbox.bluesky.index import Index

REACTIONS_EACH = 5

_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")

Refusal: TypeAlias = tuple[Literal["BlockedActor", "MessagesDisabled", "NotFollowedBySender"], str]


class Chat:
    """All conversations. Revs are fixed-width and sort as strings."""

    def __init__(
        self, accounts: Accounts, index: Index, clock: Clock, tids: TidClock, log: Log
    ) -> None:
        self.log = log
        self._accounts = accounts
        self._index = index
        self._clock = clock
        self._tids = tids
        self._counter = 1
        self._conversations: dict[str, Conversation] = {}
        self._pairs: dict[frozenset[str], Conversation] = {}

    @property
    def now(self) -> str:
        """The rev of the latest event: where a log that starts now goes on."""
        return sortable(self._counter)

    def refusal(self, sender: str, recipient: str) -> Refusal | None:
        """Why ``sender`` may not start a conversation; ``None`` if it may."""
        if self._index.block_between(sender, recipient):
            return "BlockedActor", "block between recipient and sender"
        record = self._index.chat_declarations.get(recipient)
        allowed = record.value["allowIncoming"] if record else "following"
        if allowed == "none":
            return "MessagesDisabled", "recipient has disabled incoming messages"
        if allowed != "all" and not self._index.follows.uri(recipient, sender):
            return (
                "NotFollowedBySender",
                "recipient requires incoming messages to come from someone they follow",
            )
        return None

    def find(self, did: str, convo_id: str) -> Conversation:
        """A conversation that this account is a member of.

        Raises:
            XrpcError: 400 ``InvalidConvo``.
        """
        conversation = self._conversations.get(convo_id)
        if conversation is None or did not in conversation.members:
            raise invalid_request("Convo not found", "InvalidConvo")
        return conversation

    def between(self, one: str, other: str) -> Conversation | None:
        """The conversation of two accounts, if they have one."""
        return self._pairs.get(frozenset((one, other)))

    def open(self, did: str, other: str) -> Conversation:
        """``getConvoForMembers``: the conversation of these two, a new one if need be.

        Raises:
            XrpcError: 400, there is no such account or it does not want messages.
        """
        found = self.between(did, other)
        if found is not None and found.messages:
            return found
        if self._accounts.find(other) is None:
            raise invalid_request("recipient does not exist", "RecipientNotFound")
        if (refusal := self.refusal(did, other)) is not None:
            error, message = refusal
            raise invalid_request(message, error)
        return found or self._begin(did, other)

    def list(self, did: str) -> list[Conversation]:
        """This account's conversations that have messages, the latest activity first."""
        mine = [
            conversation
            for conversation in self._conversations.values()
            if did in conversation.members and conversation.messages
        ]
        return sorted(mine, key=lambda conversation: conversation.rev, reverse=True)

    def send(self, did: str, conversation: Conversation, draft: Draft) -> Message:
        """``sendMessage``. Sent twice, it is two messages.

        Raises:
            XrpcError: 400, the other side does not want it, or ``ReplyTargetNotFound``.
        """
        self._check_may_send(did, conversation)
        if draft.reply_to is not None and conversation.find(draft.reply_to) is None:
            raise invalid_request("Reply target not found", "ReplyTargetNotFound")
        self.accept(did, conversation)
        if not conversation.messages:
            self._tell(conversation.other_than(did), "logBeginConvo", conversation)
        message = Message(self._tids.next(), self._next_rev(), did, draft, self._clock())
        conversation.add(message)
        conversation.members[did].read_rev = message.rev
        self.log.tell(
            conversation.members, Event(message.rev, "logCreateMessage", conversation, message)
        )
        return message

    def accept(self, did: str, conversation: Conversation) -> str | None:
        """``acceptConvo``; the rev of it, ``None`` if it was accepted before."""
        member = conversation.members[did]
        if member.status == "accepted":
            return None
        member.status = "accepted"
        return self._tell(did, "logAcceptConvo", conversation)

    def mark_read(self, did: str, conversation: Conversation, message_id: str | None) -> None:
        """``updateRead``, up to a message or up to the last.

        Raises:
            XrpcError: 400, there is no such message.
        """
        if message_id is None:
            message = conversation.messages[-1] if conversation.messages else None
        else:
            message = self.message(conversation, message_id)
        member = conversation.members[did]
        if message is not None and message.rev > member.read_rev:
            member.read_rev = message.rev
            rev = self._tell(did, "logReadMessage", conversation, message)
            self.log.tell([did], Event(rev, "logReadConvo", conversation, message))

    def react(self, did: str, conversation: Conversation, message_id: str, value: str) -> Message:
        """``addReaction``; the same one again changes nothing.

        Raises:
            XrpcError: 400, no such message, no emoji, or too many.
        """
        message = self.message(conversation, message_id)
        if did in message.deleted_for:
            raise invalid_request("Message deleted", "ReactionMessageDeleted")
        if not _EMOJI.search(value):
            raise invalid_request("Reaction is not an emoji", "ReactionInvalidValue")
        mine = [reaction.value for reaction in message.reactions if reaction.sender == did]
        if value not in mine:
            if len(mine) >= REACTIONS_EACH:
                raise invalid_request("Reaction limit reached", "ReactionLimitReached")
            reaction = Reaction(value, did, self._clock())
            message.reactions.append(reaction)
            conversation.rev = self._next_rev()
            event = Event(conversation.rev, "logAddReaction", conversation, message, reaction)
            self.log.tell(conversation.members, event)
        return message

    def delete_for(self, did: str, conversation: Conversation, message_id: str) -> Message:
        """``deleteMessageForSelf``: only ``did`` sees that it is gone.

        Raises:
            XrpcError: 400, there is no such message.
        """
        message = self.message(conversation, message_id)
        if did not in message.deleted_for:
            message.deleted_for.add(did)
            self._tell(did, "logDeleteMessage", conversation, message)
        return message

    def message(self, conversation: Conversation, message_id: str) -> Message:
        """A message of a conversation.

        Raises:
            XrpcError: 400, there is no such message.
        """
        message = conversation.find(message_id)
        if message is None:
            raise invalid_request("Message not found")
        return message

    def begin_group(self, owner: str, name: str, others: Sequence[str]) -> Conversation:
        """A group with these members, each announced to all by a system message."""
        members = {did: Member(did, "accepted") for did in (owner, *others)}
        conversation = self._add(members, group_name=name)
        for did in members:
            self._tell(did, "logBeginConvo", conversation)
        for did in others:
            rev, now = self._next_rev(), self._clock()
            announced = Message(self._tids.next(), rev, owner, Draft(""), now, added=did)
            conversation.add(announced)
            self.log.tell(members, Event(rev, "logAddMember", conversation, announced))
        return conversation

    def _begin(self, did: str, other: str) -> Conversation:
        known = self._index.follows.uri(other, did) is not None
        theirs: ConvoStatus = "accepted" if known else "request"
        members = {did: Member(did, "accepted"), other: Member(other, theirs)}
        conversation = self._add(members)
        self._pairs[frozenset(members)] = conversation
        self.log.tell([did], Event(conversation.rev, "logBeginConvo", conversation))
        return conversation

    def _add(self, members: dict[str, Member], group_name: str | None = None) -> Conversation:
        convo_id, rev, now = self._tids.next(), self._next_rev(), self._clock()
        conversation = Conversation(convo_id, rev, members, now, group_name)
        self._conversations[convo_id] = conversation
        return conversation

    def _check_may_send(self, did: str, conversation: Conversation) -> None:
        if conversation.group_name is not None:
            return
        other = conversation.other_than(did)
        under_way = conversation.messages and conversation.members[other].status == "accepted"
        if not under_way and (refusal := self.refusal(did, other)) is not None:
            raise invalid_request(refusal[1])

    def _tell(
        self, did: str, kind: EventKind, conversation: Conversation, message: Message | None = None
    ) -> str:
        rev = self._next_rev()
        self.log.tell([did], Event(rev, kind, conversation, message))
        return rev

    def _next_rev(self) -> str:
        self._counter += 1
        return sortable(self._counter)

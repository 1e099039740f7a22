"""Direct messages as a person uses them: write, react, read what was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.bluesky.accounts import Account
from sandbox.bluesky.chat import Chat
from sandbox.bluesky.conversations import Conversation, Draft, Message
from sandbox.bluesky.richtext import detect_facets


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """A message as it stands now. ``sender`` is a DID, ``reactions`` are emoji."""

    message_id: str
    convo_id: str
    sender: str
    text: str
    sent_at: datetime
    reactions: tuple[str, ...] = ()


class DirectMessages:
    """Refusals are :class:`~sandbox.bluesky.errors.XrpcError`, with the service's own words."""

    def __init__(self, chat: Chat, resolve: Callable[[str], str | None]) -> None:
        self._chat = chat
        self._resolve = resolve

    def send(
        self, sender: Account, recipient: Account, text: str, *, reply_to: str | None = None
    ) -> DirectMessage:
        """Write to an account; the first message opens the conversation.

        ``reply_to`` is the id of a message in it.

        Raises:
            XrpcError: the recipient does not want it.
        """
        conversation = self._chat.open(sender.did, recipient.did)
        return self._send(sender, conversation, text, reply_to)

    def between(self, one: Account, other: Account) -> tuple[DirectMessage, ...]:
        """What these two wrote to each other, the oldest first."""
        conversation = self._chat.between(one.did, other.did)
        if conversation is None:
            return ()
        return tuple(_shown(conversation, message) for message in conversation.messages)

    def react(self, account: Account, message: DirectMessage, emoji: str) -> None:
        """React to a message in one of the account's conversations."""
        conversation = self._chat.find(account.did, message.convo_id)
        self._chat.react(account.did, conversation, message.message_id, emoji)

    def delete_for(self, account: Account, message: DirectMessage) -> None:
        """Delete a message for this account only."""
        conversation = self._chat.find(account.did, message.convo_id)
        self._chat.delete_for(account.did, conversation, message.message_id)

    def create_group(self, owner: Account, name: str, others: Sequence[Account]) -> str:
        """A group conversation; returns its id."""
        return self._chat.begin_group(owner.did, name, [other.did for other in others]).convo_id

    def send_to_group(self, sender: Account, convo_id: str, text: str) -> DirectMessage:
        """Write to a group that ``sender`` is in."""
        return self._send(sender, self._chat.find(sender.did, convo_id), text, None)

    def _send(
        self, sender: Account, conversation: Conversation, text: str, reply_to: str | None
    ) -> DirectMessage:
        draft = Draft(text, detect_facets(text, self._resolve), reply_to=reply_to)
        return _shown(conversation, self._chat.send(sender.did, conversation, draft))


def _shown(conversation: Conversation, message: Message) -> DirectMessage:
    return DirectMessage(
        message_id=message.message_id,
        convo_id=conversation.convo_id,
        sender=message.sender,
        text=message.draft.text,
        sent_at=message.sent_at,
        reactions=tuple(reaction.value for reaction in message.reactions),
    )

"""Direct messages that are deleted after they were taken in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from actors.bluesky.conversations import Conversations
from actors.items import make_direct_message_id, make_direct_message_item
from actors.messages import JournalItem
from actors.store import Store
from actors.translation.inbound import translate_author
from actors.translation.inbound_views import Sender, View, find_view
from actors.translation.notes import make_message_note
from actors.translation.times import find_time
from runtime.clock import WallClock
from runtime.errors import Malformed, Rejected


@dataclass(frozen=True, slots=True)
class Deletion:
    """A ``chat.bsky.convo.defs#logDeleteMessage``. ``sent_s`` is unix time, if it is known."""

    convo_id: str
    message_id: str
    sender_did: str
    sent_s: float | None

    @property
    def item_id(self) -> str:
        """The id of the message as an item of the journal."""
        return make_direct_message_id(self.convo_id, self.message_id)


class _Deleted(View):
    """What ``messageView`` and ``deletedMessageView`` of ``chat.bsky.convo.defs`` share."""

    id: Annotated[str, Field(min_length=1)]
    sender: Sender
    sent_at: str = ""


def find_deletion(event: object) -> Deletion | None:
    """Read an event of the chat log; ``None`` if it tells of nothing that was deleted."""
    if not isinstance(event, dict):
        return None
    deleted, convo_id = find_view(_Deleted, event.get("message")), event.get("convoId")
    if deleted is None or not isinstance(convo_id, str):
        return None
    return Deletion(convo_id, deleted.id, deleted.sender.did, find_time(deleted.sent_at))


class DeletionReader:
    """Makes notes of deletions.

    Args:
        own_did: whose own messages are of no concern.
        watch_s: how long after it was sent a message is of concern; 0 for none at all.
    """

    def __init__(
        self,
        store: Store,
        conversations: Conversations,
        clock: WallClock,
        *,
        own_did: str,
        watch_s: float,
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._clock = clock
        self._own_did = own_did
        self._watch_s = watch_s

    async def read(
        self, deletions: Sequence[Deletion], arriving: Collection[str]
    ) -> list[JournalItem]:
        """The notes about messages that were taken in. If cancelled, nothing has happened.

        Args:
            deletions: in the order of the log.
            arriving: ids of items that are recorded together with the notes, before them.

        Raises:
            Retryable, AuthRejected: from the network.
            StoreUnavailable: it is not known which messages were taken in.
        """
        recent = [one for one in deletions if self._is_recent(one)]
        asked = {one.item_id for one in recent if one.item_id not in arriving}
        unseen = await self._store.find_unseen(asked) if asked else frozenset[str]()
        notes = [await self._make_note(one) for one in recent if one.item_id not in unseen]
        return [note for note in notes if note is not None]

    def _is_recent(self, deletion: Deletion) -> bool:
        if deletion.sender_did == self._own_did or deletion.sent_s is None:
            return False
        return self._clock() - deletion.sent_s < self._watch_s

    async def _make_note(self, deletion: Deletion) -> JournalItem | None:
        try:
            conversation = await self._conversations.get(deletion.convo_id)
        except (Rejected, Malformed):
            # We have left it: nobody answers there any more.
            return None
        for member in conversation.members:
            if member.did == deletion.sender_did:
                note = make_message_note(
                    deletion.message_id,
                    deletion.convo_id,
                    translate_author(member),
                    self._clock(),
                )
                return make_direct_message_item(note)
        return None

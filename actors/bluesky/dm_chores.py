"""What is left to do in conversations once their messages are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from actors.bluesky.conversations import Conversations
from actors.bluesky.dm_place import LogPlace
from actors.bluesky.pacing import PacedBluesky
from actors.messages import Json
from runtime.actor import Context
from runtime.errors import Fault, Malformed, Rejected, Retryable

MOST = 1000
"""So many conversations are kept in mind for each chore."""
READ_AT_ONCE = 50
"""So many conversations are marked as read in one poll."""


class DirectMessageChores:
    """Accepts requests, and marks conversations as read.

    What is to be done is recorded with the messages. A failure neither loses nor repeats a message:
    it is tried again at the next poll, and after a restart. Doing it twice is harmless.
    """

    def __init__(
        self, bluesky: PacedBluesky, context: Context, conversations: Conversations
    ) -> None:
        self._bluesky = bluesky
        self._context = context
        self._conversations = conversations

    async def accept(self, place: LogPlace) -> LogPlace:
        """Accept the requests, so that agents can answer (``chat.bsky.convo.acceptConvo``).

        If cancelled, it is done again.
        """
        left: list[str] = []
        for convo_id in place.accepting:
            body: Json = {"convoId": convo_id}
            try:
                await self._bluesky.procedure("chat.bsky.convo.acceptConvo", body, chat=True)
            except (Rejected, Malformed) as error:
                self._context.failed(error)
            except Retryable as error:
                self._context.failed(error)
                left.append(convo_id)
            else:
                self._conversations.accepted(convo_id)
        return replace(place, accepting=tuple(left))

    async def mark_read(self, place: LogPlace) -> LogPlace:
        """Show that the messages were taken in (``chat.bsky.convo.updateRead``).

        New messages are more urgent than this: only some conversations have their turn, and
        while Bluesky is in trouble none. The rest waits for the next poll. If cancelled, it is
        done again.
        """
        left = list(place.reading)
        for convo_id, message_id in place.reading[:READ_AT_ONCE]:
            body: Json = {"convoId": convo_id, "messageId": message_id}
            try:
                await self._bluesky.procedure("chat.bsky.convo.updateRead", body, chat=True)
            except Retryable as error:
                self._context.failed(error)
                break
            except Fault as error:
                self._context.failed(error)
            del left[0]
        return replace(place, reading=tuple(left))


def add_chores(place: LogPlace, requests: Iterable[str], read_up_to: Mapping[str, str]) -> LogPlace:
    """The place with more to do: requests to accept, and the last messages of conversations."""
    accepting = dict.fromkeys((*place.accepting, *requests))
    reading = {**dict(place.reading), **read_up_to}
    return replace(
        place, accepting=tuple(accepting)[-MOST:], reading=tuple(reading.items())[-MOST:]
    )

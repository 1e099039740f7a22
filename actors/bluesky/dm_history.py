"""Direct messages of the past: for the first start, when the log knows only what comes."""

from __future__ import annotations

from collections.abc import Sequence

from actors.bluesky.answers import read_cursor, read_list
from actors.bluesky.client import Bluesky
from actors.bluesky.conversations import Conversation, Conversations, read_conversation
from actors.bluesky.dm_intake import Arrival
from actors.bluesky.pacing import patiently
from actors.messages import Json
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.errors import Malformed, Rejected

PAGE = 100
_JOIN_REQUEST = "chat.bsky.group.defs#joinRequestConvoView"


class DirectMessageHistory:
    """Reads conversations and their messages back to a time."""

    def __init__(self, bluesky: Bluesky, context: Context, conversations: Conversations) -> None:
        self._bluesky = bluesky
        self._context = context
        self._conversations = conversations

    async def list_conversations(self, since_s: float) -> list[Conversation]:
        """Those with a message since then, requests included, each once.

        ``chat.bsky.convo.listConvos`` may leave out requests, which have a list of their own,
        ``chat.bsky.convo.listConvoRequests``.
        """
        found: dict[str, Conversation] = {}
        await self._list("chat.bsky.convo.listConvos", "convos", since_s, found)
        try:
            await self._list("chat.bsky.convo.listConvoRequests", "requests", since_s, found)
        except Rejected as error:
            # Older chat services do not have it, and show requests among the rest.
            if error.code != "MethodNotImplemented":
                raise
        return list(found.values())

    async def read_messages(self, convo_id: str, since_s: float) -> list[Arrival]:
        """The messages of one conversation since then, oldest first."""
        arrivals: list[Arrival] = []
        cursor: str | None = None
        while True:
            parameters: dict[str, str | int | Sequence[str]] = {"convoId": convo_id, "limit": PAGE}
            if cursor is not None:
                parameters["cursor"] = cursor
            answer = await self._query("chat.bsky.convo.getMessages", parameters)
            profiles = answer.get("relatedProfiles")
            older = False
            for message in read_list(answer, "messages"):
                sent_s = find_sent(message)
                older = older or (sent_s is not None and sent_s < since_s)
                if sent_s is None or sent_s >= since_s:
                    arrivals.append(Arrival(convo_id, message, profiles))
            given = read_cursor(answer)
            if older or given is None or given == cursor:
                arrivals.reverse()
                return arrivals
            cursor = given

    async def _list(
        self, nsid: str, key: str, since_s: float, found: dict[str, Conversation]
    ) -> None:
        """Add the conversations of a list, newest first, to those that were found.

        A message that comes meanwhile takes its conversation to a page that was read already. So
        a list of several pages is read again until there is nothing new in it.
        """
        pages, before = 2, -1
        while pages > 1 and len(found) > before:
            before = len(found)
            pages = await self._read_list(nsid, key, since_s, found)

    async def _read_list(
        self, nsid: str, key: str, since_s: float, found: dict[str, Conversation]
    ) -> int:
        """Read a list once; returns how many pages it had."""
        cursor: str | None = None
        pages = 0
        while True:
            parameters: dict[str, str | int | Sequence[str]] = {"limit": PAGE}
            if cursor is not None:
                parameters["cursor"] = cursor
            answer = await self._query(nsid, parameters)
            pages += 1
            for view in read_list(answer, key):
                conversation = self._read(view)
                if conversation is not None and _is_recent(conversation, since_s):
                    self._conversations.remember(conversation)
                    found.setdefault(conversation.convo_id, conversation)
            given = read_cursor(answer)
            if given is None or given == cursor:
                return pages
            cursor = given

    def _read(self, view: object) -> Conversation | None:
        if isinstance(view, dict) and view.get("$type") == _JOIN_REQUEST:
            return None
        try:
            return read_conversation(view)
        except Malformed as error:
            self._context.failed(error)
            return None

    async def _query(self, nsid: str, parameters: dict[str, str | int | Sequence[str]]) -> Json:
        return await patiently(
            self._context, lambda: self._bluesky.query(nsid, parameters, chat=True)
        )


def _is_recent(conversation: Conversation, since_s: float) -> bool:
    sent_s = find_time(conversation.last_sent_at)
    return sent_s is None or sent_s >= since_s


def find_sent(message: object) -> float | None:
    """When a message view says that it was sent, in unix time, if it says so."""
    sent_at = message.get("sentAt") if isinstance(message, dict) else None
    return find_time(sent_at) if isinstance(sent_at, str) else None

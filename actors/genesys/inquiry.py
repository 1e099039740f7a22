"""Asking Genesys which messages of agents never came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors.genesys.client import GenesysClient
from actors.genesys.delivery import NOT_FOUND, call, has_status
from actors.genesys.endpoints import (
    make_conversation_messages_path,
    make_conversation_path,
    make_message_path,
)
from actors.genesys.intake import Intake, make_intake
from actors.genesys.models import find_id, list_entities
from actors.items import make_agent_id, make_receipt_id
from actors.messages import Json
from actors.store import Activity, Store
from actors.translation.conversation import (
    PendingMessage,
    is_concluded,
    list_pending,
    make_webhook_body,
)
from actors.translation.times import find_time
from actors.translation.webhook import read_webhook
from runtime.actor import Context
from runtime.clock import WallClock, format_time
from runtime.errors import Malformed, Rejected

AT_ONCE = 100
"""How many messages are asked for in one request. The operation takes 1,000, and advises less."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that came to light, and when it was sent, in unix seconds."""

    sent_at: float
    intake: Intake


@dataclass(frozen=True, slots=True)
class Period:
    """What is looked for: sent since ``begins_at``, in unix seconds, and not over ``most_s`` old.

    What is older than that, but of the period, is found and not carried.
    """

    begins_at: float
    most_s: float


class Inquiry:
    """Asks about one conversation after the other, and about none twice.

    Everything is asked for one by one, at the pace of the actor and of the platform: a conversation
    takes two requests, three if only a message of it is known, and one more for each further
    :data:`AT_ONCE` messages that were missed.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        client: GenesysClient,
        clock: WallClock,
        period: Period,
    ) -> None:
        self._context = context
        self._store = store
        self._client = client
        self._clock = clock
        self._period = period
        self._answered: set[str] = set()

    async def ask(self, activity: Activity) -> list[Found]:
        """What agents wrote in this conversation and was never recorded, in any order.

        Changes nothing. If cancelled, or if it raises, it may be asked again.

        Raises:
            Retryable: the platform or the store is away.
            AuthRejected: the login, or a permission, is refused.
        """
        try:
            conversation_id = await self._find_conversation(activity)
            if conversation_id is None or conversation_id in self._answered:
                return []
            found = await self._search(conversation_id)
        except Rejected as error:
            is_gone = has_status(error, NOT_FOUND)
            return [self._skip("conversation_not_found" if is_gone else "conversation_refused")]
        except Malformed:
            return [self._skip("conversation_unreadable")]
        self._answered.add(conversation_id)
        return found

    async def _find_conversation(self, activity: Activity) -> str | None:
        """The conversation; ``None`` if the post has not become one."""
        if activity.names == "conversation":
            return activity.genesys_id
        try:
            message = await self._call("GET", make_message_path(activity.genesys_id))
        except Rejected as error:
            if has_status(error, NOT_FOUND):
                return None
            raise
        return find_id(message, "conversationId")

    async def _search(self, conversation_id: str) -> list[Found]:
        pending = list_pending(await self._call("GET", make_conversation_path(conversation_id)))
        begins_at = self._period.begins_at
        missed = await self._drop_known(
            [one for one in pending if one.sent_at is None or one.sent_at >= begins_at]
        )
        fresh = [one for one in missed if not self._is_too_old(one.sent_at)]
        found = [self._skip("too_old_to_reconcile")] * (len(missed) - len(fresh))
        for start in range(0, len(fresh), AT_ONCE):
            found += await self._read(conversation_id, fresh[start : start + AT_ONCE])
        return found

    async def _drop_known(self, pending: Sequence[PendingMessage]) -> list[PendingMessage]:
        """Leave out what was recorded, or answered without being carried."""
        ids = {one.message_id: _make_ids(one.message_id) for one in pending}
        unseen = await self._store.find_unseen(item_id for pair in ids.values() for item_id in pair)
        return [one for one in pending if unseen.issuperset(ids[one.message_id])]

    async def _read(self, conversation_id: str, missed: Sequence[PendingMessage]) -> list[Found]:
        visibilities = {one.message_id: one.visibility for one in missed}
        path = make_conversation_messages_path(conversation_id)
        messages = list_entities(await self._call("POST", path, list(visibilities)))
        found = [self._skip("message_not_found")] * (len(missed) - len(messages))
        for message in messages:
            visibility = visibilities.get(find_id(message, "id") or "")
            found += self._sort(message, conversation_id, visibility)
        return found

    def _sort(self, message: Json, conversation_id: str, visibility: str | None) -> list[Found]:
        sent_at = find_time(message.get("timestamp")) or self._clock()
        if is_concluded(message) or sent_at < self._period.begins_at:
            return []
        if self._is_too_old(sent_at):
            return [self._skip("too_old_to_reconcile")]
        body = make_webhook_body(message, conversation_id, visibility)
        intake = make_intake(read_webhook(body, format_time(sent_at)), body)
        # An event or an echo is nothing that was missed.
        return [Found(sent_at, intake)] if intake.items or intake.letters else []

    def _is_too_old(self, sent_at: float | None) -> bool:
        return sent_at is not None and sent_at < self._clock() - self._period.most_s

    def _skip(self, reason: str) -> Found:
        return Found(self._clock(), Intake(skipped=reason))

    async def _call(self, method: str, path: str, body: object = None) -> Json:
        return await call(self._context, self._client, method, path, body)


def _make_ids(message_id: str) -> tuple[str, str]:
    return make_agent_id(message_id), make_receipt_id(message_id)

"""What an agent wrote earlier in a conversation, was missed, and goes before what comes now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from operator import attrgetter

from actors.genesys.client import GenesysClient
from actors.genesys.gap import RETRIES_S, WebhookGap, find_missed_since
from actors.genesys.inquiry import Inquiry, Period
from actors.genesys.intake import Earlier
from actors.messages import AgentMessage
from actors.store import Activity, Store
from actors.translation.times import find_time
from runtime.actor import Context
from runtime.clock import WallClock
from runtime.errors import AuthRejected, RateLimited

LONGEST_WAIT_S = 3.0
"""Nobody waits longer for the budget here: Genesys waits for its answer meanwhile."""


class Predecessors:
    """Asks about one conversation, out of turn, as long as not all that was missed is known.

    After a gap webhooks come in at once, while looking for what was missed takes its time. A
    message must not overtake an earlier one of its own conversation.

    Args:
        gap: tells whether there may be something to look for.
        window_s: how old a message may be; 0 turns it off.
        clock: unix time in seconds.
        wait_known: returns when somebody leads: whoever takes the lease after a gap keeps it in
            mind.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        client: GenesysClient,
        *,
        gap: WebhookGap,
        window_s: float,
        clock: WallClock,
        wait_known: Callable[[], Awaitable[None]],
    ) -> None:
        self._context = context
        self._store = store
        self._client = client
        self._gap = gap
        self._window_s = window_s
        self._clock = clock
        self._wait_known = wait_known

    def may_be_missed(self, message: AgentMessage) -> bool:
        """Whether something may have been missed before this message. Asks nobody."""
        conversation_id = message.conversation_id
        if self._window_s == 0 or conversation_id is None:
            return False
        return self._gap.may_hide(conversation_id)

    async def find(self, message: AgentMessage) -> Earlier:
        """What is to be recorded before this message; most often nothing.

        Who has recorded it notes that the conversation is known.

        If Genesys does not want to be asked, by its limits or for want of a permission, nothing is:
        the message itself is worth more than its place. If cancelled, nothing has changed.

        Raises:
            Retryable: Genesys or the store is away. The message can come again; meanwhile it must
                not overtake.
        """
        conversation_id = message.conversation_id
        if conversation_id is None or not self.may_be_missed(message):
            return Earlier()
        await self._wait_known()
        # A gap of this process is kept with the message that ends it, which this one may be. It is
        # looked at first: afterwards it may have been ended, by one that the store was told of.
        gaps = (self._gap.missed_since, await find_missed_since(self._store))
        since = min((one for one in gaps if one is not None), default=None)
        if since is None or self._client.waiting_s() > LONGEST_WAIT_S:
            return Earlier()
        period = Period(since - RETRIES_S, self._window_s)
        inquiry = Inquiry(self._context, self._store, self._client, self._clock, period)
        try:
            found = await inquiry.ask(Activity("", "conversation", conversation_id))
        except (RateLimited, AuthRejected) as error:
            self._context.failed(error)
            return Earlier()
        now_s = find_time(message.sent_at) or self._clock()
        earlier = (one for one in sorted(found, key=attrgetter("sent_at")) if one.sent_at < now_s)
        intakes = (one.intake for one in earlier if one.intake.items or one.intake.letters)
        return Earlier(tuple(intakes), conversation_id)

"""One Genesys Cloud organization: all its state, and what its agents and administrators do."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import trio

from sandbox.faults import Faults
from sandbox.genesys.access import Access
from sandbox.genesys.contacts import Contacts
from sandbox.genesys.conversations import (
    Attachment,
    Conversation,
    InboundMessage,
    OutboundMessage,
    Receipt,
    Visibility,
)
from sandbox.genesys.files import Files
from sandbox.genesys.ids import Ids
from sandbox.genesys.messaging import Messaging
from sandbox.genesys.outbound import Reply, compose_raw, compose_reply, compose_typing
from sandbox.genesys.resources import Integration
from sandbox.genesys.setup import Setup
from sandbox.genesys.wire import Json

CALLS_KEPT = 5_000
DEFAULT_BULK_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reached the organization, and its answer.

    ``path`` has its query. Requests that a fault kept away are not among the calls; those whose
    answer was dropped are. ``body`` and ``answer`` are parsed JSON, ``None`` if there was none.
    Of logins neither credentials nor tokens are kept.
    """

    at: datetime
    method: str
    path: str
    body: Any
    status: int
    answer: Any


class GenesysOrganization:
    """An organization with one open integration, one topic with one open rule, and one source.

    What an administrator would set may be changed while it is served: ``permissions``,
    ``webhook_url``, ``access.rate_limit``, ``access.expires_in_s``, ``bulk_limit``,
    ``files.base_url``, ``files.supported_mimes``. ``calls`` are the last ones, oldest first.

    Args:
        rng: source of all ids and secrets; the same seed gives the same organization.
        now: the wall clock, in UTC. Durations run on trio's clock.
        webhook_url: where the integration sends agents' messages.
        region: the domain that the organization would have.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        now: Callable[[], datetime],
        webhook_url: str,
        region: str = "mypurecloud.com",
    ) -> None:
        self.region = region
        self.now = now
        self.ids = Ids(rng)
        self.client_id = self.ids.uuid()
        self.client_secret = self.ids.secret(256)
        self.division_id = self.ids.uuid()
        self.access = Access(
            client_id=self.client_id, client_secret=self.client_secret, ids=self.ids
        )
        self.messaging = Messaging(self.ids, now)
        self.setup = Setup(division_id=self.division_id, ids=self.ids, now=now)
        self.contacts = Contacts(setup=self.setup, ids=self.ids, now=now)
        self.files = Files(self.ids, base_url=f"https://api.{region}")
        self.faults = Faults()
        self.bulk_limit = DEFAULT_BULK_LIMIT
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self._changed = trio.Event()
        self._to_outbox, self.outbox = trio.open_memory_channel[OutboundMessage](math.inf)
        source = self.setup.add_source("Bluesky")
        topic = self.setup.add_topic("Bluesky", "", self.division_id)
        rule = self.setup.add_rule(topic.topic_id, "Bluesky", "", source.source_id)
        self.integration = self.setup.add_integration(
            "Bluesky Integration", webhook_url, self.ids.secret(128), {}
        )
        self.external_source_id = source.source_id
        self.topic_id = topic.topic_id
        self.rule_id = rule.rule_id
        self.integration_id = self.integration.integration_id

    @property
    def webhook_secret(self) -> str:
        """What the integration's webhooks are signed with."""
        return self.integration.webhook_secret

    @property
    def webhook_url(self) -> str:
        """Where the integration's webhooks go."""
        return self.integration.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.integration.webhook_url = url

    @property
    def permissions(self) -> set[str]:
        """What the OAuth client may do; add and discard at will."""
        return self.access.permissions

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """All conversations by id, oldest first."""
        return self.messaging.conversations

    @property
    def ingested(self) -> Sequence[InboundMessage]:
        """All public messages accepted, repeats included, in the order of arrival."""
        return self.messaging.ingested

    @property
    def private_messages(self) -> Sequence[InboundMessage]:
        """All private messages accepted, repeats included, in the order of arrival."""
        return self.messaging.private_messages

    @property
    def receipts(self) -> Sequence[Receipt]:
        """All receipts accepted, repeats included, in the order of arrival."""
        return self.messaging.receipts

    def public_conversation(self, root_id: str) -> Conversation | None:
        """The conversation about the thread with this root, if there is one."""
        return self.messaging.find("public", root_id)

    def private_conversation(self, customer_id: str) -> Conversation | None:
        """The conversation with this customer, if there is one."""
        return self.messaging.find("private", customer_id)

    def agent_reply(
        self,
        conversation: Conversation,
        text: str,
        *,
        public: bool,
        in_reply_to: InboundMessage | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> OutboundMessage:
        """An agent answers, by default the last message of a customer; it goes to the webhook.

        A public conversation can be answered in public and in private, a private one in private.
        The first attachment goes with the text. Each further one becomes a message of its own
        that follows in ``conversation.messages``.

        Raises:
            ValueError: there is nothing to answer, or not in this way.
        """
        if public and conversation.visibility == "private":
            raise ValueError("a private conversation cannot be answered in public")
        answered = in_reply_to or _last_inbound(conversation)
        if answered.conversation_id != conversation.conversation_id:
            raise ValueError("in_reply_to is in another conversation")
        visibility: Visibility = "public" if public else "private"
        first, *more = attachments or (None,)
        reply = Reply(conversation, answered, visibility, text, first)
        sent = self._send_reply(reply)
        for attachment in more:
            self._send_reply(Reply(conversation, answered, visibility, "", attachment))
        return sent

    def agent_types(self, conversation: Conversation) -> OutboundMessage:
        """An agent begins to type: an event goes to the webhook and into no conversation.

        Raises:
            ValueError: no customer has written yet.
        """
        recipient_id = _last_inbound(conversation).sender_id
        integration = self._integration_of(conversation)
        return self._send(
            compose_typing(
                conversation, recipient_id, integration, self.ids.message_id(), self.now()
            )
        )

    def send_webhook(self, body: Json) -> OutboundMessage:
        """Send any body to the webhook, properly signed, as another release of the platform may.

        Receipts for its ``id`` are accepted.
        """
        message = compose_raw(body, self.integration, self.ids.message_id(), self.now())
        self.messaging.add_outbound(message, None)
        return self._send(message)

    def note_change(self) -> None:
        """Wake everyone in :meth:`wait_change`."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_change(self) -> None:
        """Wait until anything happens here: a request, an act of an agent, a webhook's answer.

        Look at the state first and call this without an ``await`` in between: then no change is
        missed. Cancelling it changes nothing.
        """
        await self._changed.wait()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at after every change."""
        while not condition():
            await self.wait_change()

    def _send_reply(self, reply: Reply) -> OutboundMessage:
        integration = self._integration_of(reply.conversation)
        message = compose_reply(reply, integration, self.ids.message_id(), self.now())
        self.messaging.add_outbound(message, reply.conversation)
        return self._send(message)

    def _send(self, message: OutboundMessage) -> OutboundMessage:
        self._to_outbox.send_nowait(message)
        self.note_change()
        return message

    def _integration_of(self, conversation: Conversation) -> Integration:
        # A topic names no integration: public answers leave by the newest one.
        if conversation.integration_id is not None:
            return self.setup.integrations[conversation.integration_id]
        return next(reversed(self.setup.integrations.values()))


def _last_inbound(conversation: Conversation) -> InboundMessage:
    for message in reversed(conversation.messages):
        if isinstance(message, InboundMessage):
            return message
    raise ValueError("no customer has written in this conversation")

"""Webhooks on their way: signed, tried again as documented, and given up in the end."""

from __future__ import annotations

import httpx
import trio

from sandbox.genesys.conversations import OutboundMessage
from sandbox.genesys.organization import GenesysOrganization
from sandbox.genesys.outbound import SIGNATURE_HEADER, sign
from sandbox.genesys.wire import encode

TIMEOUT_S = 10.0
RETRIES = 5
RETRY_AFTER_S = 5.0
CONCURRENCY = 20


class WebhookDelivery:
    """Posts what agents send to the webhook of their integration.

    The answer must come within 10 s. After a time-out, a 429, a 5xx or a broken connection there
    are five retries, 5 s apart; any other answer that is not 2xx fails the message at once.
    Messages of one conversation go out one after another: the next one waits until the one before
    it is delivered or given up. Others do not wait for them.

    Args:
        organization: whose messages are sent.
        client: to post with. Redirects must not be followed by it.
        concurrency: how many may be posted at the same time.
        retry_after_s: between two attempts, for those who cannot wait as the platform does.
    """

    def __init__(
        self,
        organization: GenesysOrganization,
        client: httpx.AsyncClient,
        *,
        concurrency: int = CONCURRENCY,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        self._organization = organization
        self._client = client
        self._retry_after_s = retry_after_s
        self._limiter = trio.CapacityLimiter(concurrency)
        self._last: dict[str, trio.Event] = {}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled. What is under way then stays ``waiting``."""
        async with trio.open_nursery() as nursery:
            task_status.started()
            async for message in self._organization.outbox:
                turn = message.conversation_id or message.message_id
                before = self._last.get(turn)
                done = self._last[turn] = trio.Event()
                nursery.start_soon(self._deliver_in_turn, message, turn, before, done)

    async def _deliver_in_turn(
        self, message: OutboundMessage, turn: str, before: trio.Event | None, done: trio.Event
    ) -> None:
        if before is not None:
            await before.wait()
        await self._deliver(message)
        if self._last[turn] is done:
            del self._last[turn]
        done.set()

    async def _deliver(self, message: OutboundMessage) -> None:
        for attempt in range(1 + RETRIES):
            if attempt > 0:
                await trio.sleep(self._retry_after_s)
            async with self._limiter:
                answer = await self._post(message)
            message.attempts.append(answer)
            self._organization.note_change()
            if not _may_be_tried_again(answer):
                break
        delivered = isinstance(answer, int) and 200 <= answer < 300
        message.status = "delivered" if delivered else "failed"
        self._organization.note_change()

    async def _post(self, message: OutboundMessage) -> int | str:
        integration = self._organization.setup.integrations[message.integration_id]
        body = encode(message.body)
        headers = {
            **integration.webhook_headers,
            "Content-Type": "application/json",
            SIGNATURE_HEADER: sign(integration.webhook_secret, body),
        }
        with trio.move_on_after(TIMEOUT_S):
            try:
                answer = await self._client.post(
                    integration.webhook_url, content=body, headers=headers, timeout=None
                )
            except httpx.TransportError as error:
                return type(error).__name__
            return answer.status_code
        return "TimeOut"


def _may_be_tried_again(answer: int | str) -> bool:
    return isinstance(answer, str) or answer == 429 or answer >= 500

"""The webhook's route: what comes by the thousand goes through no framework."""

from __future__ import annotations

from collections.abc import Callable

import trio
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from actors.genesys.signature import SIGNATURE_HEADER
from actors.genesys.webhook_receiver import WebhookAnswer, WebhookDelivery
from connector.door import WEBHOOK_PATH
from runtime.mailbox import Mailbox

WEBHOOK_WITHIN_S = 9.0
"""Genesys waits for 10 s; after that it delivers again."""

_SIGNATURE = SIGNATURE_HEADER.lower().encode("ascii")
_NOT_ALLOWED = 405
_EMPTY = (b"content-length", b"0")


def add_webhook(
    app: ASGIFramework, webhooks: Mailbox[WebhookDelivery], *, is_open: Callable[[], bool]
) -> ASGIFramework:
    """An application that answers webhooks itself, and has ``app`` answer all else.

    It stands behind :class:`connector.door.Door`, which gives it each body whole. By way of Quart a
    webhook would take a third more of the processor.

    Args:
        app: what else there is.
        webhooks: WebhookReceiver's mailbox.
        is_open: whether WebhookReceiver still takes webhooks; if not they are answered 503.
    """

    async def serve(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or scope["path"] != WEBHOOK_PATH:
            await app(scope, receive, send)
        elif scope["method"] != "POST":
            await _answer(send, _NOT_ALLOWED, (b"allow", b"POST"))
        else:
            # Without an answer in time Genesys delivers again.
            answer = WebhookAnswer.UNAVAILABLE
            if is_open():
                with trio.move_on_after(WEBHOOK_WITHIN_S):
                    answer = await _deliver(scope, receive, webhooks)
            await _answer(send, answer.value)

    return serve


async def _deliver(
    scope: HTTPScope, receive: ASGIReceiveCallable, webhooks: Mailbox[WebhookDelivery]
) -> WebhookAnswer:
    """Hand the request to WebhookReceiver. Cancelled: it may be recorded, and it comes again."""
    event = await receive()
    if event["type"] != "http.request":
        return WebhookAnswer.UNAVAILABLE
    signatures = [value for name, value in scope["headers"] if name == _SIGNATURE]
    # Of two signatures another reader could take the other one.
    signature = signatures[0] if len(signatures) == 1 else None
    delivery = WebhookDelivery(event["body"], signature)
    await webhooks.send(delivery)
    return await delivery.reply.take()


async def _answer(send: ASGISendCallable, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [_EMPTY, *headers]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

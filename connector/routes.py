"""The front door: the webhook, and how the process is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import trio
from prometheus_client import CONTENT_TYPE_LATEST
from quart import Response, jsonify, request
from quart_trio import QuartTrio

from actors.genesys.signature import SIGNATURE_HEADER
from actors.genesys.webhook_receiver import WebhookAnswer, WebhookDelivery
from runtime.mailbox import Mailbox, Unanswered

WEBHOOK_WITHIN_S = 9.0
"""Genesys waits for 10 s; after that it delivers again."""

Holds: TypeAlias = Callable[[], bool]
Health: TypeAlias = Callable[[], tuple[dict[str, Any], int]]
Exposition: TypeAlias = Callable[[], bytes]
Reasons: TypeAlias = Callable[[], Sequence[str]]


def create_app(
    webhooks: Mailbox[WebhookDelivery],
    *,
    is_open: Holds,
    health: Health,
    metrics: Exposition | None,
    why_not_live: Reasons,
    why_not_ready: Reasons,
    document: Mapping[str, Any],
) -> QuartTrio:
    """The ASGI application behind :class:`connector.door.Door`, which limits what comes in.

    Args:
        webhooks: WebhookReceiver's mailbox.
        is_open: whether WebhookReceiver still takes webhooks; if not they are answered 503.
        health: the document of ``/health`` and its status.
        metrics: what ``/metrics`` answers; ``None`` if that is served elsewhere.
        why_not_live: for ``/livez``; empty when all is well.
        why_not_ready: for ``/readyz``; empty when it may take requests.
        document: what ``/openapi.json`` shows.
    """
    app = QuartTrio("connector", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = None
    app.config["BODY_TIMEOUT"] = None
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.post("/webhook")
    async def webhook() -> Response:
        answer = WebhookAnswer.UNAVAILABLE
        with trio.move_on_after(WEBHOOK_WITHIN_S):
            if is_open():
                answer = await _receive(webhooks)
        return Response("", answer.value)

    @app.get("/health")
    async def show_health() -> Response:
        document, status = health()
        response = jsonify(document)
        response.status_code = status
        return response

    if metrics is not None:
        add_metrics(app, metrics)

    @app.get("/livez")
    async def show_live() -> Response:
        return _probe(why_not_live())

    @app.get("/readyz")
    async def show_ready() -> Response:
        return _probe(why_not_ready())

    @app.get("/openapi.json")
    async def show_document() -> Response:
        return jsonify(document)

    return app


def create_admin_app(metrics: Exposition) -> QuartTrio:
    """The ASGI application of a port for administrators alone, behind a door as well."""
    app = QuartTrio("connector", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = None
    app.config["BODY_TIMEOUT"] = None
    app.json.sort_keys = False  # type: ignore[attr-defined]
    add_metrics(app, metrics)
    return app


def add_metrics(app: QuartTrio, metrics: Exposition) -> None:
    """Serve ``/metrics``."""

    @app.get("/metrics")
    async def show_metrics() -> Response:
        return Response(metrics(), content_type=CONTENT_TYPE_LATEST)


async def _receive(webhooks: Mailbox[WebhookDelivery]) -> WebhookAnswer:
    """Hand the request to WebhookReceiver. Without an answer in time Genesys delivers again."""
    signatures = request.headers.getlist(SIGNATURE_HEADER)
    # Of two signatures another reader could take the other one.
    signature = signatures[0] if len(signatures) == 1 else None
    delivery = WebhookDelivery(await request.body, signature)
    await webhooks.send(delivery)
    try:
        return await delivery.reply.wait(WEBHOOK_WITHIN_S, who="WebhookReceiver")
    except Unanswered:
        return WebhookAnswer.UNAVAILABLE


def _probe(reasons: Sequence[str]) -> Response:
    if reasons:
        return Response("\n".join(reasons) + "\n", 503, content_type="text/plain")
    return Response("ok\n", content_type="text/plain")

"""How the process is: what Quart answers. The webhook has a route of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from prometheus_client import CONTENT_TYPE_LATEST
from quart import Response, jsonify
from quart_trio import QuartTrio

Health: TypeAlias = Callable[[], tuple[dict[str, Any], int]]
Exposition: TypeAlias = Callable[[], bytes]
Reasons: TypeAlias = Callable[[], Sequence[str]]


def create_app(
    *,
    health: Health,
    metrics: Exposition | None,
    why_not_live: Reasons,
    why_not_ready: Reasons,
    document: Mapping[str, Any],
) -> QuartTrio:
    """The ASGI application behind :class:`connector.door.Door`, which limits what comes in.

    Args:
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


def _probe(reasons: Sequence[str]) -> Response:
    if reasons:
        return Response("\n".join(reasons) + "\n", 503, content_type="text/plain")
    return Response("ok\n", content_type="text/plain")

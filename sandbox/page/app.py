"""The page's server: its files, what it shows, and what can be done on it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import trio
from quart import Response, request, send_from_directory
from quart_trio import QuartTrio

from sandbox.bluesky.errors import XrpcError
from sandbox.page.acts import publish_post, send_answer, send_direct_message
from sandbox.page.picture import take_picture
from sandbox.world import World

_FILES = Path(__file__).parent
_SERVED = frozenset(path.name for path in _FILES.iterdir() if path.suffix in {".js", ".css"})
_LARGEST_REQUEST = 64 * 1024 * 1024
"""Files come as base64: this is room for several, in bytes."""

_LOOK_AT_HEALTH_EVERY_S = 0.5

Health: TypeAlias = Callable[[], Mapping[str, Any] | None]
"""The connector's own ``/health`` document, or ``None`` while it is not up."""

Crash: TypeAlias = Callable[[str], bool]
"""Make the actor of this name crash; returns whether there is one."""


def create_page(world: World, health: Health, crash: Crash) -> QuartTrio:
    """The application. Refused acts answer 400 with a ``message`` for the person at the page."""
    app = QuartTrio("sandbox.page", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST

    @app.after_request
    async def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _content_policy(world)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/")
    async def index() -> Response:
        return await send_from_directory(_FILES, "index.html")

    @app.get("/<name>")
    async def file(name: str) -> Response:
        if name not in _SERVED:
            return Response("Not found", status=404)
        return await send_from_directory(_FILES, name)

    @app.get("/api/events")
    async def events() -> Response:
        response = Response(_pictures(world, health), content_type="text/event-stream")
        response.timeout = None
        return response

    @app.post("/api/customer/post")
    async def post() -> Response:
        body = await request.get_json()
        return _act(lambda: publish_post(world, body))

    @app.post("/api/customer/direct-message")
    async def direct_message() -> Response:
        body = await request.get_json()
        return _act(lambda: send_direct_message(world, body))

    @app.post("/api/agent/reply")
    async def reply() -> Response:
        body = await request.get_json()
        return _act(lambda: send_answer(world, body))

    @app.post("/api/actors/<name>/crash")
    async def crash_actor(name: str) -> Response:
        return _refuse(f"There is no actor {name}.") if not crash(name) else _done()

    return app


def _content_policy(world: World) -> str:
    """Nothing comes from anywhere but this page and, pictures alone, the two sandbox servers."""
    pictures = f"'self' data: {world.bluesky_url} {world.genesys_url}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _act(act: Callable[[], object]) -> Response:
    try:
        act()
    except (XrpcError, LookupError, ValueError) as error:
        return _refuse(str(error))
    return _done()


def _done() -> Response:
    return Response("{}", content_type="application/json")


def _refuse(message: str) -> Response:
    return Response(json.dumps({"message": message}), 400, content_type="application/json")


async def _pictures(world: World, health: Health) -> AsyncIterator[str]:
    """A server-sent event for each change: of the platforms at once, of the actors in a moment."""
    shown = ""
    while True:
        seen = world.bluesky.changes.count
        picture = json.dumps(take_picture(world, health()))
        if picture != shown:
            shown = picture
            yield f"data: {picture}\n\n"
        with trio.move_on_after(_LOOK_AT_HEALTH_EVERY_S):
            await world.bluesky.changes.wait(seen)

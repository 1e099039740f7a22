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
from sandbox.page.picture import take_picture
from sandbox.world import World

_FILES = Path(__file__).parent
_LOOK_AT_HEALTH_EVERY_S = 0.5

Health: TypeAlias = Callable[[], Mapping[str, Any] | None]
"""The connector's own ``/health`` document, or ``None`` while it is not up."""

Crash: TypeAlias = Callable[[str], bool]
"""Make the actor of this name crash; returns whether there is one."""


def create_page(world: World, health: Health, crash: Crash) -> QuartTrio:
    """The application. Refused acts answer 400 with a ``message`` for the person at the page."""
    app = QuartTrio("sandbox.page", static_folder=None)

    @app.get("/")
    async def index() -> Response:
        return await send_from_directory(_FILES, "index.html")

    @app.get("/<name>")
    async def file(name: str) -> Response:
        if name not in {"page.js", "style.css"}:
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
        account = world.bluesky.account(body["customer"])
        return _act(
            lambda: world.bluesky.post(account, body["text"], reply_to=body.get("reply_to"))
        )

    @app.post("/api/customer/direct-message")
    async def direct_message() -> Response:
        body = await request.get_json()
        account = world.bluesky.account(body["customer"])
        return _act(lambda: world.bluesky.direct_messages.send(account, world.brand, body["text"]))

    @app.post("/api/agent/reply")
    async def reply() -> Response:
        body = await request.get_json()
        conversation = world.genesys.conversations[body["conversation"]]
        return _act(
            lambda: world.genesys.agent_reply(conversation, body["text"], public=body["public"])
        )

    @app.post("/api/actors/<name>/crash")
    async def crash_actor(name: str) -> Response:
        return _refuse(f"There is no actor {name}.") if not crash(name) else _done()

    return app


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

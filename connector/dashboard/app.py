"""The dashboard's addresses. What may be seen and done is behind a login."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeAlias

from quart import Blueprint, Response, jsonify, redirect, request, send_from_directory
from quart_trio import QuartTrio
from werkzeug.wrappers import Response as PlainResponse

from connector.dashboard.access import (
    SESSION_S,
    Access,
    OpenAccess,
    TokenAccess,
    TooManyAttempts,
)
from connector.dashboard.feed import MOST_VIEWERS, Feed
from connector.dashboard.guard import (
    COOKIE,
    comes_from_page,
    find_session,
    is_secure,
    may_pull,
    protect,
)
from connector.dashboard.letters import Letters, NotDone
from connector.dashboard.levers import MEANINGS, Levers
from runtime.errors import Fault

AnyResponse: TypeAlias = Response | PlainResponse

_PAGE = Path(__file__).parent / "page"
_FILES = frozenset(path.name for path in _PAGE.iterdir() if path.suffix in {".js", ".css"})
_LONGEST_TOKEN = 4096
_OFF = (
    "The dashboard is off. Set ADMIN_TOKEN (at least 16 characters; openssl rand -hex 16 makes one)"
    " and restart to turn it on.\n"
)
_WRONG = "That is not the token."
_BUSY = "Too many try to log in at once. Wait a few seconds."


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that the dashboard is made of."""

    access: Access
    feed: Feed
    levers: Levers
    letters: Letters


def add_dashboard(app: QuartTrio, dashboard: Dashboard | None) -> None:
    """Serve the dashboard at ``/``; without one, say how to have it."""
    if dashboard is None:

        @app.get("/")
        async def tell_off() -> Response:
            return Response(_OFF, 404, content_type="text/plain")

        return
    app.register_blueprint(_make_pages(dashboard))
    app.register_blueprint(_make_levers(dashboard))


def _make_pages(dashboard: Dashboard) -> Blueprint:
    pages = Blueprint("dashboard", __name__)
    pages.after_request(protect)
    access, feed = dashboard.access, dashboard.feed

    @pages.get("/")
    async def index() -> AnyResponse:
        if find_session(access, request) is None:
            return _turn_away(access)
        return await send_from_directory(_PAGE, "index.html")

    @pages.get("/login")
    async def show_login() -> AnyResponse:
        if find_session(access, request) is not None:
            return redirect("./", 303)
        return _show_login()

    @pages.post("/login")
    async def log_in() -> AnyResponse:
        if not isinstance(access, TokenAccess) or not comes_from_page(request):
            return _refuse(403, "This did not come from the login page.")
        token = (await request.form).get("token", "")[:_LONGEST_TOKEN]
        try:
            secret = await access.log_in(token)
        except TooManyAttempts:
            return _show_login(_BUSY, 429)
        if secret is None:
            return _show_login(_WRONG, 401)
        response = redirect("./", 303)
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(SESSION_S),
            httponly=True,
            samesite="Strict",
            secure=is_secure(request),
        )
        return response

    @pages.get("/dashboard/<name>")
    async def file(name: str) -> AnyResponse:
        # The login page is dressed as well.
        if name != "style.css" and find_session(access, request) is None:
            return _refuse(401, "Log in first.")
        if name not in _FILES:
            return _refuse(404, "There is no such file.")
        return await send_from_directory(_PAGE, name)

    @pages.get("/dashboard/session")
    async def show_session() -> AnyResponse:
        session = find_session(access, request)
        if session is None:
            return _refuse(401, "Log in first.")
        meanings = {name: dataclasses.asdict(one) for name, one in MEANINGS.items()}
        return jsonify(
            lever_token=session.lever_token, may_log_out=session.may_log_out, meanings=meanings
        )

    @pages.get("/dashboard/events")
    async def events() -> AnyResponse:
        session = find_session(access, request)
        if session is None:
            return _refuse(401, "Log in first.")
        if feed.viewers >= MOST_VIEWERS:
            return _refuse(503, f"{MOST_VIEWERS} people look at the dashboard already.")
        secret = request.cookies.get(COOKIE, "")
        watching = feed.watch(lambda: _lasts(access, secret))
        response = Response(watching, content_type="text/event-stream")
        # For a proxy that would wait for more.
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = None
        return response

    return pages


def _make_levers(dashboard: Dashboard) -> Blueprint:
    levers = Blueprint("levers", __name__)
    levers.after_request(protect)
    access, letters = dashboard.access, dashboard.letters

    @levers.before_request
    async def check() -> AnyResponse | None:
        session = find_session(access, request)
        if session is None:
            return _refuse(401, "Log in first.")
        if request.method == "POST" and not may_pull(session, request):
            return _refuse(403, "This did not come from the dashboard. Load it anew.")
        return None

    @levers.post("/dashboard/actors/<name>/pause")
    async def pause(name: str) -> AnyResponse:
        return await _do(dashboard.levers.pause(name), f"{name} is paused.")

    @levers.post("/dashboard/actors/<name>/resume")
    async def resume(name: str) -> AnyResponse:
        return await _do(dashboard.levers.resume(name), f"{name} goes on.")

    @levers.get("/dashboard/letters")
    async def list_letters() -> AnyResponse:
        start = max(0, request.args.get("start", 0, type=int))
        try:
            return jsonify(await letters.list(start))
        except Fault as error:
            return _refuse(503, f"The store cannot be asked: {error}")

    @levers.post("/dashboard/letters/<act>")
    async def treat_letter(act: str) -> AnyResponse:
        letter_id = (await request.form).get("id", "")
        if act == "replay":
            return await _do(letters.replay(letter_id))
        if act == "drop":
            return await _do(letters.drop(letter_id))
        return _refuse(404, "A letter can be replayed or dropped.")

    @levers.post("/logout")
    async def log_out() -> AnyResponse:
        if isinstance(access, TokenAccess):
            access.log_out(request.cookies.get(COOKIE, ""))
        response = jsonify(said="Logged out.")
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
        return response

    return levers


async def _do(act: Awaitable[str | None], said: str = "") -> AnyResponse:
    """Do it, and say what came of it, or why it was not done."""
    try:
        answer = await act
    except LookupError as error:
        return _refuse(404, str(error.args[0]))
    except NotDone as error:
        return _refuse(409, str(error))
    except Fault as error:
        return _refuse(503, f"Not done, because the store cannot be used: {error}")
    return jsonify(said=answer or said)


def _lasts(access: Access, secret: str) -> bool:
    return isinstance(access, OpenAccess) or access.find(secret) is not None


def _turn_away(access: Access) -> AnyResponse:
    if isinstance(access, OpenAccess):
        return _refuse(403, "The sandbox is open on this machine alone, as http://127.0.0.1.")
    return redirect("login", 303)


def _show_login(problem: str = "", status: int = 200) -> Response:
    page = (_PAGE / "login.html").read_text("utf-8")
    return Response(page.replace("{problem}", escape(problem)), status, content_type="text/html")


def _refuse(status: int, message: str) -> Response:
    response = jsonify(message=message)
    response.status_code = status
    return response

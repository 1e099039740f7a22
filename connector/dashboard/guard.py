"""What every request to the dashboard must be, and what every answer says to the browser."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from quart import Request, Response

from connector.dashboard.access import Access, OpenAccess, Session

COOKIE = "bluesky_genesys_session"
LEVER_HEADER = "X-Lever-Token"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def find_session(access: Access, request: Request) -> Session | None:
    """The session that a request belongs to, if it may be answered."""
    if isinstance(access, OpenAccess):
        return access.session if _comes_from_here(request) else None
    return access.find(request.cookies.get(COOKIE, ""))


def _comes_from_here(request: Request) -> bool:
    """By its address and by the name that it uses: a foreign name may lead here, too."""
    host = urlsplit(f"//{request.host}").hostname
    return host in _LOOPBACK and (request.remote_addr or "").split("%")[0] in _LOOPBACK


def comes_from_page(request: Request) -> bool:
    """Whether what is to be done was asked for by our own page, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def may_pull(session: Session, request: Request) -> bool:
    """Whether a lever may be pulled: our page asks, and shows what only it can have read."""
    shown = request.headers.get(LEVER_HEADER, "")
    same = hmac.compare_digest(shown.encode(), session.lever_token.encode())
    return same and comes_from_page(request)


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, perhaps with a proxy before us."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return forwarded == "https" or request.scheme == "https"


def protect(response: Response) -> Response:
    """Nothing is kept, nothing comes from elsewhere, and nobody puts it into a frame."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response

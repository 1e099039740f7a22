"""``app.bsky.notification.*``."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky.errors import internal_error, invalid_request
from sandbox.bluesky.identifiers import Json, authority, format_time, parse_at_uri, parse_time
from sandbox.bluesky.notifications import Filters, Notification, Page
from sandbox.bluesky.schema import Array, Boolean, Object, Text
from sandbox.bluesky.server.method import CURSOR, Method, Parameter, Request, limit
from sandbox.bluesky.views import Views


def _list(request: Request) -> Json:
    params, views = request.params, request.views
    if "seenAt" in params:
        raise invalid_request("The seenAt parameter is unsupported")
    priority = params.get("priority", False)
    filters = Filters(
        exists=lambda line: _exists(views, line, priority=priority),
        visible=lambda line: not (views.blocked(line.author) or views.muted(line.author)),
        reasons=frozenset(params.get("reasons", ())),
    )
    page = request.network.notifications.page(
        views.viewer, cursor=_cursor(params.get("cursor")), limit=params["limit"], filters=filters
    )
    shown = [_notification(request, line, page) for line in page.notifications]
    answer: dict[str, Any] = {"notifications": shown, "priority": priority}
    further = {"cursor": page.cursor, "seenAt": page.seen_at}
    return answer | {key: value for key, value in further.items() if value}


def _exists(views: Views, line: Notification, *, priority: bool) -> bool:
    if priority and not views.index.follows.uri(views.viewer, line.author):
        return False
    return line.reason_subject is None or views.index.post(line.reason_subject) is not None


def _cursor(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return format_time(parse_time(text))
    except (ValueError, OverflowError):
        raise internal_error(502) from None  # what the PDS makes of the AppView's failure


def _notification(request: Request, line: Notification, page: Page) -> Json:
    views = request.views
    uri = parse_at_uri(line.uri)
    author = request.network.account(authority(line.uri))
    record = request.network.repository(author).find(uri.collection, uri.record_key)
    if record is None:
        raise LookupError(f"a notification without its record {line.uri}")
    view = {
        "uri": line.uri,
        "cid": record.cid,
        "author": views.profile(line.author),
        "reason": line.reason,
        "record": record.value,
        "isRead": page.seen_at is None or page.seen_at > line.sort_at,
        "indexedAt": line.sort_at,
        "labels": [],
    }
    if line.reason_subject is not None:
        view["reasonSubject"] = line.reason_subject
    return view


def _update_seen(request: Request) -> None:
    seen_at = format_time(parse_time(request.body["seenAt"]))
    request.network.notifications.mark_seen(request.account.did, seen_at)


def _get_unread_count(request: Request) -> Json:
    if "seenAt" in request.params:
        raise invalid_request("The seenAt parameter is unsupported")
    return {"count": request.network.notifications.unread(request.account.did)}


METHODS = (
    Method(
        "app.bsky.notification.listNotifications",
        "query",
        _list,
        params={
            "reasons": Parameter(Array(Text())),
            "limit": limit(50),
            "priority": Parameter(Boolean()),
            "cursor": CURSOR,
            "seenAt": Parameter(Text("datetime")),
        },
    ),
    Method(
        "app.bsky.notification.updateSeen",
        "procedure",
        _update_seen,
        body=Object({"seenAt": Text("datetime")}),
    ),
    Method(
        "app.bsky.notification.getUnreadCount",
        "query",
        _get_unread_count,
        params={"priority": Parameter(Boolean()), "seenAt": Parameter(Text("datetime"))},
    ),
)

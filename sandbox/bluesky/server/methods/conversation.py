"""``chat.bsky.convo.*``: direct messages."""

from __future__ import annotations

from typing import Any

from sandbox.bluesky.chat_views import (
    convo_view,
    event_view,
    members,
    message_in_union,
    message_view,
    related_profiles,
)
from sandbox.bluesky.conversations import Conversation, Draft
from sandbox.bluesky.errors import invalid_request
from sandbox.bluesky.identifiers import Json
from sandbox.bluesky.records import EMBED_RECORD, FACET, RECORD_EMBED
from sandbox.bluesky.schema import Array, Object, Optional, Text, Union
from sandbox.bluesky.server.method import CURSOR, Method, Parameter, Request, limit


def _get_log(request: Request) -> Json:
    chat = request.network.chat
    cursor = request.params.get("cursor")
    if cursor is None:
        return {"cursor": chat.now, "logs": []}  # it starts now
    events = chat.log.after(request.account.did, cursor)
    shown = [event_view(request.views, event) for event in events]
    return {"cursor": events[-1].rev if events else cursor, "logs": shown}


def _list_convos(request: Request) -> Json:
    params = request.params
    page, cursor = _page(request, _wanted(request, params.get("status")))
    return {"convos": [convo_view(request.views, found) for found in page], **cursor}


def _list_convo_requests(request: Request) -> Json:
    page, cursor = _page(request, _wanted(request, "request"))
    kind = "chat.bsky.convo.defs#convoView"
    shown = [{"$type": kind, **convo_view(request.views, found)} for found in page]
    return {"requests": shown, **cursor}


def _wanted(request: Request, status: str | None) -> list[Conversation]:
    params, did = request.params, request.account.did
    found = request.network.chat.list(did)
    if status is not None:
        found = [convo for convo in found if convo.members[did].status == status]
    if params.get("readState") == "unread":
        found = [convo for convo in found if convo.unread(did)]
    if "kind" in params:
        group = params["kind"] == "group"
        found = [convo for convo in found if (convo.group_name is not None) == group]
    return found


def _page(request: Request, found: list[Conversation]) -> tuple[list[Conversation], Json]:
    cursor, size = request.params.get("cursor"), request.params["limit"]
    if cursor is not None:
        found = [convo for convo in found if convo.rev < cursor]
    page = found[:size]
    return page, {"cursor": page[-1].rev} if len(found) > size else {}


def _get_convo(request: Request) -> Json:
    return {"convo": convo_view(request.views, _convo(request, request.params["convoId"]))}


def _get_convo_members(request: Request) -> Json:
    found = _convo(request, request.params["convoId"])
    return {"members": members(request.views, found)}


def _get_convo_for_members(request: Request) -> Json:
    found = request.network.chat.open(request.account.did, _other(request))
    return {"convo": convo_view(request.views, found)}


def _get_convo_availability(request: Request) -> Json:
    chat, did, other = request.network.chat, request.account.did, _other(request)
    found = chat.between(did, other)
    convo = {"convo": convo_view(request.views, found)} if found else {}
    under_way = found is not None and bool(found.messages)
    return {"canChat": under_way or chat.refusal(did, other) is None, **convo}


def _other(request: Request) -> str:
    others = set(request.params["members"]) - {request.account.did}
    if len(others) != 1:
        raise invalid_request("this server opens conversations of two only: name one other member")
    return str(others.pop())


def _get_messages(request: Request) -> Json:
    params = request.params
    found = _convo(request, params["convoId"])
    messages = found.messages[::-1]
    if "cursor" in params:
        messages = [message for message in messages if message.rev < params["cursor"]]
    page = messages[: params["limit"]]
    answer: dict[str, Any] = {
        "messages": [message_in_union(request.views, found, message) for message in page],
        "relatedProfiles": related_profiles(request.views, page),
    }
    return answer | ({"cursor": page[-1].rev} if len(messages) > len(page) else {})


def _send_message(request: Request) -> Json:
    found = _convo(request, request.body["convoId"])
    given = request.body["message"]
    embed = given.get("embed")
    if embed is not None and embed["$type"] != EMBED_RECORD:
        raise invalid_request("this server embeds posts only")
    draft = Draft(
        text=given["text"],
        facets=given.get("facets", ()),
        embed=embed,
        reply_to=given.get("replyTo", {}).get("messageId"),
    )
    message = request.network.chat.send(request.account.did, found, draft)
    return message_view(request.views, found, message)


def _accept_convo(request: Request) -> Json:
    found = _convo(request, request.body["convoId"])
    rev = request.network.chat.accept(request.account.did, found)
    return {"rev": rev} if rev else {}


def _update_read(request: Request) -> Json:
    found = _convo(request, request.body["convoId"])
    message_id = request.body.get("messageId")
    request.network.chat.mark_read(request.account.did, found, message_id)
    return {"convo": convo_view(request.views, found)}


def _add_reaction(request: Request) -> Json:
    body = request.body
    found = _convo(request, body["convoId"])
    chat = request.network.chat
    message = chat.react(request.account.did, found, body["messageId"], body["value"])
    return {"message": message_view(request.views, found, message)}


def _convo(request: Request, convo_id: str) -> Conversation:
    return request.network.chat.find(request.account.did, convo_id)


_CONVO_ID = Parameter(Text(), required=True)
_MEMBERS = Parameter(Array(Text("did"), min_length=1, max_length=10), required=True)
_MESSAGE_INPUT = Object(
    {
        "text": Text(max_bytes=10_000, max_graphemes=1_000),
        "facets": Optional(Array(FACET)),
        "embed": Optional(Union({EMBED_RECORD: RECORD_EMBED})),
        "replyTo": Optional(Object({"messageId": Text()})),
    }
)
_REACTION = Text(min_graphemes=1, max_graphemes=1, max_bytes=64)

METHODS = (
    Method("chat.bsky.convo.getLog", "query", _get_log, params={"cursor": CURSOR}, privileged=True),
    Method(
        "chat.bsky.convo.listConvos",
        "query",
        _list_convos,
        params={
            "limit": limit(50),
            "cursor": CURSOR,
            "readState": Parameter(Text()),
            "status": Parameter(Text()),
            "kind": Parameter(Text()),
            "lockStatus": Parameter(Text()),
        },
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.listConvoRequests",
        "query",
        _list_convo_requests,
        params={"limit": limit(50), "cursor": CURSOR},
    ),
    Method(
        "chat.bsky.convo.getConvo",
        "query",
        _get_convo,
        params={"convoId": _CONVO_ID},
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.getConvoMembers",
        "query",
        _get_convo_members,
        params={"convoId": _CONVO_ID, "limit": limit(50), "cursor": CURSOR},
    ),
    Method(
        "chat.bsky.convo.getConvoForMembers",
        "query",
        _get_convo_for_members,
        params={"members": _MEMBERS},
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.getConvoAvailability",
        "query",
        _get_convo_availability,
        params={"members": _MEMBERS},
    ),
    Method(
        "chat.bsky.convo.getMessages",
        "query",
        _get_messages,
        params={"convoId": _CONVO_ID, "limit": limit(50), "cursor": CURSOR},
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.sendMessage",
        "procedure",
        _send_message,
        body=Object({"convoId": Text(), "message": _MESSAGE_INPUT}),
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.acceptConvo", "procedure", _accept_convo, body=Object({"convoId": Text()})
    ),
    Method(
        "chat.bsky.convo.updateRead",
        "procedure",
        _update_read,
        body=Object({"convoId": Text(), "messageId": Optional(Text())}),
        privileged=True,
    ),
    Method(
        "chat.bsky.convo.addReaction",
        "procedure",
        _add_reaction,
        body=Object({"convoId": Text(), "messageId": Text(), "value": _REACTION}),
    ),
)

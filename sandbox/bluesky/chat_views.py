"""How conversations look to a member (``chat.bsky.convo.defs``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

from sandbox.bluesky.conversations import Conversation, Event, Message, Reaction
from sandbox.bluesky.embeds import record_view
from sandbox.bluesky.identifiers import format_time
from sandbox.bluesky.views import Views

_DEFS = "chat.bsky.convo.defs#"
_MEMBER_DEFS = "chat.bsky.actor.defs#"
GROUP_LIMIT = 50


def convo_view(views: Views, conversation: Conversation) -> dict[str, Any]:
    """``convoView``, for the viewer: status and unread count are theirs."""
    member = conversation.members[views.viewer]
    view: dict[str, Any] = {
        "id": conversation.convo_id,
        "rev": conversation.rev,
        "members": members(views, conversation),
        "muted": False,
        "status": member.status,
        "unreadCount": conversation.unread(views.viewer),
        "kind": _kind(conversation),
    }
    if conversation.messages:
        view["lastMessage"] = message_in_union(views, conversation, conversation.messages[-1])
    return view


def members(views: Views, conversation: Conversation) -> list[dict[str, Any]]:
    """The members' profiles, each with its part in the conversation."""
    return [
        {**profile(views, did), "kind": _member_kind(conversation, did)}
        for did in conversation.members
    ]


def profile(views: Views, did: str) -> dict[str, Any]:
    """``chat.bsky.actor.defs#profileViewBasic``."""
    shown = views.profile_basic(did)
    keys = ("did", "handle", "displayName", "avatar", "labels", "createdAt")
    return {key: shown[key] for key in keys if key in shown}


def message_view(views: Views, conversation: Conversation, message: Message) -> dict[str, Any]:
    """``messageView``, with the message it answers."""
    view = _message(views, message)
    target = conversation.find(message.draft.reply_to or "")
    if target is not None:
        view["replyTo"] = _in_union(views, target)
    return view


def message_in_union(views: Views, conversation: Conversation, message: Message) -> dict[str, Any]:
    """A message where deleted and system messages may stand too; ``$type`` says which it is."""
    view = _in_union(views, message)
    if view["$type"] == f"{_DEFS}messageView":
        return view | message_view(views, conversation, message)
    return view


def related_profiles(views: Views, messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The profiles of all who sent, were added or reacted, each once."""
    dids: dict[str, None] = {}
    for message in messages:
        dids[message.sender] = None
        if message.added is not None:
            dids[message.added] = None
        dids.update(dict.fromkeys(reaction.sender for reaction in message.reactions))
    return [profile(views, did) for did in dids]


def event_view(views: Views, event: Event) -> dict[str, Any]:
    """One line of ``getLog``."""
    view: dict[str, Any] = {
        "$type": _DEFS + event.kind,
        "rev": event.rev,
        "convoId": event.conversation.convo_id,
    }
    match event.kind:
        case "logBeginConvo" | "logAcceptConvo":
            return view
        case "logReadMessage" | "logReadConvo" | "logDeleteMessage":
            return view | _event_message(views, event)
        case "logCreateMessage" | "logAddMember":
            return view | _event_message(views, event) | _event_profiles(views, event)
        case "logAddReaction":
            reaction = {"reaction": _reaction(event.reaction)} if event.reaction else {}
            return view | _event_message(views, event) | reaction | _event_profiles(views, event)
        case _:
            assert_never(event.kind)


def _event_message(views: Views, event: Event) -> dict[str, Any]:
    if event.message is None:
        return {}
    return {"message": message_in_union(views, event.conversation, event.message)}


def _event_profiles(views: Views, event: Event) -> dict[str, Any]:
    messages = [event.message] if event.message else []
    return {"relatedProfiles": related_profiles(views, messages)}


def _in_union(views: Views, message: Message) -> dict[str, Any]:
    if message.added is not None:
        return {"$type": f"{_DEFS}systemMessageView", **_system(message)}
    kind = "deletedMessageView" if views.viewer in message.deleted_for else "messageView"
    return {"$type": _DEFS + kind, **_message(views, message)}


def _message(views: Views, message: Message) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": message.message_id,
        "rev": message.rev,
        "sender": {"did": message.sender},
        "sentAt": format_time(message.sent_at),
    }
    if views.viewer in message.deleted_for:
        return view
    view["text"] = message.draft.text
    if message.draft.facets:
        view["facets"] = list(message.draft.facets)
    if message.draft.embed is not None:
        view["embed"] = record_view(views, message.draft.embed)
    if message.reactions:
        view["reactions"] = [_reaction(reaction) for reaction in message.reactions]
    return view


def _system(message: Message) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "rev": message.rev,
        "sentAt": format_time(message.sent_at),
        "data": {
            "$type": f"{_DEFS}systemMessageDataAddMember",
            "member": {"did": message.added},
            "role": "standard",
            "addedBy": {"did": message.sender},
        },
    }


def _reaction(reaction: Reaction) -> dict[str, Any]:
    return {
        "value": reaction.value,
        "sender": {"did": reaction.sender},
        "createdAt": format_time(reaction.created_at),
    }


def _kind(conversation: Conversation) -> dict[str, Any]:
    if conversation.group_name is None:
        return {"$type": f"{_DEFS}directConvo"}
    return {
        "$type": f"{_DEFS}groupConvo",
        "createdAt": format_time(conversation.created_at),
        "lockStatus": "unlocked",
        "lockStatusModerationOverride": False,
        "memberCount": len(conversation.members),
        "memberLimit": GROUP_LIMIT,
        "name": conversation.group_name,
    }


def _member_kind(conversation: Conversation, did: str) -> dict[str, Any]:
    if conversation.group_name is None:
        return {"$type": f"{_MEMBER_DEFS}directConvoMember"}
    role = "owner" if did == next(iter(conversation.members)) else "standard"
    return {"$type": f"{_MEMBER_DEFS}groupConvoMember", "role": role}

"""What the page shows: both sides as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.bluesky import PostSnapshot, ThreadSnapshot
from sandbox.genesys.conversations import Conversation, InboundMessage, OutboundMessage
from sandbox.world import World

_THREADS_SHOWN = 20

Picture = dict[str, Any]


def take_picture(world: World, health: Mapping[str, Any] | None) -> Picture:
    """Everything that the page needs, threads and conversations the newest first."""
    return {
        "brand": {"handle": world.brand.handle},
        "customers": [
            {"handle": account.handle, "display_name": _name_of(world, account.did)}
            for account in world.customers
        ],
        "posts": _posts(world),
        "direct_messages": {
            account.handle: [
                {
                    "id": message.message_id,
                    "ours": message.sender == world.brand.did,
                    "text": message.text,
                    "sent_at": message.sent_at.isoformat(),
                }
                for message in world.bluesky.direct_messages.between(account, world.brand)
            ]
            for account in world.customers
        },
        "conversations": [
            _conversation(world, conversation)
            for conversation in reversed(tuple(world.genesys.conversations.values()))
        ],
        "health": health,
    }


def _posts(world: World) -> list[Picture]:
    roots = [post for post in world.bluesky.posts() if post.parent is None][:_THREADS_SHOWN]
    shown: list[Picture] = []

    def add(thread: ThreadSnapshot, depth: int) -> None:
        shown.append(_post(world, thread.post, depth))
        for reply in thread.replies:
            add(reply, depth + 1)

    for root in roots:
        add(world.bluesky.thread(root), 0)
    return shown


def _post(world: World, post: PostSnapshot, depth: int) -> Picture:
    return {
        "uri": post.uri,
        "depth": depth,
        "handle": post.author.handle,
        "display_name": _name_of(world, post.author.did),
        "ours": post.author.did == world.brand.did,
        "text": post.text,
        "created_at": post.created_at,
        "likes": len(post.liked_by),
        "reposts": len(post.reposted_by),
    }


def _conversation(world: World, conversation: Conversation) -> Picture:
    first = next(iter(conversation.inbound), None)
    return {
        "id": conversation.conversation_id,
        "public": conversation.visibility == "public",
        "customer": _sender_of(first) if first else "?",
        "messages": [
            _inbound(message) if isinstance(message, InboundMessage) else _outbound(message)
            for message in conversation.messages
        ],
    }


def _inbound(message: InboundMessage) -> Picture:
    return {
        "id": message.message_id,
        "ours": False,
        "name": _sender_of(message),
        "text": message.text,
        "at": message.time,
        "public": message.visibility == "public",
    }


def _outbound(message: OutboundMessage) -> Picture:
    receipt = message.receipt
    status: str = receipt.status if receipt else "waiting"
    if receipt is None and message.status == "failed":
        status = "undeliverable"
    return {
        "id": message.message_id,
        "ours": True,
        "text": message.text,
        "at": message.sent_at.isoformat(),
        "public": message.visibility == "public",
        "status": status,
        "reason": receipt.reasons[0][1] if receipt and receipt.reasons else None,
    }


def _sender_of(message: InboundMessage) -> str:
    return message.sender.get("firstName") or message.sender.get("nickname") or message.sender_id


def _name_of(world: World, did: str) -> str:
    account = world.bluesky.account(did)
    profile = world.bluesky.repository(account).find("app.bsky.actor.profile", "self")
    return str(profile.value.get("displayName", account.handle)) if profile else account.handle

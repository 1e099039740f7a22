"""What the page shows: both sides as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.bluesky import PostSnapshot, ThreadSnapshot
from sandbox.bluesky.identifiers import authority
from sandbox.bluesky.views import Views
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
        "threads": _threads(world),
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


def _threads(world: World) -> list[Picture]:
    # An answer to a post that is gone stands for itself.
    there = world.bluesky.posts()
    uris = {post.uri for post in there}
    roots = [post for post in there if post.parent not in uris][:_THREADS_SHOWN]
    return [_thread(world, world.bluesky.thread(root)) for root in roots]


def _thread(world: World, thread: ThreadSnapshot) -> Picture:
    replies = [_thread(world, reply) for reply in thread.replies]
    return {"post": _post(world, thread.post), "replies": replies}


def _post(world: World, post: PostSnapshot) -> Picture:
    return {
        "uri": post.uri,
        "handle": post.author.handle,
        "display_name": _name_of(world, post.author.did),
        "ours": post.author.did == world.brand.did,
        "text": post.text,
        "embed": _embed(world, post),
        "created_at": post.created_at,
        "likes": len(post.liked_by),
        "reposts": len(post.reposted_by),
    }


def _embed(world: World, post: PostSnapshot) -> Picture | None:
    """What is embedded, as a client gets it (``app.bsky.embed.*#view``)."""
    bluesky = world.bluesky
    views = Views(bluesky.accounts, bluesky.index, world.brand.did, world.bluesky_url)
    found = bluesky.index.post(post.uri)
    return views.post(found).get("embed") if found else None


def _conversation(world: World, conversation: Conversation) -> Picture:
    first = next(iter(conversation.inbound), None)
    return {
        "id": conversation.conversation_id,
        "public": conversation.visibility == "public",
        "customer": _sender_of(first) if first else "?",
        "begins": first.text if first else "",
        "messages": [
            {
                **_message(world, message),
                "id": message.message_id,
                "text": message.text,
                "public": message.visibility == "public",
                "answers": _answered(world, conversation, message.reply_to_id),
            }
            for message in conversation.messages
        ],
    }


def _message(world: World, message: InboundMessage | OutboundMessage) -> Picture:
    if isinstance(message, OutboundMessage):
        return _outbound(world, message)
    return {
        "ours": False,
        "name": _sender_of(message),
        "at": message.time,
        "attachments": [*message.attachments],
    }


def _outbound(world: World, message: OutboundMessage) -> Picture:
    receipt = message.receipt
    status: str = receipt.status if receipt else "waiting"
    if receipt is None and message.status == "failed":
        status = "undeliverable"
    return {
        "ours": True,
        "at": message.sent_at.isoformat(),
        # The page has no token: it gets the address that the API would lead to.
        "attachments": [
            {**file.as_json(), "url": world.genesys.files.signed_url(file.attachment_id)}
            for file in message.attachments
        ],
        "status": status,
        "reason": receipt.reasons[0][1] if receipt and receipt.reasons else None,
    }


def _answered(world: World, conversation: Conversation, uri: str | None) -> str | None:
    """Who wrote the message that another one answers, as far as the desk can know."""
    if uri is None:
        return None
    if authority(uri) == world.brand.did:
        return "you"
    found = [one for one in conversation.inbound if one.provider_message_id == uri]
    return _sender_of(found[0]) if found else None


def _sender_of(message: InboundMessage) -> str:
    return message.sender.get("firstName") or message.sender.get("nickname") or message.sender_id


def _name_of(world: World, did: str) -> str:
    account = world.bluesky.account(did)
    profile = world.bluesky.repository(account).find("app.bsky.actor.profile", "self")
    return str(profile.value.get("displayName", account.handle)) if profile else account.handle

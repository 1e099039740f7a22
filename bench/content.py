"""What is carried in the benchmark: mentions that wait on Bluesky, and agents' answers to them.

Everything follows from a number, so that each process can make it for itself and none has to be
told what to expect.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sandbox.bluesky.identifiers import format_time, record_cid

Json: TypeAlias = dict[str, Any]

BRAND_DID = "did:plc:benchbrandbenchbrandbenc"
BRAND_HANDLE = "acme.example"
INTEGRATION_ID = "11111111-2222-4333-8444-555555555555"
TOPIC_ID = "22222222-3333-4444-8555-666666666666"
RULE_ID = "33333333-4444-4555-8666-777777777777"
SOURCE_ID = "44444444-5555-4666-8777-888888888888"
DIVISION_ID = "55555555-6666-4777-8888-999999999999"
WEBHOOK_SECRET = "bench-webhook-secret"  # noqa: S105 (it opens nothing but the benchmark)

LISTED_OVER = timedelta(minutes=50)
"""The waiting mentions are so long apart in all: less than the connector's look-back of an hour."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A customer's post that mentions the company. ``indexed_at`` differs from all others."""

    number: int
    indexed_at: str

    @property
    def did(self) -> str:
        """Its author's."""
        return f"did:plc:{_letters(f'customer {self.number}', 24)}"

    @property
    def uri(self) -> str:
        """The post's."""
        return f"at://{self.did}/app.bsky.feed.post/{_letters(f'post {self.number}', 13)}"

    @property
    def cid(self) -> str:
        """The record's."""
        return record_cid(self.record())

    @property
    def text(self) -> str:
        """What the customer wrote."""
        return f"@{BRAND_HANDLE} my order {self.number} has not arrived, can you look into it?"

    def record(self) -> Json:
        """``app.bsky.feed.post``."""
        return {
            "$type": "app.bsky.feed.post",
            "text": self.text,
            "langs": ["en"],
            "createdAt": self.indexed_at,
            "facets": [
                {
                    "index": {"byteStart": 0, "byteEnd": len(BRAND_HANDLE) + 1},
                    "features": [{"$type": "app.bsky.richtext.facet#mention", "did": BRAND_DID}],
                }
            ],
        }

    def notification(self) -> Json:
        """``app.bsky.notification.listNotifications#notification``."""
        return {**self._common(), "reason": "mention", "isRead": False}

    def view(self) -> Json:
        """``app.bsky.feed.defs#postView``."""
        counts = ("bookmarkCount", "replyCount", "repostCount", "likeCount", "quoteCount")
        viewer = {"bookmarked": False, "threadMuted": False, "embeddingDisabled": False}
        return {**self._common(), **dict.fromkeys(counts, 0), "viewer": viewer}

    def profile(self) -> Json:
        """``app.bsky.actor.defs#profileViewDetailed`` of its author."""
        counts = {"followersCount": self.number, "followsCount": 1, "postsCount": 1}
        return {**self.author(), **counts}

    def author(self) -> Json:
        """``app.bsky.actor.defs#profileView``."""
        return {
            "did": self.did,
            "handle": f"customer{self.number}.example",
            "displayName": f"Customer {self.number}",
            "avatar": f"https://cdn.example/img/avatar/plain/{self.did}/picture",
            "associated": {"activitySubscription": {"allowSubscriptions": "followers"}},
            "viewer": {"muted": False, "blockedBy": False},
            "labels": [],
            "createdAt": "2024-01-01T00:00:00.000Z",
        }

    def _common(self) -> Json:
        record = self.record()
        return {
            "uri": self.uri,
            "cid": record_cid(record),
            "author": self.author(),
            "record": record,
            "indexedAt": self.indexed_at,
            "labels": [],
        }


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """What a customer writes directly: the author is that of the mention with the same number."""

    number: int

    @property
    def did(self) -> str:
        """Its author's."""
        return Mention(self.number, "").did

    @property
    def convo_id(self) -> str:
        """The conversation's."""
        return _letters(f"conversation {self.number}", 13)

    @property
    def text(self) -> str:
        """What the customer wrote."""
        return f"where is my order {self.number}?"

    def event(self, rev: str) -> Json:
        """``chat.bsky.convo.defs#logCreateMessage``."""
        message = {
            "$type": "chat.bsky.convo.defs#messageView",
            "id": _letters(f"message {self.number}", 13),
            "rev": rev,
            "text": self.text,
            "sender": {"did": self.did},
            "sentAt": format_time(datetime.now(UTC)),
        }
        kind = "chat.bsky.convo.defs#logCreateMessage"
        return {"$type": kind, "rev": rev, "convoId": self.convo_id, "message": message}

    def conversation(self) -> Json:
        """``chat.bsky.convo.defs#convoView``."""
        author = Mention(self.number, "").author()
        brand = {"did": BRAND_DID, "handle": BRAND_HANDLE}
        return {
            "id": self.convo_id,
            "rev": "0",
            "members": [brand, author],
            "muted": False,
            "unreadCount": 1,
            "status": "accepted",
        }


def make_mentions(count: int, now: datetime) -> list[Mention]:
    """``count`` mentions, oldest first, the last one a moment ago."""
    step = LISTED_OVER / max(1, count)
    return [Mention(number, format_time(now - step * (count - number))) for number in range(count)]


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """What an agent answers in public to the mention with the same number."""

    number: int

    @property
    def message_id(self) -> str:
        """Genesys' id of the message."""
        return hashlib.sha256(f"answer {self.number}".encode()).hexdigest()[:32]

    @property
    def text(self) -> str:
        """What the agent wrote."""
        return f"Thank you for telling us about order {self.number}. It leaves our house today."

    def body(self) -> bytes:
        """The webhook's: ``OpenMessageNormalizedMessage`` as a real organization sends it."""
        mention = Mention(self.number, "")
        integration = {"id": INTEGRATION_ID, "idType": "Opaque"}
        channel = {
            "id": INTEGRATION_ID,
            "platform": "Open",
            "type": "Public",
            "to": {"id": mention.did, "idType": "Opaque"},
            "from": {"nickname": "Bluesky Integration", **integration},
            "time": format_time(datetime.now(UTC)),
            "messageId": self.message_id,
            "publicMetadata": {"rootId": mention.uri, "replyToId": mention.uri},
        }
        message = {
            "id": self.message_id,
            "channel": channel,
            "type": "Text",
            "text": self.text,
            "originatingEntity": "Human",
            "direction": "Outbound",
            "conversationId": f"66666666-7777-4888-8999-{self.number:012d}",
        }
        return json.dumps(message, separators=(",", ":")).encode()


def _letters(seed: str, length: int) -> str:
    digest = int.from_bytes(hashlib.sha512(seed.encode()).digest())
    return "".join(
        "234567abcdefghijklmnopqrstuvwxyz"[digest >> 5 * at & 31] for at in range(length)
    )

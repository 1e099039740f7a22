"""The vocabulary: everything that one actor may say to another.

All messages are frozen. Those that wait in the journal (:data:`Payload`) are written there as
JSON with their ``kind`` and :data:`PAYLOAD_VERSION`; a field may be added with a default, never
renamed or removed, so that an entry written by an older release stays readable.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

PAYLOAD_VERSION = 1

Json: TypeAlias = Mapping[str, Any]
"""One JSON object as it travels on the wire."""


class Destination(enum.StrEnum):
    """The actors that the journal delivers to, by the names that ``/health`` shows."""

    GENESYS_SENDER = "GenesysSender"
    BLUESKY_SENDER = "BlueskySender"
    CONTACT_RESOLVER = "ContactResolver"


# --- from Bluesky --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Author:
    """A Bluesky account. ``did`` is its identity; handle and name may change at any time."""

    did: str
    handle: str
    display_name: str | None = None
    avatar: str | None = None


@dataclass(frozen=True, slots=True)
class PostReference:
    """``com.atproto.repo.strongRef``: which record, and which version of it."""

    uri: str
    cid: str


@dataclass(frozen=True, slots=True)
class ThreadReference:
    """What a reply to a post must name: the post itself and the root of its thread."""

    post: PostReference
    root: PostReference
    author_did: str


@dataclass(frozen=True, slots=True)
class KnownPost:
    """A post that was lately taken in, or written by the account: a thread that is alive.

    ``written_s`` is the author's time in unix seconds. ``context`` says that it was taken in only
    to show what another one answers: its author takes no part in the conversation.
    """

    uri: str
    root_uri: str
    author: Author
    written_s: float
    context: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or link that belongs to a message; ``text`` is the alt text."""

    media_type: Literal["Image", "Video", "Audio", "File", "Link"]
    url: str
    mime: str | None = None
    text: str | None = None
    filename: str | None = None


InboundReason: TypeAlias = Literal["mention", "reply", "quote", "search", "context", "deletion"]
"""Why a post is taken in: ``context`` is what another one answers, ``deletion`` is no post but the
note that one was deleted."""


@dataclass(frozen=True, slots=True)
class InboundPost:
    """A public post on its way to Genesys (``OpenSocialMediaNormalizedMessage``).

    ``created_at`` is RFC 3339 in UTC. ``parent_uri`` is ``None`` for a post that is no reply;
    then ``root`` is the post itself. ``own`` says that the company's account wrote it.
    """

    post: PostReference
    root: PostReference
    parent_uri: str | None
    author: Author
    text: str
    created_at: str
    url: str
    reason: InboundReason
    mentioned_dids: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["inbound_post"] = "inbound_post"
    own: bool = False


@dataclass(frozen=True, slots=True)
class InboundDirectMessage:
    """A direct message on its way to Genesys (``OpenInboundNormalizedMessage``)."""

    message_id: str
    convo_id: str
    author: Author
    text: str
    sent_at: str
    attachments: tuple[Attachment, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["inbound_direct_message"] = "inbound_direct_message"


@dataclass(frozen=True, slots=True)
class ReactionCounts:
    """How many like, repost and quote one of our posts (``app.bsky.feed.defs#postView``).

    ``counted_at`` is RFC 3339 in UTC. Of several for one post only the newest is worth sending.
    """

    post_uri: str
    likes: int
    reposts: int
    quotes: int
    counted_at: str
    kind: Literal["reactions"] = "reactions"

    @property
    def summary(self) -> str:
        """The counts alone, as they are kept under ``reactions`` in the store."""
        return f"{self.likes}:{self.reposts}:{self.quotes}"


# --- from Genesys --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One ``com.atproto.repo.putRecord``, fixed before it is first sent.

    ``record`` is the whole body. When ``reply_to_previous`` is true, ``record.reply.parent`` is
    left out of it and filled with the uri and cid that the write before it was answered with.
    When ``root_is_first`` is true, so is ``record.reply.root`` with those of the first write.
    """

    collection: str
    record_key: str
    record: Json
    reply_to_previous: bool = False
    root_is_first: bool = False


@dataclass(frozen=True, slots=True)
class RecordRemoval:
    """One ``com.atproto.repo.deleteRecord``: the very record that was found, and no newer one."""

    collection: str
    record_key: str


@dataclass(frozen=True, slots=True)
class DirectMessagePart:
    """One ``chat.bsky.convo.sendMessage``: text and facets."""

    text: str
    facets: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """An agent's message as the records it becomes, in order."""

    writes: tuple[RecordWrite, ...]
    kind: Literal["records"] = "records"


@dataclass(frozen=True, slots=True)
class DirectMessagePlan:
    """An agent's message as the direct messages it becomes, in order.

    ``since_rev`` is the conversation's ``rev`` before the first attempt: of our messages only
    newer ones can come from this plan, so a lost answer can be looked up.
    """

    convo_id: str
    since_rev: str
    parts: tuple[DirectMessagePart, ...]
    kind: Literal["direct_messages"] = "direct_messages"


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What a message takes back, in order; nothing if it is gone already."""

    removals: tuple[RecordRemoval, ...]
    kind: Literal["removals"] = "removals"


@dataclass(frozen=True, slots=True)
class MutePlan:
    """Whether the account mutes somebody (``app.bsky.graph.muteActor``, ``unmuteActor``)."""

    did: str
    muted: bool
    kind: Literal["mute"] = "mute"


@dataclass(frozen=True, slots=True)
class HidePlan:
    """A reply to be among ``hiddenReplies`` of our thread (``app.bsky.feed.threadgate``).

    ``created_at`` is that of the gate, RFC 3339, if the thread has none yet.
    """

    root_uri: str
    reply_uri: str
    created_at: str
    kind: Literal["hide"] = "hide"


Plan: TypeAlias = RecordPlan | DirectMessagePlan | RemovalPlan | MutePlan | HidePlan


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What an agent wrote, on its way to Bluesky.

    ``plan`` is absent when it is first recorded. BlueskySender fixes it in the journal before it
    touches Bluesky, so that every repeat writes the very same bytes. With the plan it takes in
    the messages that go out ``together`` with this one, as one post; each has its own receipt.
    """

    message_id: str
    channel: Literal["public", "private"]
    recipient_did: str
    text: str
    sent_at: str
    conversation_id: str | None = None
    reply_to_uri: str | None = None
    root_uri: str | None = None
    attachments: tuple[Attachment, ...] = ()
    plan: Plan | None = None
    together: tuple[AgentMessage, ...] = ()
    kind: Literal["agent_message"] = "agent_message"


ReasonCode: TypeAlias = Literal[
    "MessageExpired",
    "RateLimited",
    "MessageNotAllowed",
    "GeneralError",
    "UnsupportedMessage",
    "UnknownMessage",
    "InvalidMessageStructure",
    "InvalidDestination",
    "ServerError",
    "MediaTypeNotAllowed",
    "InvalidMediaContentLength",
    "RecipientOptedOut",
    "DataFiltered",
]
"""``ConversationReason.code`` of the Genesys Swagger."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The one final answer to an agent's message (``OpenInboundNormalizedReceipt``).

    ``code`` and ``sentence`` are set for ``Failed`` only; the sentence is for the agent.
    """

    message_id: str
    recipient_did: str
    status: Literal["Delivered", "Failed"]
    code: ReasonCode | None = None
    sentence: str | None = None
    kind: Literal["receipt"] = "receipt"


@dataclass(frozen=True, slots=True)
class ResolveContact:
    """A Bluesky user whose Genesys contact should exist and be up to date."""

    author: Author
    kind: Literal["resolve_contact"] = "resolve_contact"


Payload: TypeAlias = (
    InboundPost | InboundDirectMessage | ReactionCounts | AgentMessage | Receipt | ResolveContact
)


# --- the journal ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JournalItem:
    """Something to record. ``item_id`` is seen once, for ever: a second recording is ignored.

    Items with the same ``destination`` and ``conversation`` are delivered in the order of
    recording, one at a time.
    """

    item_id: str
    destination: Destination
    conversation: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A recorded item in the hands of the actor it is for.

    ``attempts`` counts the ``Retry`` outcomes so far; ``recorded_at`` is unix time in seconds.
    """

    entry_id: str
    item_id: str
    destination: Destination
    conversation: str
    payload: Payload
    attempts: int
    recorded_at: float


@dataclass(frozen=True, slots=True)
class Done:
    """It took effect."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not yet: deliver it again in ``after_s`` seconds; its conversation waits behind it."""

    after_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: keep it as a dead letter, with this reason.

    ``why`` has no word of the message. ``tries`` is how often it was tried since it was delivered,
    crashes included.
    """

    code: str
    why: str
    tries: int = 1


Outcome: TypeAlias = Done | Retry | Refused


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be carried, kept whole for a person to look at.

    ``letter_id`` is seen once, like an item's: the same broken thing is kept once.
    ``payload`` is the JSON text as it came.
    """

    letter_id: str
    source: str
    code: str
    why: str
    payload: str
    attempts: int = 0

"""How things are called in the journal: item ids, and the conversations that keep their order."""

from __future__ import annotations

from typing import Literal

from actors.messages import (
    AgentMessage,
    Author,
    Destination,
    InboundDirectMessage,
    InboundPost,
    JournalItem,
    ReactionCounts,
    ReasonCode,
    Receipt,
    ResolveContact,
)


def make_post_id(uri: str) -> str:
    """One post is one item, whichever poller finds it first."""
    return f"post:{uri}"


def make_noise_id(uri: str) -> str:
    """A post that is left out wherever it is found, and yet can be the context of another one."""
    return f"noise:{uri}"


def make_hit_id(uri: str) -> str:
    """A post as a search hit, and no more: as that it may be left out, and yet be a mention."""
    return f"hit:{uri}"


def make_before_id(uri: str) -> str:
    """A post that was there before the first start: left out, unless somebody asks for it."""
    return f"before:{uri}"


def make_thread_id(root_uri: str) -> str:
    """Seen as soon as any post of the thread was taken in."""
    return f"thread:{root_uri}"


def make_direct_message_id(convo_id: str, message_id: str) -> str:
    """One direct message is one item."""
    return f"dm:{convo_id}:{message_id}"


def make_agent_id(message_id: str) -> str:
    """One message of an agent is one item, however it comes to be known."""
    return f"agent:{message_id}"


def make_receipt_id(message_id: str) -> str:
    """There is one final receipt for an agent's message."""
    return f"receipt:{message_id}"


def make_post_item(post: InboundPost) -> JournalItem:
    """A post waits behind the earlier ones of its thread."""
    return JournalItem(
        item_id=make_post_id(post.post.uri),
        destination=Destination.GENESYS_SENDER,
        conversation=f"thread:{post.root.uri}",
        payload=post,
    )


def make_direct_message_item(message: InboundDirectMessage) -> JournalItem:
    """A direct message waits behind the earlier ones of its Bluesky conversation."""
    return JournalItem(
        item_id=make_direct_message_id(message.convo_id, message.message_id),
        destination=Destination.GENESYS_SENDER,
        conversation=f"dm:{message.convo_id}",
        payload=message,
    )


def make_reactions_item(counts: ReactionCounts) -> JournalItem:
    """Each count is an item of its own; those of one post keep their order."""
    return JournalItem(
        item_id=f"reactions:{counts.post_uri}:{counts.summary}:{counts.counted_at}",
        destination=Destination.GENESYS_SENDER,
        conversation=f"reactions:{counts.post_uri}",
        payload=counts,
    )


def make_agent_item(message: AgentMessage) -> JournalItem:
    """An agent's message waits behind the earlier ones of its Genesys conversation."""
    return JournalItem(
        item_id=make_agent_id(message.message_id),
        destination=Destination.BLUESKY_SENDER,
        conversation=f"agent:{message.conversation_id or message.recipient_did}",
        payload=message,
    )


def read_agent_id(item_id: str) -> str:
    """The message id in the item id of an agent's message."""
    return item_id.removeprefix("agent:")


def make_receipt_item(receipt: Receipt) -> JournalItem:
    """There is one final receipt for a message; it waits for nothing."""
    item_id = make_receipt_id(receipt.message_id)
    return JournalItem(
        item_id=item_id,
        destination=Destination.GENESYS_SENDER,
        conversation=item_id,
        payload=receipt,
    )


def make_receipt_items(
    message: AgentMessage,
    status: Literal["Delivered", "Failed"],
    code: ReasonCode | None = None,
    sentence: str | None = None,
) -> tuple[JournalItem, ...]:
    """One receipt for the message, and one for each that goes out together with it."""
    return tuple(
        make_receipt_item(Receipt(one.message_id, one.recipient_did, status, code, sentence))
        for one in (message, *message.together)
    )


def make_failure(
    message_id: str, recipient_did: str, code: ReasonCode, sentence: str
) -> JournalItem:
    """The receipt that tells an agent why the message did not go out."""
    return make_receipt_item(Receipt(message_id, recipient_did, "Failed", code, sentence))


def make_contact_item(author: Author, caused_by: str) -> JournalItem:
    """The contact of whoever wrote ``caused_by``, an item id."""
    return JournalItem(
        item_id=f"contact:{caused_by}",
        destination=Destination.CONTACT_RESOLVER,
        conversation=f"contact:{author.did}",
        payload=ResolveContact(author),
    )

"""Which messages of an agent go out as one post.

Genesys sends every file that an agent attaches as a message of its own, one right after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.messages import AgentMessage, Attachment, JournalEntry
from actors.translation.commands import read_command

MOST_IMAGES = 4
"""``app.bsky.embed.images``."""

MOST_READ = 1 + MOST_IMAGES + 1
"""How many entries can matter: the first, as many images, and a text."""


def is_image(attachment: Attachment) -> bool:
    """Whether it is called an image; what it is shows when it is looked into."""
    called = (attachment.mime or "").lower()
    return called.startswith("image/") if called else attachment.media_type == "Image"


def find_together(queue: Sequence[JournalEntry], window_s: float) -> tuple[JournalEntry, ...]:
    """Those behind the first that belong to the same post: images and, with them, one text.

    They are for the same post and were recorded within the window, and nothing else stands
    between them. Only what was never tried is taken: the first may be an old one.
    """
    if not queue:
        return ()
    first, *behind = queue
    message = first.payload
    if not isinstance(message, AgentMessage) or not _may_join(message):
        return ()
    images, texts = len(message.attachments), int(bool(message.text.strip()))
    found: list[JournalEntry] = []
    for entry in behind:
        other = entry.payload
        late = entry.recorded_at - first.recorded_at > window_s
        if not isinstance(other, AgentMessage) or late or not _may_join(other):
            break
        images += len(other.attachments)
        texts += bool(other.text.strip())
        if images > MOST_IMAGES or texts > 1 or not _is_for_the_same(message, other):
            break
        found.append(entry)
    return tuple(found) if images else ()


def is_waited_for(queue: Sequence[JournalEntry]) -> bool:
    """Whether more may come that belongs to the same post as the first entry."""
    messages = [entry.payload for entry in queue if isinstance(entry.payload, AgentMessage)]
    if not messages or not messages[0].attachments or not _may_join(messages[0]):
        return False
    together = find_together(queue, float("inf"))
    images = len(messages[0].attachments) + sum(
        len(one.attachments) for one in messages[1 : 1 + len(together)]
    )
    return images < MOST_IMAGES and len(together) + 1 == len(queue)


def _may_join(message: AgentMessage) -> bool:
    return (
        message.channel == "public"
        and message.plan is None
        and all(map(is_image, message.attachments))
        and read_command(message.text) is None
    )


def _is_for_the_same(message: AgentMessage, other: AgentMessage) -> bool:
    return (message.recipient_did, message.reply_to_uri, message.root_uri) == (
        other.recipient_did,
        other.reply_to_uri,
        other.root_uri,
    )

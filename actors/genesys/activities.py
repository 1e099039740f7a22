"""How Genesys can be asked about the conversations in which something happened."""

from __future__ import annotations

from actors.genesys.models import find_id
from actors.messages import Json
from actors.store import Activity


def make_activities(conversation: str, message: Json) -> tuple[Activity, ...]:
    """The activity that a message is, if Genesys named it; otherwise none.

    A direct message may name its conversation (``OpenMessageNormalizedMessage``). A post
    (``OpenSocialMediaNormalizedMessage``) has an id only: it need not become a conversation.

    Args:
        conversation: the journal's name for it.
        message: as Genesys answered or delivered it.
    """
    conversation_id, message_id = find_id(message, "conversationId"), find_id(message, "id")
    if conversation_id is not None:
        return (Activity(conversation, "conversation", conversation_id),)
    if message_id is not None:
        return (Activity(conversation, "message", message_id),)
    return ()

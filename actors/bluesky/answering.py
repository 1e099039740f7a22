"""Plans for what an agent writes: replies, posts, quotes and direct messages."""

from __future__ import annotations

from dataclasses import dataclass

from actors import reasons
from actors.bluesky.attachments import upload_images
from actors.bluesky.calls import Calls
from actors.bluesky.cards import make_card
from actors.bluesky.direct_messages import open_conversation
from actors.bluesky.media import Media
from actors.bluesky.refusals import Refusal
from actors.bluesky.targets import find_target
from actors.bluesky.wording import word_direct_messages, word_posts
from actors.messages import AgentMessage, DirectMessagePlan, Json, RecordPlan
from actors.store import Store
from actors.translation.facets import find_first_link
from actors.translation.plans import (
    Part,
    make_direct_message_parts,
    make_post_plan,
    make_reply_plan,
)


@dataclass(frozen=True, slots=True)
class Style:
    """How posts are written.

    Args:
        numbered: whether each of several posts that are one text ends with its number.
        languages: BCP 47 tags of what agents write, at most three.
    """

    numbered: bool = True
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A message of which a plan is to be made, and what that takes.

    Args:
        conversation: the journal's, in which the message waits for its turn.
        created_at: unix time that records shall bear.
        patient: whether to put the message off rather than lose a mention in it.
    """

    calls: Calls
    store: Store
    media: Media
    message: AgentMessage
    conversation: str
    created_at: float
    patient: bool
    style: Style


async def plan_reply(task: Task, text: str) -> RecordPlan:
    """A chain of replies to the post that is answered, with the images that belong to it.

    Raises (as all here do):
        Refusal: it is nothing that can be sent.
        UnfitAttachment: an image is not.
        Retryable, AuthRejected, Malformed: as the client says. Nothing was written.
    """
    target = await find_target(task.calls, task.store, task.message)
    if target.viewer.get("replyDisabled") is True:
        raise Refusal(reasons.THREAD_LOCKED)
    style = task.style
    parts = await word_posts(task.calls, text, patient=task.patient, numbered=style.numbered)
    # An image needs a post, though there be no text.
    parts = parts or (Part(""),)
    images = await upload_images(task.calls, task.media, task.message)
    embeds = {0: images} if images is not None else await _make_card(task, text, parts)
    return make_reply_plan(
        task.message.message_id, parts, target.reference, task.created_at, style.languages, embeds
    )


async def plan_post(task: Task, text: str, *, quote: bool) -> RecordPlan:
    """A post that begins a thread; with ``quote`` it shows the post that is answered."""
    quoted = None
    if quote:
        target = await find_target(task.calls, task.store, task.message)
        if target.viewer.get("embeddingDisabled") is True:
            raise Refusal(reasons.QUOTES_DISABLED)
        quoted = target.reference.post
    style = task.style
    parts = await word_posts(task.calls, text, patient=task.patient, numbered=style.numbered)
    embeds = None if quoted else await _make_card(task, text, parts)
    return make_post_plan(
        task.message.message_id,
        parts,
        task.created_at,
        style.languages,
        quoted=quoted,
        embeds=embeds,
    )


async def plan_direct_message(task: Task, did: str, text: str) -> DirectMessagePlan:
    """Direct messages to somebody."""
    parts = await word_direct_messages(task.calls, text, patient=task.patient)
    convo_id, rev = await open_conversation(task.calls, did)
    return DirectMessagePlan(convo_id, rev, make_direct_message_parts(parts))


async def _make_card(task: Task, text: str, parts: tuple[Part, ...]) -> dict[int, Json]:
    """The card of the first link, by the number of the part that has the link."""
    link = find_first_link(text)
    card = await make_card(task.calls, task.media, link) if link is not None else None
    if link is None or card is None:
        return {}
    return {next((place for place, part in enumerate(parts) if part.links_to(link)), 0): card}

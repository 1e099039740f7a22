"""Plans for what an agent writes: replies, posts, quotes and direct messages."""

from __future__ import annotations

from dataclasses import dataclass

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.direct_messages import open_conversation
from actors.bluesky.refusals import Refusal
from actors.bluesky.targets import find_target
from actors.bluesky.wording import word_direct_messages, word_posts
from actors.messages import AgentMessage, DirectMessagePlan, RecordPlan
from actors.store import Store
from actors.translation.plans import make_direct_message_parts, make_post_plan, make_reply_plan


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
    message: AgentMessage
    conversation: str
    created_at: float
    patient: bool
    style: Style


async def plan_reply(task: Task, text: str) -> RecordPlan:
    """A chain of replies to the post that is answered.

    Raises (as all here do):
        Refusal: it is nothing that can be sent.
        Retryable, AuthRejected, Malformed: as the client says. Nothing was written.
    """
    target = await find_target(task.calls, task.store, task.message)
    if target.viewer.get("replyDisabled") is True:
        raise Refusal(reasons.THREAD_LOCKED)
    style = task.style
    parts = await word_posts(task.calls, text, patient=task.patient, numbered=style.numbered)
    return make_reply_plan(
        task.message.message_id, parts, target.reference, task.created_at, style.languages
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
    return make_post_plan(
        task.message.message_id, parts, task.created_at, style.languages, quoted=quoted
    )


async def plan_direct_message(task: Task, did: str, text: str) -> DirectMessagePlan:
    """Direct messages to somebody."""
    parts = await word_direct_messages(task.calls, text, patient=task.patient)
    convo_id, rev = await open_conversation(task.calls, did)
    return DirectMessagePlan(convo_id, rev, make_direct_message_parts(parts))

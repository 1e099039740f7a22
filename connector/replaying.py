"""What of a dead letter can be put back into the journal, and what to do about the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from actors.bluesky.letters import read_post_letter
from actors.dead_letters import Envelope, KeptLetter, Replayed
from actors.dedup_store import KeyMissing, decode_payload
from actors.items import make_agent_item, make_post_item, make_receipt_id
from actors.messages import AgentMessage, Destination, JournalItem, ThreadReference
from actors.store import Store
from actors.translation.inbound import make_reference
from actors.translation.webhook import Ignored, Unusable, read_webhook
from runtime.clock import format_time
from runtime.errors import Malformed


@dataclass(frozen=True, slots=True)
class PutBack:
    """How it goes back; the fields are those of :class:`actors.dead_letters.ReplayLetter`."""

    item: JournalItem | None = None
    references: tuple[ThreadReference, ...] = ()
    unless_seen: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """It stays a letter. ``action`` is what a person should do, ``agents`` that an agent wrote."""

    why: str
    action: str
    agents: bool = False


Verdict: TypeAlias = PutBack | Left
Outcome: TypeAlias = Literal[Replayed.APPENDED, Replayed.KNOWN, Replayed.GONE] | Left

AGENT_WAS_TOLD = Left(
    "An agent's message is never put back: a Failed receipt said that it will not be sent any "
    "more, so the agent may have sent it again.",
    "If it is still needed, let the agent send it again; then drop the letter.",
    agents=True,
)
_AGENT_WAITS = Left(
    "An agent's message is never put back. This one could not be read, so there was no receipt, "
    "and whether it went out is not known.",
    "Look for it on Bluesky. If it is not there, let the agent send it again; then drop the "
    "letter.",
    agents=True,
)
_DIRECT_MESSAGE = Left(
    "A direct message cannot be put back: who wrote it only Bluesky knows.",
    "Answer it in the Bluesky app; then drop the letter.",
)
_SEE_TO_IT = "See to it by hand; then drop the letter."


async def read_letter(store: Store, letter_id: str) -> KeptLetter | Left | None:
    """A letter whole, or why it cannot be read; ``None`` if it is gone. Cancelled: nothing changes.

    Raises:
        StoreUnavailable: the store is away.
    """
    try:
        return await store.read_letter(letter_id)
    except (KeyMissing, Malformed) as error:
        return Left(f"It cannot be read: {error}.", error.action or _SEE_TO_IT)


async def put_back(store: Store, letter_id: str, own_handle: str) -> Outcome:
    """Put a letter back if it can be. Cancelled: it may be back; asking again is harmless.

    Raises:
        StoreUnavailable: likewise.
    """
    letter = await read_letter(store, letter_id)
    if letter is None:
        return Replayed.GONE
    verdict = letter if isinstance(letter, Left) else judge(letter, own_handle)
    if isinstance(verdict, Left):
        return verdict
    replayed = await store.replay_letter(
        letter_id,
        verdict.item,
        references=verdict.references,
        unless_seen=verdict.unless_seen,
    )
    return AGENT_WAS_TOLD if replayed is Replayed.TOLD else replayed


def judge_unread(envelope: Envelope) -> Left | None:
    """Why a letter can never be put back, whatever is in it; ``None`` if that may be tried."""
    match envelope.source:
        case Destination.BLUESKY_SENDER:
            return _judge_agent(envelope)
        case "DMPoller":
            return _DIRECT_MESSAGE
        case _:
            return None


def judge(letter: KeptLetter, own_handle: str) -> Verdict:
    """Decide about one letter, by this release's reading of it.

    Args:
        own_handle: of the company's account, whose own posts are not carried.
    """
    never = judge_unread(letter.envelope)
    if never is not None:
        return never
    match letter.envelope.source:
        case Destination.GENESYS_SENDER | Destination.CONTACT_RESOLVER:
            return _judge_entry(letter)
        case "SearchPoller" | "NotificationPoller":
            return _judge_post(letter, own_handle)
        case "WebhookReceiver":
            return _judge_webhook(letter)
        case other:
            return Left(f"This release knows no {other}, which kept it.", _SEE_TO_IT)


def _judge_entry(letter: KeptLetter) -> Verdict:
    try:
        decode_payload(letter.payload)
    except Malformed as error:
        return Left(
            f"This release cannot read it: {error}.",
            "Upgrade to the release that wrote it, or to a later one, and try again.",
        )
    return PutBack()


def _judge_agent(envelope: Envelope) -> Left:
    return _AGENT_WAITS if envelope.code == "Unreadable" else AGENT_WAS_TOLD


def _judge_post(letter: KeptLetter, own_handle: str) -> Verdict:
    try:
        post = read_post_letter(letter.payload)
    except Malformed as error:
        return Left(f"This release cannot read it either: {error}.", _SEE_TO_IT)
    if post.author.handle.lower() == own_handle:
        return Left("It is a post of your own account.", "Drop the letter.")
    return PutBack(make_post_item(post), (make_reference(post),))


def _judge_webhook(letter: KeptLetter) -> Verdict:
    content = read_webhook(letter.payload.encode(), format_time(letter.envelope.died_at))
    match content:
        case AgentMessage():
            # If it was told to have failed then, with the same id.
            told = make_receipt_id(content.message_id)
            return PutBack(make_agent_item(content), unless_seen=told)
        case Ignored():
            return Left(f"There is nothing to carry in it: {content.reason}.", "Drop the letter.")
        case Unusable():
            return Left(f"This release cannot read it either: {content.why}.", _SEE_TO_IT)
        case _:
            assert_never(content)

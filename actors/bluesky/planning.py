"""From an agent's message to the plan of what to write: everything before the first effect."""

from __future__ import annotations

from actors.bluesky.attachments import check_attachments, link_attachments, upload_images
from actors.bluesky.calls import Calls
from actors.bluesky.cards import make_card
from actors.bluesky.direct_messages import open_conversation
from actors.bluesky.media import Media
from actors.bluesky.refusals import Refusal
from actors.bluesky.targets import find_target
from actors.messages import (
    AgentMessage,
    DirectMessagePlan,
    JournalEntry,
    Json,
    Plan,
    RecordPlan,
)
from actors.store import Store
from actors.translation.commands import COMMANDS, Command, list_commands, read_command
from actors.translation.facets import find_first_link, find_handles
from actors.translation.plans import (
    Part,
    clean_text,
    make_command_plan,
    make_direct_message_parts,
    make_parts,
    make_reply_plan,
)
from actors.translation.splitting import DIRECT_MESSAGE, POST, Limit
from runtime.clock import parse_time
from runtime.errors import Malformed, RateLimited, Rejected, Retryable

MOST_PARTS = 25
"""A longer message is more likely a slip than an answer: nobody reads 7,500 characters there."""

RESOLVE_ATTEMPTS = 3
"""How often a message is put off because a handle in it cannot be looked up just now."""

FRESH_S = 60.0


async def make_plan(
    calls: Calls,
    store: Store,
    media: Media,
    entry: JournalEntry,
    message: AgentMessage,
    now: float,
) -> Plan:
    """Decide what the message is, look up and upload what it needs, and fix every byte.

    If cancelled, nothing has been written that anybody sees.

    Args:
        message: with those that are to go out together with it.
        now: unix time in seconds.

    Raises:
        Refusal: it is nothing that can be sent.
        UnfitAttachment: the same, of one of those messages.
        Retryable, AuthRejected, Malformed: as the client says.
    """
    text = _join_texts(message)
    command = _read_command(message, text)
    created_at = _choose_time(entry, message, now)
    patient = entry.attempts + 1 < RESOLVE_ATTEMPTS
    if command is not None:
        return await _plan_command(calls, store, message, command, created_at)
    if message.channel == "private":
        text = f"{text}\n{link_attachments(media, message)}".strip()
        _check_text(text)
        return await _plan_direct_message(calls, message, text, patient)
    check_attachments(message)
    if not message.attachments and not message.together:
        _check_text(text)
    return await _plan_reply(calls, store, media, message, text, created_at, patient)


def _join_texts(message: AgentMessage) -> str:
    texts = (clean_text(one.text) for one in (message, *message.together))
    return "\n\n".join(text for text in texts if text)


def _check_text(text: str) -> None:
    if not text:
        raise Refusal("InvalidMessageStructure", "The message has no text.")


def _read_command(message: AgentMessage, text: str) -> Command | None:
    """The command that the text is; a text that looks like one is never posted."""
    typed = read_command(text)
    if typed is None:
        return None
    command = COMMANDS.get(typed.word)
    if command is None:
        raise Refusal(
            "UnsupportedMessage",
            f"!{typed.word[:32]} is not a command, and nothing was posted. {list_commands()}",
        )
    if message.channel == "private":
        raise Refusal(
            "UnsupportedMessage",
            f"!{command.word} is about a public post: send it as a public answer to that post.",
        )
    if typed.rest:
        raise Refusal(
            "UnsupportedMessage",
            f"!{command.word} stands alone: nothing was done. Send the text separately.",
        )
    if message.attachments:
        raise Refusal(
            "UnsupportedMessage",
            f"!{command.word} takes no files: nothing was done. Send them separately.",
        )
    return command


def _choose_time(entry: JournalEntry, message: AgentMessage, now: float) -> float:
    """When the agent sent it, unless that is long ago.

    Readers see a post among others by its ``createdAt``; one that was held up for minutes would
    appear below what they have seen already, and its addressee would not be told of it.
    """
    try:
        sent_at = parse_time(message.sent_at)
    except ValueError:
        sent_at = entry.recorded_at
    return sent_at if abs(now - sent_at) <= FRESH_S else now


async def _plan_command(
    calls: Calls, store: Store, message: AgentMessage, command: Command, created_at: float
) -> RecordPlan:
    target = await find_target(calls, store, message)
    if command.collection in target.done:
        return RecordPlan(writes=())
    return make_command_plan(message.message_id, command, target.reference.post, created_at)


async def _plan_reply(
    calls: Calls,
    store: Store,
    media: Media,
    message: AgentMessage,
    text: str,
    created_at: float,
    patient: bool,
) -> RecordPlan:
    target = await find_target(calls, store, message)
    if target.replies_locked:
        raise Refusal(
            "MessageNotAllowed",
            "The author has limited who may reply to this post, and the company may not.",
        )
    # An image needs a post, though there be no text.
    parts = await _make_parts(calls, text, POST, patient) or (Part(""),)
    embeds = await _make_embeds(calls, media, message, text, parts)
    return make_reply_plan(message.message_id, parts, target.reference, created_at, embeds)


async def _make_embeds(
    calls: Calls, media: Media, message: AgentMessage, text: str, parts: tuple[Part, ...]
) -> dict[int, Json]:
    """The images, below the first part; else the card of the first link, below that."""
    images = await upload_images(calls, media, message)
    if images is not None:
        return {0: images}
    link = find_first_link(text)
    card = await make_card(calls, media, link) if link is not None else None
    if link is None or card is None:
        return {}
    return {next((place for place, part in enumerate(parts) if part.links_to(link)), 0): card}


async def _plan_direct_message(
    calls: Calls, message: AgentMessage, text: str, patient: bool
) -> DirectMessagePlan:
    if not message.recipient_did.startswith("did:"):
        raise Refusal(
            "InvalidDestination", "Genesys did not say which Bluesky account this is for."
        )
    parts = await _make_parts(calls, text, DIRECT_MESSAGE, patient)
    convo_id, rev = await open_conversation(calls, message.recipient_did)
    return DirectMessagePlan(convo_id, rev, make_direct_message_parts(parts))


async def _make_parts(calls: Calls, text: str, limit: Limit, patient: bool) -> tuple[Part, ...]:
    parts = make_parts(text, limit, {})
    if len(parts) > MOST_PARTS:
        raise Refusal(
            "InvalidMessageStructure",
            f"The message is too long: it would take {len(parts)} posts or messages, "
            f"and {MOST_PARTS} is the most. Shorten it.",
        )
    return make_parts(text, limit, await _resolve(calls, text, patient))


async def _resolve(calls: Calls, text: str, patient: bool) -> dict[str, str]:
    """The DIDs of the handles in a text (``com.atproto.identity.resolveHandle``).

    A handle that nobody has stays plain text. So does, once patience has run out, one whose
    server does not answer: the message is worth more than the mention.
    """
    dids: dict[str, str] = {}
    for handle in find_handles(text):
        try:
            answer = await calls.query("com.atproto.identity.resolveHandle", {"handle": handle})
        except Rejected:
            continue
        except RateLimited:
            raise
        except (Retryable, Malformed):
            if patient:
                raise
            continue
        did = answer.get("did")
        if isinstance(did, str) and did.startswith("did:"):
            dids[handle] = did
    return dids

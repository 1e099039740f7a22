"""Direct messages. The protocol has no key for them, so a repeat looks before it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from actors import reasons
from actors.bluesky.calls import Calls
from actors.bluesky.claims import Claims, take_found
from actors.bluesky.errors import AccountClosed
from actors.bluesky.people import find_block, read_viewer
from actors.bluesky.refusals import Refusal, explain_direct_message
from actors.messages import DirectMessagePart, DirectMessagePlan, Json
from actors.store import Store
from runtime.errors import AuthRejected, Effect, Malformed, Rejected, Retryable

PAGE = 100


async def open_conversation(calls: Calls, recipient_did: str) -> tuple[str, str]:
    """The id of the conversation with somebody, and its newest ``rev`` so far.

    ``chat.bsky.convo.getConvoForMembers`` makes the conversation if there is none; it stays
    invisible until somebody writes in it. Revs are strings of equal width that sort in time.

    Raises:
        Refusal: nothing can be sent to this person.
        Retryable, AuthRejected, Malformed: as the client says. Nothing was sent.
    """
    method = "chat.bsky.convo.getConvoForMembers"
    try:
        async with _chat_access(calls):
            answer = await calls.query(method, {"members": [recipient_did]}, chat=True)
    except Rejected as error:
        raise await _explain(calls, recipient_did, error) from error
    convo = answer.get("convo")
    if not isinstance(convo, dict):
        raise Malformed("the chat service answered without a conversation")
    convo_id, rev = convo.get("id"), convo.get("rev")
    if not isinstance(convo_id, str) or not isinstance(rev, str):
        raise Malformed("the chat service answered with a conversation without id and rev")
    return convo_id, max(rev, _rev(convo.get("lastMessage")))


async def send_parts(
    calls: Calls, claims: Claims, plan: DirectMessagePlan, message_id: str, sent: int
) -> None:
    """Send what follows the first ``sent`` parts (``chat.bsky.convo.sendMessage``).

    If cancelled, the part under way may have been sent: :func:`count_sent` tells. So it does when
    another agent's message, whose own answer was lost, took for its own what was just sent.

    Raises:
        Refusal: the service will never take it; the sentence says if a part is out already.
        Retryable, AuthRejected, Malformed: as the client says; look before sending again.
    """
    for number, part in enumerate(plan.parts[sent:], start=sent):
        body = {"convoId": plan.convo_id, "message": _make_input(part)}
        try:
            async with _chat_access(calls):
                answer = await calls.send_direct_message(body)
        except Rejected as error:
            raise explain_direct_message(error).after(number, len(plan.parts)) from error
        except Refusal as refusal:
            raise refusal.after(number, len(plan.parts)) from refusal.__cause__
        if not claims.take(_id(answer), message_id):
            raise Retryable("an equal message was sent at the same time", effect=Effect.UNKNOWN)


async def count_sent(
    calls: Calls, store: Store, claims: Claims, plan: DirectMessagePlan, message_id: str
) -> int:
    """How many parts are in the conversation already; they are sent one after the other.

    Only our own messages that are newer than the plan count, each for one part, and none that is
    another agent's message. White space is not compared, in case the service tidies it.

    Raises:
        Refusal: direct messages may not be used at all.
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    wanted = [_words(part.text) for part in plan.parts]
    sent = 0
    for sent_id, text in reversed(await _own_texts_since(calls, plan)):
        if sent == len(wanted):
            break
        if _words(text) == wanted[sent] and await take_found(
            calls, store, claims, sent_id, message_id
        ):
            sent += 1
    return sent


async def _own_texts_since(calls: Calls, plan: DirectMessagePlan) -> list[tuple[str, str]]:
    """Our own messages since the plan, newest first (``chat.bsky.convo.getMessages``)."""
    did = await calls.did()
    texts: list[tuple[str, str]] = []
    parameters: dict[str, str | int] = {"convoId": plan.convo_id, "limit": PAGE}
    while True:
        async with _chat_access(calls):
            answer = await calls.query("chat.bsky.convo.getMessages", parameters, chat=True)
        newer = [one for one in _messages(answer) if _rev(one) > plan.since_rev]
        texts.extend(_own_texts(newer, did))
        cursor = answer.get("cursor")
        if not isinstance(cursor, str) or len(newer) < len(answer["messages"]):
            return texts
        parameters["cursor"] = cursor


def _own_texts(messages: Iterable[Json], did: str) -> list[tuple[str, str]]:
    """Ids and texts. A deleted message has no text, one of the system no sender."""
    texts: list[tuple[str, str]] = []
    for message in messages:
        sender, text = message.get("sender"), message.get("text")
        if isinstance(sender, dict) and sender.get("did") == did and isinstance(text, str):
            texts.append((_id(message), text))
    return texts


def _messages(answer: Json) -> list[Json]:
    messages = answer.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise Malformed("the chat service answered without messages")
    return messages


def _id(message: Json) -> str:
    """``chat.bsky.convo.defs#messageView``: ``id``.

    Raises:
        Malformed: it has none; whether it was sent is to be looked up.
    """
    message_id = message.get("id")
    if not isinstance(message_id, str):
        raise Malformed("the chat service answered with a message without id")
    return message_id


def _rev(message: object) -> str:
    rev = message.get("rev") if isinstance(message, dict) else None
    return rev if isinstance(rev, str) else ""


def _words(text: str) -> list[str]:
    return text.split()


def _make_input(part: DirectMessagePart) -> Json:
    """``chat.bsky.convo.defs#messageInput``."""
    if part.facets:
        return {"text": part.text, "facets": list(part.facets)}
    return {"text": part.text}


async def _explain(calls: Calls, recipient_did: str, error: Rejected) -> Refusal:
    """Why nothing can be sent to this person; the service does not say who blocked whom."""
    refusal = explain_direct_message(error)
    if refusal.reason is not reasons.MESSAGES_BLOCKED:
        return refusal
    block = find_block(await read_viewer(calls, recipient_did) or {})
    return refusal if block is None else Refusal(block)


@asynccontextmanager
async def _chat_access(calls: Calls) -> AsyncIterator[None]:
    """Tell a login that is refused from one that may only not use direct messages.

    An app password without that permission is good for all else, and a suspension may be that of
    the other account; neither must stop the public answers. So the message is refused, and only
    if the account itself is refused (as ``com.atproto.server.getSession`` then says too) is the
    actor at an end.
    """
    try:
        yield
    except AuthRejected as error:
        await calls.query("com.atproto.server.getSession", {})
        if isinstance(error, AccountClosed):
            raise Refusal(reasons.ACCOUNT_GONE) from None
        raise Refusal(reasons.MESSAGES_NOT_PERMITTED, said=str(error)[:200]) from error

"""Direct messages. The protocol has no key for them, so a repeat looks before it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from actors.bluesky.calls import Calls
from actors.bluesky.refusals import Refusal, explain_direct_message
from actors.messages import DirectMessagePart, DirectMessagePlan, Json
from runtime.errors import AuthRejected, Malformed, Rejected

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
        raise explain_direct_message(error) from error
    convo = answer.get("convo")
    if not isinstance(convo, dict):
        raise Malformed("the chat service answered without a conversation")
    convo_id, rev = convo.get("id"), convo.get("rev")
    if not isinstance(convo_id, str) or not isinstance(rev, str):
        raise Malformed("the chat service answered with a conversation without id and rev")
    return convo_id, max(rev, _rev(convo.get("lastMessage")))


async def send_parts(calls: Calls, plan: DirectMessagePlan, sent: int) -> None:
    """Send what follows the first ``sent`` parts (``chat.bsky.convo.sendMessage``).

    If cancelled, the part under way may have been sent: :func:`count_sent` tells.

    Raises:
        Refusal: the service will never take it; the sentence says if a part is out already.
        Retryable, AuthRejected, Malformed: as the client says; look before sending again.
    """
    for number, part in enumerate(plan.parts[sent:], start=sent):
        body = {"convoId": plan.convo_id, "message": _make_input(part)}
        try:
            async with _chat_access(calls):
                await calls.send_direct_message(body)
        except Rejected as error:
            raise explain_direct_message(error).after(number, len(plan.parts)) from error
        except Refusal as refusal:
            raise refusal.after(number, len(plan.parts)) from refusal.__cause__


async def count_sent(calls: Calls, plan: DirectMessagePlan) -> int:
    """How many parts are in the conversation already; they are sent one after the other.

    Only our own messages that are newer than the plan count, each for one part. White space is
    not compared, in case the service tidies it.

    Raises:
        Refusal: direct messages may not be used at all.
        Rejected, Retryable, AuthRejected, Malformed: as the client says.
    """
    wanted = [_words(part.text) for part in plan.parts]
    sent = 0
    for text in reversed(await _own_texts_since(calls, plan)):
        if sent < len(wanted) and _words(text) == wanted[sent]:
            sent += 1
    return sent


async def _own_texts_since(calls: Calls, plan: DirectMessagePlan) -> list[str]:
    """Our own messages since the plan, newest first (``chat.bsky.convo.getMessages``)."""
    did = await calls.did()
    texts: list[str] = []
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


def _own_texts(messages: Iterable[Json], did: str) -> list[str]:
    """A deleted message has no text, one of the system no sender."""
    texts: list[str] = []
    for message in messages:
        sender, text = message.get("sender"), message.get("text")
        if isinstance(sender, dict) and sender.get("did") == did and isinstance(text, str):
            texts.append(text)
    return texts


def _messages(answer: Json) -> list[Json]:
    messages = answer.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise Malformed("the chat service answered without messages")
    return messages


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
        raise Refusal(
            "MessageNotAllowed",
            "Bluesky does not let the connector send direct messages. Tell its administrator, "
            f"and answer in public meanwhile. ({str(error)[:200]})",
        ) from error

"""A short conversation that plays by itself, and tells each step as it arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

from sandbox.bluesky import Account, PostSnapshot, RecordReference
from sandbox.genesys.conversations import Conversation, OutboundMessage
from sandbox.world import SEARCH_QUERY, World

T = TypeVar("T")

Tell = Callable[[str], None]

STEP_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.05


class StepFailedError(Exception):
    """Something did not arrive in time."""


async def play(world: World, tell: Tell) -> None:
    """Play the story to its end.

    Raises:
        StepFailedError: with what did not arrive.
    """
    alice, bob, carol = world.customers
    mention = world.bluesky.post(alice, f"Hello @{world.brand.handle}, my phone is dead. Help!")
    conversation = await _arrives(world, mention, tell, "Alice's mention")
    answer = await _answers(world, conversation, "Sorry to hear that! Which model is it?", tell)
    reply = world.bluesky.post(alice, "The Model 3, since the update.", reply_to=answer)
    await _arrives(world, reply, tell, "Alice's reply")
    await _likes_and_reposts(world, conversation, reply, tell)
    more = world.bluesky.post(alice, "It is the second one this year. 2/2", reply_to=mention)
    await _arrives(world, more, tell, "Alice's second part, which notified nobody,")
    world.bluesky.like(bob, answer)
    await _is_counted(world, answer, tell)
    quote = world.bluesky.post(bob, "Same here!", quote=answer)
    await _arrives(world, quote, tell, "Bob's quote")
    hit = world.bluesky.post(carol, f"Is the {SEARCH_QUERY} any good?")
    await _arrives(world, hit, tell, "Carol's post, found by the search,")
    world.bluesky.delete(hit)
    await _is_noted(world, hit, tell)
    await _talks_in_private(world, bob, tell)
    await _long_answer(world, conversation, tell)
    await _refused_command(world, conversation, tell)
    await _knows(world, alice, tell)


async def _arrives(world: World, post: RecordReference, tell: Tell, what: str) -> Conversation:
    message = await _first(
        lambda: [one for one in world.genesys.ingested if one.provider_message_id == post.uri],
        f"{what} did not reach Genesys",
    )
    tell(f"Bluesky → Genesys   {what} became a message: “{message.text}”")
    return world.genesys.conversations[message.conversation_id]


async def _answers(world: World, conversation: Conversation, text: str, tell: Tell) -> PostSnapshot:
    sent = world.genesys.agent_reply(conversation, text, public=True)
    post = await _first(
        lambda: [one for one in world.bluesky.posts(world.brand) if one.text == text],
        "the agent's public answer did not reach Bluesky",
    )
    tell(f"Genesys → Bluesky   the agent's answer became a reply: “{post.text}”")
    await _receipt(sent, "Delivered", tell)
    return post


async def _likes_and_reposts(
    world: World, conversation: Conversation, post: RecordReference, tell: Tell
) -> None:
    for command in ("!like", "!repost"):
        sent = world.genesys.agent_reply(conversation, command, public=True)
        await _receipt(sent, "Delivered", tell)
    shown = world.bluesky.find_post(post.uri)
    if shown is None or {*shown.liked_by, *shown.reposted_by} != {world.brand}:
        raise StepFailedError("!like and !repost did not reach Bluesky")
    tell("Genesys → Bluesky   the like and the repost show on Alice's reply")


async def _is_counted(world: World, post: PostSnapshot, tell: Tell) -> None:
    like = {"reactionType": "Like", "count": 1}
    await _first(
        lambda: [
            event
            for event in world.genesys.messaging.reactions
            if event["channel"]["messageId"] == post.uri and like in event["events"][0]["reactions"]
        ],
        "Bob's like did not reach Genesys",
    )
    tell("Bluesky → Genesys   Bob's like of the answer was counted")


async def _is_noted(world: World, post: RecordReference, tell: Tell) -> None:
    note = await _first(
        lambda: [
            one
            for one in world.genesys.ingested
            if one.provider_message_id == f"{post.uri}#deleted"
        ],
        "that Carol deleted her post did not reach Genesys",
    )
    tell(f"Bluesky → Genesys   Carol deleted her post: “{note.text}”")


async def _talks_in_private(world: World, bob: Account, tell: Tell) -> None:
    text = "Can I give you my order number here?"
    world.bluesky.direct_messages.send(bob, world.brand, text)
    received = await _first(
        lambda: [one for one in world.genesys.private_messages if one.text == text],
        "Bob's direct message did not reach Genesys",
    )
    tell(f"Bluesky → Genesys   Bob's direct message arrived: “{received.text}”")
    conversation = world.genesys.conversations[received.conversation_id]
    sent = world.genesys.agent_reply(conversation, "Of course, go ahead.", public=False)
    await _first(
        lambda: [
            message
            for message in world.bluesky.direct_messages.between(bob, world.brand)
            if message.text == "Of course, go ahead."
        ],
        "the agent's private answer did not reach Bluesky",
    )
    tell("Genesys → Bluesky   the agent's private answer reached Bob: “Of course, go ahead.”")
    await _receipt(sent, "Delivered", tell)


async def _long_answer(world: World, conversation: Conversation, tell: Tell) -> None:
    text = " ".join(f"Step {number}: hold both buttons for a while." for number in range(1, 16))
    sent = world.genesys.agent_reply(conversation, text, public=True)
    await _receipt(sent, "Delivered", tell)
    parts = [post for post in world.bluesky.posts(world.brand) if post.text.startswith("Step 1:")]
    chain = world.bluesky.thread(parts[0]) if parts else None
    length = 0
    while chain is not None:
        length += 1
        chain = chain.replies[0] if chain.replies else None
    if length < 2:
        raise StepFailedError("the long answer did not become a chain of replies")
    tell(f"Genesys → Bluesky   {len(text)} characters became a chain of {length} replies")


async def _refused_command(world: World, conversation: Conversation, tell: Tell) -> None:
    sent = world.genesys.agent_reply(conversation, "!dance", public=True)
    await _receipt(sent, "Failed", tell)
    if any("!dance" in post.text for post in world.bluesky.posts(world.brand)):
        raise StepFailedError("an unknown command was posted")


async def _knows(world: World, alice: Account, tell: Tell) -> None:
    await _first(
        lambda: [did for did in _contact_dids(world) if did == alice.did],
        "no external contact was made for Alice",
    )
    tell("Bluesky → Genesys   Alice has an external contact, known by her DID")


def _contact_dids(world: World) -> list[str]:
    return [
        external_id["value"]
        for contact in world.genesys.contacts.by_id.values()
        for external_id in contact.get("externalIds", ())
    ]


async def _receipt(sent: OutboundMessage, status: str, tell: Tell) -> None:
    receipt = await _first(
        lambda: [sent.receipt] if sent.receipt else [], f"there is no receipt for “{sent.text}”"
    )
    if receipt.status != status:
        raise StepFailedError(f"“{sent.text}” was {receipt.status}: {receipt.reasons}")
    reason = f": “{receipt.reasons[0][1]}”" if receipt.reasons else ""
    tell(f"                    receipt: {receipt.status}{reason}")


async def _first(find: Callable[[], list[T]], otherwise: str) -> T:
    with trio.move_on_after(STEP_WITHIN_S):
        while True:
            found = find()
            if found:
                return found[0]
            await trio.sleep(_LOOK_EVERY_S)
    raise StepFailedError(f"{otherwise} within {STEP_WITHIN_S:g} s")

"""What cannot go out is refused with a reason that an agent understands."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from actors import reasons
from actors.bluesky.errors import AccountClosed
from actors.bluesky.refusals import explain_record
from actors.messages import (
    Attachment,
    ReasonCode,
    Refused,
)
from actors.reasons import Reason
from runtime.errors import Rejected
from tests.bluesky.scripted_bluesky import (
    ALICE,
    ROOT,
    view_post,
)
from tests.bluesky.sender_world import LONG, World, agent_message, private_message

REPLY = f"at://{ALICE}/app.bsky.feed.post/3bbbbbbbbbbb2"


PUBLIC_REFUSALS: list[tuple[dict[str, Any], ReasonCode, str]] = [
    ({"text": "!lik"}, "UnsupportedMessage", "!help, !like, !unlike, !repost, "),
    ({"text": "!Dislike this"}, "UnsupportedMessage", "not a command"),
    ({"text": "!like thanks"}, "UnsupportedMessage", "stands alone"),
    ({"text": " \n "}, "InvalidMessageStructure", "no text"),
    ({"text": "\x00"}, "InvalidMessageStructure", "no text"),
    ({"text": "word " * 2000}, "InvalidMessageStructure", "too long"),
    ({"attachments": (Attachment("File", "https://x/y.pdf"),)}, "MediaTypeNotAllowed", "Nothing"),
    ({"reply_to_uri": None, "root_uri": None}, "InvalidDestination", "which post"),
    ({"reply_to_uri": "hello"}, "InvalidDestination", "no post"),
    (
        {"reply_to_uri": f"at://{ALICE}/app.bsky.feed.like/3aaaaaaaaaaa2"},
        "InvalidDestination",
        "no",
    ),
    ({"reply_to_uri": REPLY}, "InvalidDestination", "deleted"),
    ({"reply_to_uri": f"{REPLY}#deleted"}, "InvalidDestination", "deleted"),
]


@pytest.mark.parametrize(("changes", "code", "said"), PUBLIC_REFUSALS)
async def test_what_cannot_be_posted_is_refused_with_a_reason(
    autojump_clock: trio.abc.Clock, changes: dict[str, Any], code: ReasonCode, said: str
) -> None:
    """One Failed receipt, a dead letter, and not a single write."""
    world = World.make()
    text = changes.pop("text", "Hello")
    receipt = await world.handle(agent_message(text, **changes))
    assert (receipt.status, receipt.code) == ("Failed", code)
    assert said in (receipt.sentence or "")
    ((_, outcome),) = world.memory.settled
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert world.bluesky.count("com.atproto.repo.putRecord") == 0
    assert world.context.skips == {code: 1}


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"text": "!like"}, "UnsupportedMessage", "public"),
        ({"text": "!help me"}, "UnsupportedMessage", "!like likes the post; "),
        ({"text": "!post Hello"}, "UnsupportedMessage", "belongs to a public answer"),
        ({"text": "!mute now"}, "UnsupportedMessage", "stands alone"),
        ({"text": "!dm me"}, "UnsupportedMessage", "public"),
        ({"text": ""}, "InvalidMessageStructure", "no text"),
        ({"attachments": (Attachment("File", "https://x/y.pdf"),)}, "MediaTypeNotAllowed", ""),
        ({"recipient_did": ""}, "InvalidDestination", "which Bluesky account"),
    ],
)
async def test_what_cannot_be_sent_privately_is_refused_with_a_reason(
    autojump_clock: trio.abc.Clock, changes: dict[str, Any], code: ReasonCode, said: str
) -> None:
    """A command is never sent as a message either."""
    world = World.make()
    text = changes.pop("text", "Hello")
    receipt = await world.handle(private_message(text, **changes))
    assert (receipt.status, receipt.code) == ("Failed", code)
    assert said in (receipt.sentence or "")
    assert world.bluesky.calls == []


@pytest.mark.parametrize("text", ["! Careful", "!! Look", "Great!", "wow !like", "5!"])
async def test_an_exclamation_mark_is_not_a_command(
    autojump_clock: trio.abc.Clock, text: str
) -> None:
    """Only ``!word`` at the beginning is one."""
    world = World.make()
    await world.handle(agent_message(text))
    assert world.bluesky.texts == [text]


async def test_a_locked_thread_is_not_written_to(autojump_clock: trio.abc.Clock) -> None:
    """The server would take the reply and show it to nobody. A like is still possible."""
    world = World.make()
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"replyDisabled": True})
    receipt = await world.handle(agent_message())
    assert (receipt.code, world.bluesky.commits) == ("MessageNotAllowed", [])
    world.memory.entries.clear()
    receipt = await world.handle(agent_message("!like", message_id="second"))
    assert receipt.status == "Delivered"


@pytest.mark.parametrize(
    ("viewer", "code", "said"),
    [
        ({"blockedBy": True}, "MessageNotAllowed", "blocked the company"),
        ({"blocking": "at://x"}, "MessageNotAllowed", "company's account has blocked"),
        ({}, "InvalidDestination", "deleted"),
        (None, "InvalidDestination", "deleted, deactivated or suspended"),
    ],
)
async def test_a_post_that_is_not_shown_is_explained(
    autojump_clock: trio.abc.Clock, viewer: dict[str, Any] | None, code: ReasonCode, said: str
) -> None:
    """The network leaves out deleted posts and those behind a block alike."""
    world = World.make()
    del world.bluesky.posts[ROOT]
    world.bluesky.profiles = {} if viewer is None else {ALICE: {"did": ALICE, "viewer": viewer}}
    receipt = await world.handle(agent_message())
    assert (receipt.code, world.bluesky.commits) == (code, [])
    assert said in (receipt.sentence or "")


async def test_a_post_shown_across_a_block_is_not_answered(autojump_clock: trio.abc.Clock) -> None:
    """Should a server show it all the same."""
    world = World.make()
    world.bluesky.posts[ROOT]["author"]["viewer"] = {"blockedBy": True}
    receipt = await world.handle(agent_message())
    assert (receipt.code, world.bluesky.commits) == ("MessageNotAllowed", [])


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        (
            "MessagesDisabled",
            "recipient has disabled incoming messages",
            "RecipientOptedOut",
            "does not accept",
        ),
        (
            "NotFollowedBySender",
            "recipient requires incoming messages to come from someone they follow",
            "RecipientOptedOut",
            "they follow",
        ),
        (
            "BlockedActor",
            "block between recipient and sender",
            "MessageNotAllowed",
            "has blocked the other",
        ),
        ("RecipientNotFound", "recipient does not exist", "InvalidDestination", "deleted"),
    ],
)
async def test_a_closed_inbox_is_explained(
    autojump_clock: trio.abc.Clock, name: str, text: str, code: ReasonCode, said: str, by_name: bool
) -> None:
    """By the name of the error as by its text: the service has used either."""
    world = World.make()
    error = Rejected(name, "something else") if by_name else Rejected("InvalidRequest", text)
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [error]
    receipt = await world.handle(private_message())
    assert (receipt.status, receipt.code) == ("Failed", code)
    assert said in (receipt.sentence or "")
    assert world.bluesky.sent == []


async def test_a_record_that_the_server_rejects_is_refused_with_its_words(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Shortened, and saying what is out already."""
    world = World.make()
    words = "Invalid app.bsky.feed.post record: " + "x" * 500
    error = Rejected("InvalidRequest", words)
    world.bluesky.trouble["com.atproto.repo.putRecord"] = [None, error]
    receipt = await world.handle(agent_message(LONG))
    assert (receipt.status, receipt.code) == ("Failed", "InvalidMessageStructure")
    assert (receipt.sentence or "").startswith("Only the first part of 3 went out")
    assert "Invalid app.bsky.feed.post record" in (receipt.sentence or "")
    assert len(receipt.sentence or "") < 350


@pytest.mark.parametrize("name", ["PayloadTooLarge", "PayloadTooLargeError"])
async def test_too_large_a_record_is_explained(autojump_clock: trio.abc.Clock, name: str) -> None:
    """Both names that servers use for it."""
    world = World.make()
    world.bluesky.trouble["com.atproto.repo.putRecord"] = [Rejected(name, "too big")]
    receipt = await world.handle(agent_message())
    assert receipt.code == "InvalidMessageStructure"
    assert "too large" in (receipt.sentence or "")


@pytest.mark.parametrize(
    ("viewer", "said"),
    [
        ({"blockedBy": True}, "This person has blocked the company"),
        ({"blocking": "at://x"}, "The company's account has blocked this person"),
        ({}, "one has blocked the other"),
    ],
)
async def test_who_blocked_whom_is_looked_up(
    autojump_clock: trio.abc.Clock, viewer: dict[str, Any], said: str
) -> None:
    """The chat service does not say it."""
    world = World.make()
    world.bluesky.profiles[ALICE] = {"did": ALICE, "viewer": viewer}
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [Rejected("BlockedActor", "x")]
    receipt = await world.handle(private_message())
    assert receipt.code == "MessageNotAllowed"
    assert said in (receipt.sentence or "")


async def test_a_suspended_recipient_is_not_taken_for_our_own_suspension(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The service uses the same name for both; our session is as good as ever."""
    world = World.make()
    error = AccountClosed("400 AccountSuspended")
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [error]
    receipt = await world.handle(private_message())
    assert receipt.sentence == reasons.ACCOUNT_GONE.sentence
    assert world.context.failures == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Rejected("AccountTakedown", "x"), reasons.OWN_ACCOUNT_CLOSED),
        (Rejected("InvalidRequest", "grapheme too big (maximum 300)"), reasons.RECORD_TOO_LONG),
        (Rejected("BlobNotFound", "Could not find blob"), reasons.MEDIA_REFUSED),
        (Rejected("InvalidMimeType", "Referenced Mimetype"), reasons.MEDIA_REFUSED),
        (Rejected("InvalidRequest", "blob too big (maximum 2000000)"), reasons.MEDIA_REFUSED),
        (Rejected("InvalidRequest", "Invalid datetime"), reasons.INVALID),
        (Rejected("SomethingNew", "said so"), reasons.REFUSED),
    ],
)
def test_what_a_server_rejects_has_its_reason(error: Rejected, reason: Reason) -> None:
    """By the error's name, else by its text."""
    refusal = explain_record(error)
    assert refusal.reason is reason
    assert refusal.sentence == reason.sentence.format(said=str(error))


@pytest.mark.parametrize(
    ("given", "said"), [("root", "first post of this thread"), ("post", "The post was")]
)
async def test_a_deleted_root_is_told_from_a_deleted_reply(
    autojump_clock: trio.abc.Clock, given: str, said: str
) -> None:
    """When Genesys names the thread alone, it is the thread that is gone."""
    world = World.make()
    world.bluesky.posts.clear()
    uri = ROOT if given == "root" else REPLY
    receipt = await world.handle(agent_message(reply_to_uri=uri))
    assert said in (receipt.sentence or "")

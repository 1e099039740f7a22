"""BlueskySender turns what agents write into what customers read, and says truly how it went."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from actors.messages import (
    AgentMessage,
    Attachment,
    Done,
    PostReference,
    ReasonCode,
    RecordPlan,
    Refused,
    ThreadReference,
)
from actors.store import Amend
from runtime.errors import AuthRejected, Rejected
from tests.bluesky.sender_world import (
    ALICE,
    BRAND,
    ROOT,
    World,
    agent_message,
    make_cid,
    private_message,
    view_post,
)

REPLY = f"at://{ALICE}/app.bsky.feed.post/3bbbbbbbbbbb2"
LONG = " ".join(f"word{number:03}" for number in range(100))  # 799 characters: three posts


async def test_a_public_answer_becomes_a_reply_with_root_and_parent(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The reply names the post it answers and the root of its thread, each with uri and cid."""
    world = World.make()
    world.bluesky.posts[REPLY] = view_post(REPLY, root=ROOT)
    receipt = await world.handle(agent_message("On it, @alice.test!", reply_to_uri=REPLY))
    (key,) = world.bluesky.commits
    assert world.bluesky.repo[key] == {
        "$type": "app.bsky.feed.post",
        "text": "On it, @alice.test!",
        "reply": {
            "root": {"uri": ROOT, "cid": make_cid(ROOT)},
            "parent": {"uri": REPLY, "cid": make_cid(REPLY)},
        },
        "createdAt": "2026-01-01T00:00:00.000Z",
        "facets": [
            {
                "index": {"byteStart": 7, "byteEnd": 18},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": ALICE}],
            }
        ],
    }
    assert (receipt.status, receipt.code, receipt.recipient_did) == ("Delivered", None, ALICE)
    assert [outcome for _, outcome in world.memory.settled] == [Done()]
    assert world.context.handled == 1


async def test_without_a_post_to_answer_the_root_is_answered(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Genesys may name the thread alone."""
    world = World.make()
    await world.handle(agent_message(reply_to_uri=None))
    (key,) = world.bluesky.commits
    assert world.bluesky.repo[key]["reply"]["parent"]["uri"] == ROOT


async def test_a_long_answer_becomes_a_chain_under_one_receipt(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Each part answers the part before it; the root stays; the times rise; nothing is lost."""
    world = World.make()
    receipt = await world.handle(agent_message(LONG))
    assert receipt.status == "Delivered"
    assert " ".join(world.bluesky.texts) == LONG
    records = [world.bluesky.repo[key] for key in world.bluesky.commits]
    parents = [record["reply"]["parent"]["uri"] for record in records]
    uris = [f"at://{BRAND}/{collection}/{rkey}" for collection, rkey in world.bluesky.commits]
    assert parents == [ROOT, *uris[:-1]]
    assert [record["reply"]["parent"]["cid"] for record in records[1:]] == [
        make_cid(record) for record in records[:-1]
    ]
    assert {record["reply"]["root"]["uri"] for record in records} == {ROOT}
    times = [record["createdAt"] for record in records]
    assert times == sorted(set(times))


async def test_the_plan_is_in_the_journal_before_the_first_write(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The amended entry holds every byte of what is then written."""
    world = World.make()
    await world.handle(agent_message(LONG))
    (amend,) = (one for one in world.memory.requests if isinstance(one, Amend))
    assert isinstance(amend.payload, AgentMessage)
    assert isinstance(amend.payload.plan, RecordPlan)
    assert [write.record["text"] for write in amend.payload.plan.writes] == world.bluesky.texts
    assert [write.record_key for write in amend.payload.plan.writes] == [
        rkey for _, rkey in world.bluesky.commits
    ]


async def test_our_own_posts_are_remembered_for_replies_to_them(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A post too young to be shown by the network can be answered from memory."""
    world = World.make()
    await world.handle(agent_message())
    (key,) = world.bluesky.commits
    own = PostReference(f"at://{BRAND}/{key[0]}/{key[1]}", make_cid(world.bluesky.repo[key]))
    root = PostReference(ROOT, make_cid(ROOT))
    assert world.memory.references == {own.uri: ThreadReference(own, root, BRAND)}
    world.memory.entries.clear()
    receipt = await world.handle(agent_message(message_id="second", reply_to_uri=own.uri))
    assert receipt.status == "Delivered"
    assert world.bluesky.repo[world.bluesky.commits[1]]["reply"] == {
        "root": {"uri": root.uri, "cid": root.cid},
        "parent": {"uri": own.uri, "cid": own.cid},
    }


@pytest.mark.parametrize(
    ("sent_at", "created_at"),
    [
        ("2025-12-31T23:59:40.123Z", "2025-12-31T23:59:40.123Z"),
        ("2026-01-01T01:00:10+01:00", "2026-01-01T00:00:10.000Z"),
        ("yesterday", "2026-01-01T00:00:00.000Z"),
        ("2036-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
    ],
)
async def test_an_answer_is_dated_when_the_agent_sent_it(
    autojump_clock: trio.abc.Clock, sent_at: str, created_at: str
) -> None:
    """If that can be read and is about now."""
    world = World.make()
    await world.handle(agent_message(sent_at=sent_at))
    (key,) = world.bluesky.commits
    assert world.bluesky.repo[key]["createdAt"] == created_at


async def test_an_answer_that_was_held_up_is_dated_when_it_is_written(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Else it would appear below what its reader has seen already."""
    world = World.make()
    await trio.sleep(600)
    await world.handle(agent_message())
    (key,) = world.bluesky.commits
    assert world.bluesky.repo[key]["createdAt"] == "2026-01-01T00:10:00.000Z"


@pytest.mark.parametrize("word", ["like", "repost"])
async def test_a_command_puts_its_record_about_the_post(
    autojump_clock: trio.abc.Clock, word: str
) -> None:
    """``!like`` and ``!repost``, in any case, write one record and post nothing."""
    world = World.make()
    receipt = await world.handle(agent_message(f" !{word.upper()} "))
    ((collection, rkey),) = world.bluesky.commits
    assert world.bluesky.repo[collection, rkey] == {
        "$type": f"app.bsky.feed.{word}",
        "subject": {"uri": ROOT, "cid": make_cid(ROOT)},
        "createdAt": "2026-01-01T00:00:00.000Z",
    }
    assert receipt.status == "Delivered"
    assert world.memory.references == {}


async def test_what_is_liked_already_is_not_liked_twice(autojump_clock: trio.abc.Clock) -> None:
    """A person may have done it in the app."""
    world = World.make()
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"like": f"at://{BRAND}/x/y"})
    receipt = await world.handle(agent_message("!like"))
    assert receipt.status == "Delivered"
    assert world.bluesky.commits == []


async def test_a_direct_message_is_sent_in_parts_with_facets(
    autojump_clock: trio.abc.Clock,
) -> None:
    """1000 graphemes each, in order, in the conversation with the customer."""
    world = World.make()
    text = "See https://example.com/help " + "word " * 300
    receipt = await world.handle(private_message(text))
    assert receipt.status == "Delivered"
    assert " ".join(world.bluesky.sent) == text.strip()
    bodies = [body for nsid, body in world.bluesky.calls if nsid.endswith("sendMessage")]
    assert [len(body["message"]["text"]) <= 1000 for body in bodies] == [True, True]
    assert bodies[0]["message"]["facets"][0]["index"] == {"byteStart": 4, "byteEnd": 28}
    assert "facets" not in bodies[1]["message"]
    assert world.bluesky.commits == []


PUBLIC_REFUSALS: list[tuple[dict[str, Any], ReasonCode, str]] = [
    ({"text": "!lik"}, "UnsupportedMessage", "!like likes the post, !repost reposts it"),
    ({"text": "!Dislike this"}, "UnsupportedMessage", "not a command"),
    ({"text": "!like thanks"}, "UnsupportedMessage", "stands alone"),
    ({"text": " \n "}, "InvalidMessageStructure", "no text"),
    ({"text": "\x00"}, "InvalidMessageStructure", "no text"),
    ({"text": "word " * 2000}, "InvalidMessageStructure", "too long"),
    ({"attachments": (Attachment("Image", "https://x/y.png"),)}, "MediaTypeNotAllowed", "nothing"),
    ({"reply_to_uri": None, "root_uri": None}, "InvalidDestination", "which post"),
    ({"reply_to_uri": "hello"}, "InvalidDestination", "no post"),
    (
        {"reply_to_uri": f"at://{ALICE}/app.bsky.feed.like/3aaaaaaaaaaa2"},
        "InvalidDestination",
        "no",
    ),
    ({"reply_to_uri": REPLY}, "InvalidDestination", "deleted"),
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
        ({"text": "!help me"}, "UnsupportedMessage", "!like likes the post"),
        ({"text": ""}, "InvalidMessageStructure", "no text"),
        ({"attachments": (Attachment("Image", "https://x/y.png"),)}, "MediaTypeNotAllowed", ""),
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


async def test_an_unknown_handle_stays_plain_text(autojump_clock: trio.abc.Clock) -> None:
    """The message goes out without that mention."""
    world = World.make()
    await world.handle(agent_message("Hi @nobody.test and @alice.test"))
    (key,) = world.bluesky.commits
    facets = world.bluesky.repo[key]["facets"]
    assert [facet["features"][0]["did"] for facet in facets] == [ALICE]


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
        (None, "InvalidDestination", "account that wrote"),
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
        ("RecipientNotFound", "recipient does not exist", "InvalidDestination", "not exist"),
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


async def test_a_refused_account_leaves_the_entry_in_hand(autojump_clock: trio.abc.Clock) -> None:
    """Nothing is settled, so that it goes out when a person has mended the login."""
    world = World.make()
    world.bluesky.trouble["app.bsky.feed.getPosts"] = [AuthRejected("no", action="Log in.")]
    entry = world.add(agent_message())
    with pytest.raises(AuthRejected):
        await world.start().handle(entry)
    assert world.memory.items == [entry.item_id]
    await world.start().handle(entry)
    assert world.receipt().status == "Delivered"


async def test_an_app_password_without_direct_messages_stops_only_those(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The message is refused, ``/health`` shows what to do, and public answers go on."""
    world = World.make()
    error = AuthRejected("Bad token method", action="Recreate the app password.")
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [error]
    receipt = await world.handle(private_message())
    assert (receipt.status, receipt.code) == ("Failed", "MessageNotAllowed")
    assert world.context.failures == [error]


async def test_a_login_that_is_refused_altogether_is_not_blamed_on_direct_messages(
    autojump_clock: trio.abc.Clock,
) -> None:
    """When the account itself is refused too, the actor has failed."""
    world = World.make()
    error = AuthRejected("revoked", action="Make a new app password.")
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [error]
    world.bluesky.trouble["com.atproto.server.getSession"] = [error]
    entry = world.add(private_message())
    with pytest.raises(AuthRejected):
        await world.start().handle(entry)
    assert world.memory.items == [entry.item_id]


async def test_every_request_is_charged_to_the_rate_and_every_put_to_the_budget(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A put costs two of the account's points."""
    world = World.make()
    await world.handle(agent_message(LONG))
    assert world.context.acquired == len(world.bluesky.calls)
    assert world.bluesky.count("com.atproto.repo.putRecord") == 3
    spent = 5000 - 3 * 2
    with trio.fail_after(0.1):
        await world.writes.acquire(spent)
    assert world.writes.waiting_s() > 0

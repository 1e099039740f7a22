"""BlueskySender turns what agents write into what customers read, and says truly how it went."""

from __future__ import annotations

import pytest
import trio

from actors.messages import (
    AgentMessage,
    Done,
    PostReference,
    RecordPlan,
    ThreadReference,
)
from actors.store import Amend
from runtime.errors import AuthRejected
from tests.bluesky.scripted_bluesky import (
    ALICE,
    BRAND,
    ROOT,
    make_cid,
    view_post,
)
from tests.bluesky.sender_world import LONG, World, agent_message, private_message

REPLY = f"at://{ALICE}/app.bsky.feed.post/3bbbbbbbbbbb2"


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
    (known,) = world.memory.posts
    assert (known.uri, known.root_uri, known.author.did) == (own.uri, root.uri, BRAND)
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
    uri = f"at://{BRAND}/app.bsky.feed.like/3lbyhand"
    world.bluesky.repo["app.bsky.feed.like", "3lbyhand"] = {}
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"like": uri})
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


async def test_an_unknown_handle_stays_plain_text(autojump_clock: trio.abc.Clock) -> None:
    """The message goes out without that mention."""
    world = World.make()
    await world.handle(agent_message("Hi @nobody.test and @alice.test"))
    (key,) = world.bluesky.commits
    facets = world.bluesky.repo[key]["facets"]
    assert [facet["features"][0]["did"] for facet in facets] == [ALICE]


async def test_a_refused_account_is_shown_and_the_message_goes_out_once_it_is_mended(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The worker backs off with what a person should do; mended in time, the answer is sent."""
    world = World.make()
    error = AuthRejected("no", action="Log in.")
    world.bluesky.trouble["app.bsky.feed.getPosts"] = [error]
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert world.context.back_offs == [error]
    assert world.context.failures == [error]


async def test_while_the_account_is_refused_an_answer_is_given_up_in_time(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The agent is told after ``give_up_after_s``, and nothing is ever posted for it."""
    world = World.make()
    error = AuthRejected("no", action="Log in.")
    world.bluesky.trouble["app.bsky.feed.getPosts"] = [error] * 10_000
    receipt = await world.handle(agent_message())
    assert (receipt.status, receipt.code) == ("Failed", "MessageExpired")
    assert trio.current_time() <= 1000
    assert world.bluesky.commits == []


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
    """When the account itself is refused too, the message waits for it to be mended."""
    world = World.make()
    error = AuthRejected("revoked", action="Make a new app password.")
    world.bluesky.trouble["chat.bsky.convo.getConvoForMembers"] = [error]
    world.bluesky.trouble["com.atproto.server.getSession"] = [error]
    receipt = await world.handle(private_message())
    assert receipt.status == "Delivered"
    assert world.context.back_offs == [error]


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

"""What agents have done by a command: it happens once, in its place, and is told truly."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from actors.bluesky.planning import Rules
from actors.messages import AgentMessage, Done, ReasonCode, Receipt, Refused
from runtime.errors import Effect, Rejected, Retryable
from tests.bluesky.scripted_bluesky import ALICE, BRAND, ROOT, make_cid, view_post
from tests.bluesky.sender_world import LONG, World, agent_message, private_message

DELETE = "com.atproto.repo.deleteRecord"
PUT = "com.atproto.repo.putRecord"
LIKE = "app.bsky.feed.like"
POST = "app.bsky.feed.post"
GATE = "app.bsky.feed.threadgate"
OWN_ROOT = f"at://{BRAND}/{POST}/3ccccccccccc2"
REPLY = f"at://{ALICE}/{POST}/3ddddddddddd2"


async def say(world: World, *messages: AgentMessage) -> list[Receipt]:
    """Send messages one after the other; the receipt of each."""
    receipts = []
    for message in messages:
        world.memory.entries.clear()
        receipts.append(await world.handle(message))
    return receipts


def public(number: int, text: str, **more: Any) -> AgentMessage:  # noqa: ANN401 - any field of it
    return agent_message(text, message_id=f"message-{number}", **more)


def statuses(receipts: list[Receipt]) -> list[str]:
    return [receipt.status for receipt in receipts]


def uri_of(key: tuple[str, str]) -> str:
    return f"at://{BRAND}/{key[0]}/{key[1]}"


async def test_a_post_of_several_parts_is_a_thread_of_its_own(
    autojump_clock: trio.abc.Clock,
) -> None:
    """``!post`` answers nobody: its first part is the root of the others."""
    world = World.make()
    receipt = await world.handle(agent_message(f"!post {LONG}"))
    assert receipt.status == "Delivered"
    assert " ".join(world.bluesky.texts) == LONG
    first, *later = [world.bluesky.repo[key] for key in world.bluesky.commits]
    assert not {"reply", "embed"} & set(first)
    uris = [uri_of(key) for key in world.bluesky.commits]
    assert [one["reply"]["root"]["uri"] for one in later] == [uris[0]] * 2
    assert [one["reply"]["parent"]["uri"] for one in later] == uris[:-1]
    assert {one.root.uri for one in world.memory.references.values()} == {uris[0]}


async def test_a_quote_shows_the_post_in_its_first_part(autojump_clock: trio.abc.Clock) -> None:
    """``!quote`` is a post of our own, and no reply."""
    world = World.make()
    await world.handle(agent_message(f"!QUOTE {LONG}"))
    records = [world.bluesky.repo[key] for key in world.bluesky.commits]
    quoted = {"uri": ROOT, "cid": make_cid(ROOT)}
    assert records[0]["embed"] == {"$type": "app.bsky.embed.record", "record": quoted}
    assert [("embed" in one, "reply" in one) for one in records] == [
        (True, False),
        (False, True),
        (False, True),
    ]


async def test_what_was_just_liked_can_be_unliked(autojump_clock: trio.abc.Clock) -> None:
    """Before the network shows the like: our own repository counts."""
    world = World.make()
    receipts = await say(world, public(1, "!like"), public(2, "!like"), public(3, "!unlike"))
    assert statuses(receipts) == ["Delivered"] * 3
    assert len(world.bluesky.commits) == 1
    assert world.bluesky.removals == world.bluesky.commits
    assert world.bluesky.repo == {}


async def test_what_was_just_unliked_can_be_liked(autojump_clock: trio.abc.Clock) -> None:
    """While the network still shows the like that is gone."""
    world = World.make()
    await say(world, public(1, "!repost"))
    shown = uri_of(world.bluesky.commits[0])
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"repost": shown})
    receipts = await say(
        world, public(2, "!unrepost"), public(3, "!unrepost"), public(4, "!repost")
    )
    assert statuses(receipts) == ["Delivered"] * 3
    assert (len(world.bluesky.commits), len(world.bluesky.removals)) == (2, 1)
    assert list(world.bluesky.repo) == world.bluesky.commits[1:]


async def test_a_repeated_removal_deletes_nothing_newer(autojump_clock: trio.abc.Clock) -> None:
    """The answer was lost, and meanwhile somebody liked the post again in the app."""
    world = World.make()
    await say(world, public(1, "!like"))
    world.memory.entries.clear()
    world.bluesky.lost[DELETE] = [Retryable("lost", effect=Effect.UNKNOWN)]
    await world.handle_only(public(2, "!unlike"))
    newer = (LIKE, "3lbyhand22222")
    world.bluesky.repo[newer] = {"subject": {"uri": ROOT}}
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"like": uri_of(newer)})
    world.restart()
    await world.work()
    assert world.receipt().status == "Delivered"
    assert world.bluesky.count(DELETE) == 2
    assert list(world.bluesky.repo) == [newer]


async def test_delete_takes_back_the_last_answer_and_then_the_one_before(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A chain whole, its last part first; likes in between do not count."""
    world = World.make()
    await say(world, public(1, "First"), public(2, LONG), public(3, "!like"))
    first, *chain, like = world.bluesky.commits
    receipts = await say(world, public(4, "!delete"))
    assert world.bluesky.removals == chain[::-1]
    receipts += await say(world, public(5, "!delete"), public(6, "!delete"))
    assert world.bluesky.removals == [*chain[::-1], first]
    assert statuses(receipts) == ["Delivered", "Delivered", "Failed"]
    assert receipts[2].code == "InvalidDestination"
    assert list(world.bluesky.repo) == [like]


async def test_what_is_gone_already_is_deleted(autojump_clock: trio.abc.Clock) -> None:
    """Somebody deleted it in the app."""
    world = World.make()
    await say(world, public(1, "First"))
    world.bluesky.repo.clear()
    receipts = await say(world, public(2, "!delete"))
    assert statuses(receipts) == ["Delivered"]


async def test_another_conversation_has_its_own_last_post(autojump_clock: trio.abc.Clock) -> None:
    """Nothing of it is ever deleted from here."""
    world = World.make()
    await say(world, public(1, "First", conversation_id="another"))
    receipts = await say(world, public(2, "!delete"))
    assert statuses(receipts) == ["Failed"]
    assert world.bluesky.removals == []


async def test_a_deletion_that_is_given_up_says_what_is_gone(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Bluesky went away behind the second of three parts."""
    world = World.make()
    await say(world, public(1, LONG))
    world.bluesky.trouble[DELETE] = [None, None, *[Retryable("502")] * 10_000]
    (receipt,) = await say(world, public(2, "!delete"))
    assert receipt.code == "MessageExpired"
    assert "Only 2 of 3 parts are deleted; the rest was not done" in (receipt.sentence or "")


async def test_a_deletion_that_is_refused_half_way_can_be_asked_for_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The receipt says what is deleted, and the answer is not forgotten."""
    world = World.make()
    await say(world, public(1, LONG))
    world.bluesky.trouble[DELETE] = [None, Rejected("SomeError", "no")]
    refused, deleted = await say(world, public(2, "!delete"), public(3, "!delete"))
    assert refused.sentence == (
        "Only the last part of 3 is deleted, the rest is still there. Bluesky refused it: no"
    )
    assert deleted.status == "Delivered"
    assert world.bluesky.repo == {}


async def test_our_post_that_was_deleted_is_not_answered(autojump_clock: trio.abc.Clock) -> None:
    """Though it is remembered, our repository does not have it any more."""
    world = World.make()
    await say(world, public(1, "First"))
    own = uri_of(world.bluesky.commits[0])
    receipts = await say(world, public(2, "!delete"), public(3, "Second", reply_to_uri=own))
    assert statuses(receipts) == ["Delivered", "Failed"]
    assert receipts[1].sentence == "The post was deleted."


async def test_a_private_answer_from_a_public_conversation(autojump_clock: trio.abc.Clock) -> None:
    """``!dm`` writes to the author of the post that is answered."""
    world = World.make()
    receipt = await world.handle(
        agent_message("!dm Your code is 42.", recipient_did="did:plc:someone")
    )
    assert receipt.status == "Delivered"
    assert world.bluesky.sent == ["Your code is 42."]
    assert world.bluesky.commits == []


async def test_a_reply_is_hidden_beside_what_is_hidden_already(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A gate is made if there is none; who may reply stays as it was."""
    world = World.make()
    other = f"at://{ALICE}/{POST}/3eeeeeeeeeee2"
    for uri in (REPLY, other):
        world.bluesky.posts[uri] = view_post(uri, root=OWN_ROOT)
    receipts = await say(
        world,
        public(1, "!hide", reply_to_uri=REPLY),
        public(2, "!hide", reply_to_uri=other),
        public(3, "!hide", reply_to_uri=REPLY),
    )
    assert statuses(receipts) == ["Delivered"] * 3
    assert world.bluesky.repo == {
        (GATE, "3ccccccccccc2"): {
            "$type": GATE,
            "post": OWN_ROOT,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "hiddenReplies": [REPLY, other],
        }
    }
    assert len(world.bluesky.commits) == 2


async def test_a_gate_that_changes_meanwhile_is_read_again(autojump_clock: trio.abc.Clock) -> None:
    """A person hid another reply between our reading and our writing: both are hidden."""
    world = World.make()
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    gate = {"$type": GATE, "post": OWN_ROOT, "hiddenReplies": ["at://byhand"]}
    key = (GATE, "3ccccccccccc2")
    record = {"uri": uri_of(key), "cid": make_cid("older"), "value": {"$type": GATE}}
    world.bluesky.repo[key] = gate
    world.bluesky.once["com.atproto.repo.getRecord"] = [record]
    receipts = await say(world, public(1, "!hide", reply_to_uri=REPLY))
    assert statuses(receipts) == ["Delivered"]
    assert world.bluesky.repo[key]["hiddenReplies"] == ["at://byhand", REPLY]
    assert world.bluesky.count("com.atproto.repo.getRecord") == 2


async def test_the_reply_of_somebody_blocked_can_be_hidden(autojump_clock: trio.abc.Clock) -> None:
    """The network does not show it to us any more; Genesys names its thread."""
    world = World.make()
    world.bluesky.profiles[ALICE] = {"did": ALICE, "viewer": {"blocking": "at://x/y/z"}}
    receipts = await say(world, public(1, "!hide", reply_to_uri=REPLY, root_uri=OWN_ROOT))
    assert statuses(receipts) == ["Delivered"]


def full_gate(world: World) -> None:
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    hidden = [f"at://{number}" for number in range(300)]
    world.bluesky.repo[GATE, "3ccccccccccc2"] = {"$type": GATE, "hiddenReplies": hidden}


def listed(world: World) -> None:
    by_list = {"uri": "at://did:plc:x/app.bsky.graph.list/3l"}
    viewer = {"blockingByList": by_list, "mutedByList": by_list, "muted": True}
    world.bluesky.profiles[ALICE] = {"did": ALICE, "viewer": viewer}


def gone(world: World) -> None:
    world.bluesky.profiles.clear()


def blocking_us(world: World) -> None:
    world.bluesky.profiles[ALICE] = {"did": ALICE, "viewer": {"blockedBy": True}}


def unquotable(world: World) -> None:
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"embeddingDisabled": True})


def as_usual(world: World) -> None:
    pass


OWN = {"reply_to_uri": OWN_ROOT, "recipient_did": BRAND}


@pytest.mark.parametrize(
    ("text", "more", "prepare", "code", "said"),
    [
        ("!hide", {}, as_usual, "MessageNotAllowed", "thread that the company's account began"),
        ("!hide", {"reply_to_uri": REPLY}, full_gate, "MessageNotAllowed", "takes no more"),
        ("!quote", {}, as_usual, "UnsupportedMessage", "needs a text"),
        ("!post \n", {}, as_usual, "UnsupportedMessage", "needs a text"),
        ("!quote Look", {}, unquotable, "MessageNotAllowed", "does not let this post be quoted"),
        ("!post " + "word " * 2000, {}, as_usual, "InvalidMessageStructure", "too long"),
        ("!follow", {}, blocking_us, "MessageNotAllowed", "has blocked the company"),
        ("!follow", {}, gone, "InvalidDestination", "deleted, deactivated or suspended"),
        ("!unblock", {}, listed, "MessageNotAllowed", "moderation list"),
        ("!unmute", {}, listed, "MessageNotAllowed", "moderation list"),
        ("!block", OWN, as_usual, "InvalidDestination", "the company's own account"),
        ("!dm Hello", OWN, as_usual, "InvalidDestination", "the company's own account"),
        ("!mute", {"reply_to_uri": None, "recipient_did": "x"}, as_usual, "InvalidDestination", ""),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    autojump_clock: trio.abc.Clock,
    text: str,
    more: dict[str, Any],
    prepare: Any,  # noqa: ANN401 - a function of the world
    code: ReasonCode,
    said: str,
) -> None:
    """And nothing at all is written."""
    world = World.make()
    prepare(world)
    before = dict(world.bluesky.repo)
    receipt = await world.handle(agent_message(text, **more))
    assert (receipt.status, receipt.code) == ("Failed", code)
    assert said in (receipt.sentence or "")
    assert (world.bluesky.repo, world.bluesky.sent) == (before, [])


async def test_help_is_an_answer_and_no_dead_letter(autojump_clock: trio.abc.Clock) -> None:
    """The receipt must be a Failed one, the only kind that shows a sentence; the entry is done."""
    world = World.make()
    receipt = await world.handle(private_message("!help please"))
    assert (receipt.status, receipt.code) == ("Failed", "UnsupportedMessage")
    assert "Nothing failed" in (receipt.sentence or "")
    assert "!hide hides the reply in our thread." in (receipt.sentence or "")
    assert [outcome for _, outcome in world.memory.settled] == [Done()]
    assert world.context.skips == {}


@pytest.mark.parametrize("commands", [{"like"}, ()])
async def test_a_command_that_is_switched_off_is_not_posted_either(
    autojump_clock: trio.abc.Clock, commands: set[str]
) -> None:
    """The agent is told which ones there are."""
    world = World.make()
    world.rules = Rules(frozenset(commands))
    (refused, helped) = await say(world, public(1, "!post Hello"), public(2, "!help"))
    assert "!post is switched off" in (refused.sentence or "")
    assert ("!like" in (refused.sentence or "")) == ("like" in commands)
    assert "!help lists the commands" in (helped.sentence or "")
    assert world.bluesky.commits == []


async def test_a_rejected_mute_is_explained(autojump_clock: trio.abc.Clock) -> None:
    """In Bluesky's own words, if there are no better ones."""
    world = World.make()
    world.bluesky.trouble["app.bsky.graph.muteActor"] = [Rejected("SomeError", "no such thing")]
    receipt = await world.handle(private_message("!mute"))
    assert receipt.sentence == "Bluesky refused it: no such thing"
    ((_, outcome),) = world.memory.settled
    assert isinstance(outcome, Refused)


@pytest.mark.parametrize("text", ["!mute", "!hide", "!unlike", "!block"])
async def test_what_was_done_before_bluesky_went_away_is_found_done(
    autojump_clock: trio.abc.Clock, text: str
) -> None:
    """The answer was lost, and the repeats failed: given up, it is looked at once more."""
    world = World.make()
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    world.keep(f"{LIKE}:{REPLY}", f"at://{BRAND}/{LIKE}/3lbyhand22222")
    world.bluesky.repo[LIKE, "3lbyhand22222"] = {"subject": {"uri": REPLY}}
    for nsid in (PUT, DELETE, "app.bsky.graph.muteActor"):
        world.bluesky.lost[nsid] = [Retryable("lost", effect=Effect.UNKNOWN)]
    entry = world.add(agent_message(text, reply_to_uri=REPLY, root_uri=OWN_ROOT))
    await world.start().handle(entry)
    await trio.sleep(900)
    before = len(world.bluesky.calls)
    await world.work()
    assert world.receipt().status == "Delivered"
    called = {nsid for nsid, _ in world.bluesky.calls[before:]}
    assert called <= {"com.atproto.repo.getRecord", "app.bsky.actor.getProfiles"}


@pytest.mark.parametrize("text", ["!mute", "!hide", "!unlike"])
async def test_what_was_not_done_in_time_is_never_done(
    autojump_clock: trio.abc.Clock, text: str
) -> None:
    """The receipt says so."""
    world = World.make()
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    world.keep(f"{LIKE}:{REPLY}", f"at://{BRAND}/{LIKE}/3lbyhand22222")
    world.bluesky.repo[LIKE, "3lbyhand22222"] = {"subject": {"uri": REPLY}}
    for nsid in (PUT, DELETE, "app.bsky.graph.muteActor"):
        world.bluesky.trouble[nsid] = [Retryable("502")] * 10_000
    receipt = await world.handle(agent_message(text, reply_to_uri=REPLY, root_uri=OWN_ROOT))
    assert (receipt.status, receipt.code) == ("Failed", "MessageExpired")
    assert "It was not done and will not be." in (receipt.sentence or "")
    assert list(world.bluesky.repo) == [(LIKE, "3lbyhand22222")]
    assert world.bluesky.muted == set()

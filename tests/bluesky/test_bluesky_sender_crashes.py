"""Whatever happens while a message is sent, it goes out once and gets one receipt."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.items import make_agent_item
from actors.messages import AgentMessage, Destination, JournalEntry, Receipt
from runtime.errors import Effect, Malformed, RateLimited, Retryable
from tests.bluesky.scripted_bluesky import ALICE, BRAND, ROOT, Crash, Points, view_post
from tests.bluesky.scripted_files import make_file
from tests.bluesky.sender_world import (
    LONG,
    VERY_LONG,
    World,
    agent_message,
    image_message,
    private_message,
)

PAGE = "https://shop.example/"
TWINS = "a" * 1000 + " " + "a" * 1000  # two direct messages that read the same

Redelivery = Literal["worker", "process"]


OWN_ROOT = f"at://{BRAND}/app.bsky.feed.post/3ccccccccccc2"
REPLY = f"at://{ALICE}/app.bsky.feed.post/3ddddddddddd2"
GATE = ("app.bsky.feed.threadgate", "3ccccccccccc2")
LIKE = ("app.bsky.feed.like", "3lbyhand22222")
FOLLOW = ("app.bsky.graph.follow", "3lbyhand22222")
CHAIN = tuple(("app.bsky.feed.post", f"3kchain22222{number}") for number in (2, 3, 4))
CONVERSATION = make_agent_item(agent_message()).conversation


def nothing(world: World) -> None:
    pass


@dataclass(frozen=True)
class Case:
    """A message, and what must be found at the end: our posts, our messages, all commits."""

    message: AgentMessage
    behind: tuple[AgentMessage, ...] = ()
    posts: int = 0
    commits: int = 0
    sent: int = 0
    removals: tuple[tuple[str, str], ...] = ()
    status: str = "Delivered"
    prepare: Callable[[World], None] = nothing
    check: Callable[[World], None] = nothing


def have_like(world: World) -> None:
    world.bluesky.repo[LIKE] = {"subject": {"uri": ROOT}}
    uri = f"at://{BRAND}/{LIKE[0]}/{LIKE[1]}"
    world.bluesky.posts[ROOT] = view_post(ROOT, viewer={"like": uri})


def have_follow(world: World) -> None:
    world.bluesky.repo[FOLLOW] = {"subject": ALICE}
    world.keep(f"{FOLLOW[0]}:{ALICE}", f"at://{BRAND}/{FOLLOW[0]}/{FOLLOW[1]}")


def have_chain(world: World) -> None:
    world.bluesky.repo.update({key: {} for key in CHAIN})
    world.keep(f"posts:{CONVERSATION}", json.dumps([["earlier", [key for _, key in CHAIN]]]))


def have_thread(world: World) -> None:
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    world.bluesky.repo[GATE] = {"$type": GATE[0], "hiddenReplies": ["at://another"], "allow": []}


def check_hidden(world: World) -> None:
    gate = {"$type": GATE[0], "hiddenReplies": ["at://another", REPLY], "allow": []}
    assert world.bluesky.repo[GATE] == gate


def check_muted(world: World) -> None:
    assert world.bluesky.muted == {ALICE}


def check_unmuted(world: World) -> None:
    assert world.bluesky.muted == set()


CASES = {
    "reply": Case(agent_message("Hello @alice.test"), posts=1, commits=1),
    "chain": Case(agent_message(LONG), posts=3, commits=3),
    "quote": Case(agent_message(f"!quote {LONG}"), posts=3, commits=3),
    "post": Case(agent_message(f"!post {LONG}"), posts=3, commits=3),
    "like": Case(agent_message("!like"), commits=1),
    "repost": Case(agent_message("!repost"), commits=1),
    "follow": Case(agent_message("!follow"), commits=1),
    "block": Case(private_message("!block"), commits=1),
    "unlike": Case(agent_message("!unlike"), removals=(LIKE,), prepare=have_like),
    "unfollow": Case(private_message("!unfollow"), removals=(FOLLOW,), prepare=have_follow),
    "unrepost": Case(agent_message("!unrepost")),
    "delete": Case(agent_message("!delete"), removals=CHAIN[::-1], prepare=have_chain),
    "mute": Case(agent_message("!mute"), check=check_muted),
    "unmute": Case(
        agent_message("!unmute"),
        prepare=lambda world: world.bluesky.muted.add(ALICE),
        check=check_unmuted,
    ),
    "hide": Case(
        agent_message("!hide", reply_to_uri=REPLY, root_uri=OWN_ROOT),
        commits=1,
        prepare=have_thread,
        check=check_hidden,
    ),
    "message": Case(private_message("Hello @alice.test"), sent=1),
    "dm": Case(agent_message("!dm Hello @alice.test"), sent=1),
    "messages": Case(private_message(VERY_LONG), sent=2),
    "twins": Case(private_message(TWINS), sent=2),
    "refused": Case(agent_message("!unknown"), status="Failed"),
    "help": Case(agent_message("!help"), status="Failed"),
    "images": Case(
        image_message(1, "Look"), (image_message(2), image_message(3)), posts=1, commits=1
    ),
    "chain of images": Case(
        image_message(1), (image_message(2, LONG), image_message(3)), posts=3, commits=3
    ),
    "card": Case(agent_message(f"See {PAGE}"), posts=1, commits=1),
}


def check(world: World, case: Case) -> None:
    assert len(world.bluesky.commits) == case.commits
    posts = [key for key in world.bluesky.commits if key[0] == "app.bsky.feed.post"]
    assert len(posts) == case.posts
    written = " ".join(world.bluesky.texts if case.posts else world.bluesky.sent)
    said = " ".join(one.text for one in (case.message, *case.behind)).strip()
    assert written in ("", re.sub(r"^!\w+ ", "", said))
    for number, key in enumerate(posts):
        embed = world.bluesky.repo[key].get("embed", {})
        assert len(embed.get("images", [])) == (
            1 + len(case.behind) if not number and case.behind else 0
        )
        assert ("external" in embed) <= (PAGE in said)
    assert len(world.bluesky.sent) == case.sent
    assert tuple(world.bluesky.removals) == case.removals
    case.check(world)
    receipts = [one for one in world.memory.payloads if isinstance(one, Receipt)]
    answered = [(receipt.message_id, receipt.status) for receipt in receipts]
    assert answered == [(one.message_id, case.status) for one in (case.message, *case.behind)]
    assert world.memory.deliverable(Destination.BLUESKY_SENDER) == []


async def deliver_until_done(world: World, entry: JournalEntry, redelivery: Redelivery) -> None:
    """Do as the runtime does: hand the entry over again after every crash.

    A worker that crashed gets the very message that it had in hand; a process that crashed reads
    the journal again and remembers nothing.
    """
    in_hand: JournalEntry | None = entry
    while in_hand is not None:
        crashed = True
        with trio.CancelScope() as scope:
            world.bluesky.points.cancel = scope.cancel
            try:
                await world.start().handle(in_hand)
                crashed = False
            except Crash:
                pass
        if crashed and redelivery == "worker":
            continue
        if crashed:
            world.restart()
        elif in_hand.entry_id in world.memory.entries:
            await trio.sleep(world.retries()[-1].after_s)
        in_hand = next(iter(world.memory.deliverable(Destination.BLUESKY_SENDER)), None)


async def run_with(
    case: Case,
    redelivery: Redelivery,
    trouble: dict[int, Literal["raise", "cancel"]],
    prepare: Callable[[World], None] = lambda world: None,
) -> int:
    """Run a case with crashes at these places; how many places there were."""
    world = World.make(Points(trouble))
    world.bluesky.receive("Hi")
    case.prepare(world)
    world.files.points = world.bluesky.points
    world.files.contents |= {
        PAGE: ("text/html", b"<title>Help</title><meta property=og:image content=/a.png>"),
        PAGE + "a.png": ("image/png", make_file(9)),
    }
    prepare(world)
    entry = world.add(case.message)
    for message in case.behind:
        world.add(message)
    with trio.fail_after(3600):
        await deliver_until_done(world, entry, redelivery)
    check(world, case)
    return world.bluesky.points.reached


def run(work: Callable[[], Awaitable[None]]) -> None:
    trio.run(work, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("how", ["raise", "cancel"])
@pytest.mark.parametrize("redelivery", ["worker", "process"])
@pytest.mark.parametrize("name", CASES)
async def test_a_crash_at_any_moment_doubles_and_loses_nothing(
    autojump_clock: trio.abc.Clock,
    name: str,
    redelivery: Redelivery,
    how: Literal["raise", "cancel"],
) -> None:
    """Before and after every request to the network and to the store."""
    places = await run_with(CASES[name], redelivery, {})
    assert places >= 2
    for place in range(1, places + 1):
        await run_with(CASES[name], redelivery, {place: how})


UNSURE = functools.partial(Retryable, "the answer was lost", effect=Effect.UNKNOWN)
LOST: dict[str, Callable[[], Exception]] = {
    "unsure": UNSURE,
    "malformed": lambda: Malformed("half an answer"),
}
NOT_DONE: dict[str, Callable[[], Exception]] = {
    "unavailable": lambda: Retryable("502"),
    "limited": lambda: RateLimited("429", after_s=30),
    "unsure": UNSURE,
}


def arrange_trouble(world: World, kind: str, trouble: dict[str, list[Exception | None]]) -> None:
    (world.bluesky.lost if kind == "lost" else world.bluesky.trouble).update(trouble)


@pytest.mark.parametrize("kind", ["lost", "not_done"])
@pytest.mark.parametrize("name", CASES)
async def test_a_failing_call_doubles_and_loses_nothing(
    autojump_clock: trio.abc.Clock, name: str, kind: str
) -> None:
    """Each call in turn fails before it acts, or acts and then its answer is lost."""
    probe = World.make()
    CASES[name].prepare(probe)
    await probe.handle(CASES[name].message)
    methods = [nsid for nsid, _ in probe.bluesky.calls]
    for number, method in enumerate(methods):
        earlier = methods[:number].count(method)
        for make_error in (LOST if kind == "lost" else NOT_DONE).values():
            trouble = {method: [*[None] * earlier, make_error()]}
            arrange = functools.partial(arrange_trouble, kind=kind, trouble=trouble)
            await run_with(CASES[name], "process", {}, arrange)


EFFECTS = (
    "com.atproto.repo.putRecord",
    "com.atproto.repo.deleteRecord",
    "app.bsky.graph.muteActor",
    "app.bsky.graph.unmuteActor",
    "chat.bsky.convo.sendMessage",
)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(CASES)),
    redelivery=st.sampled_from(["worker", "process"]),
    crashes=st.dictionaries(st.integers(1, 60), st.sampled_from(["raise", "cancel"]), max_size=4),
    lost=st.lists(st.sampled_from(["", "unsure", "malformed"]), max_size=5),
    failed=st.lists(st.sampled_from(["", "unavailable", "limited", "unsure"]), max_size=5),
)
def test_troubles_together_double_and_lose_nothing(
    name: str,
    redelivery: Redelivery,
    crashes: dict[int, Literal["raise", "cancel"]],
    lost: list[str],
    failed: list[str],
) -> None:
    """Crashes, lost answers and refused requests in any mixture."""

    def prepare(world: World) -> None:
        for method in EFFECTS:
            world.bluesky.lost[method] = [LOST[kind]() if kind else None for kind in lost]
            world.bluesky.trouble[method] = [NOT_DONE[kind]() if kind else None for kind in failed]

    async def work() -> None:
        await run_with(CASES[name], redelivery, crashes, prepare)

    run(work)

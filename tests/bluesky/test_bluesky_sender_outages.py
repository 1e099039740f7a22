"""While Bluesky is in trouble a message waits; given up, its receipt still says what is true."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import trio

from actors.bluesky.calls import WritesSpent
from actors.bluesky.errors import AccountClosed
from actors.bluesky.retrying import LONGEST_BACK_OFF_S, LOOK_AGAIN_AFTER_S, retry_delay_s
from actors.messages import ReasonCode
from actors.store import StoreUnavailable
from runtime.errors import AuthRejected, Effect, Malformed, RateLimited, Rejected, Retryable
from runtime.rate import Budget, Rate
from tests.bluesky.sender_world import LONG, VERY_LONG, World, agent_message, private_message

PUT = "com.atproto.repo.putRecord"
GET = "com.atproto.repo.getRecord"
SEND = "chat.bsky.convo.sendMessage"
LOOK = "chat.bsky.convo.getMessages"
ALWAYS = 10_000


def unsure() -> Retryable:
    return Retryable("the answer was lost", effect=Effect.UNKNOWN)


async def test_a_failing_server_is_tried_again_later_and_left_alone_meanwhile(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The entry is settled for another attempt first, then the worker backs off."""
    world = World.make()
    error = Retryable("503", after_s=20)
    world.bluesky.trouble[PUT] = [error]
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert [(one.after_s, one.why) for one in world.retries()] == [(20, "503")]
    assert world.context.failures == [error]
    assert world.context.back_offs == [error]
    assert trio.current_time() >= 40


async def test_after_a_lost_answer_the_request_gets_time_to_end(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Looking for a message while it is still on its way would send it twice."""
    world = World.make()
    world.bluesky.lost[SEND] = [unsure()]
    await world.handle(private_message())
    (retry,) = world.retries()
    assert retry.after_s >= LOOK_AGAIN_AFTER_S
    assert world.bluesky.sent == ["We are on it."]


async def test_a_long_pause_is_kept_but_holds_no_receipt_back(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Asked to wait an hour, the message is given up at once; the worker looks up every minute."""
    world = World.make()
    world.bluesky.trouble["app.bsky.feed.getPosts"] = [RateLimited("429", after_s=3600)]
    receipt = await world.handle(agent_message())
    assert (receipt.status, receipt.code) == ("Failed", "RateLimited")
    assert receipt.sentence == (
        "Bluesky takes nothing more from the company's account until 2026-01-01 01:00 UTC. "
        "It was not posted and will not be."
    )
    assert world.retries() == []
    assert [getattr(one, "after_s", None) for one in world.context.back_offs] == [
        LONGEST_BACK_OFF_S
    ]


async def test_a_pause_within_patience_is_waited_for(autojump_clock: trio.abc.Clock) -> None:
    """As long as the message is worth sending by then."""
    world = World.make()
    world.bluesky.trouble[PUT] = [RateLimited("429", after_s=600)]
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert trio.current_time() >= 600


async def test_a_long_pause_in_the_middle_says_what_is_out(
    autojump_clock: trio.abc.Clock,
) -> None:
    """And ``!delete`` takes that back."""
    world = World.make()
    world.bluesky.trouble[PUT] = [None, RateLimited("429", after_s=3600)]
    receipt = await world.handle(agent_message(LONG))
    assert receipt.code == "RateLimited"
    assert "Only 1 of 3 parts went out; the rest was not posted" in (receipt.sentence or "")
    world.memory.entries.clear()
    receipt = await world.handle(agent_message("!delete", message_id="second"))
    assert receipt.status == "Delivered"
    assert world.bluesky.removals == world.bluesky.commits


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AccountClosed("AccountTakedown"), "account is suspended or deactivated"),
        (AuthRejected("revoked"), "refuses the connector's login"),
    ],
)
async def test_a_message_given_up_while_the_login_is_refused_says_so(
    autojump_clock: trio.abc.Clock, error: AuthRejected, said: str
) -> None:
    """The agent knows whom to tell."""
    world = World.make()
    for nsid in ("app.bsky.feed.getPosts", "com.atproto.server.getSession"):
        world.bluesky.trouble[nsid] = [error] * ALWAYS
    receipt = await world.handle(agent_message())
    assert (receipt.status, receipt.code) == ("Failed", "GeneralError")
    assert said in (receipt.sentence or "")


async def test_a_spent_budget_holds_up_posts_alone(autojump_clock: trio.abc.Clock) -> None:
    """The message waits for its points; the worker goes on with what needs none."""
    world = World.make()
    world.writes = Budget(Rate(2, 300.0))
    await world.writes.acquire(2)
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert 280 <= trio.current_time() <= 320
    assert world.context.back_offs == []
    assert [type(one) for one in world.context.failures] == [WritesSpent]


async def test_an_absent_store_is_waited_for(autojump_clock: trio.abc.Clock) -> None:
    """It costs no attempt, and nothing is written before the plan is safe."""
    world = World.make()
    world.memory.lost_answers = 2
    receipt = await world.handle(agent_message())
    assert receipt.status == "Delivered"
    assert world.retries() == []
    assert len(world.bluesky.commits) == 1
    assert [type(one) for one in world.context.back_offs] == [StoreUnavailable] * 2


@pytest.mark.parametrize("text", ["Hello", "Hello @alice.test"])
async def test_a_message_that_never_went_out_expires(
    autojump_clock: trio.abc.Clock, text: str
) -> None:
    """After 15 minutes the receipt says that it was not posted, and it never is."""
    world = World.make()
    world.bluesky.trouble["app.bsky.feed.getPosts"] = [Retryable("502")] * ALWAYS
    receipt = await world.handle(agent_message(text))
    assert (receipt.status, receipt.code) == ("Failed", "MessageExpired")
    assert "15 minutes. It was not posted and will not be." in (receipt.sentence or "")
    assert 900 <= trio.current_time() < 1100
    assert world.bluesky.commits == []


async def test_an_old_message_that_was_never_tried_is_tried_once(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The connector itself may have been away."""
    world = World.make()
    world.add(agent_message())
    await trio.sleep(7200)
    await world.work()
    assert world.receipt().status == "Delivered"


async def test_after_giving_up_nothing_is_written_any_more(autojump_clock: trio.abc.Clock) -> None:
    """The server recovers as the time runs out: the agent has been told, or is about to be."""
    world = World.make()
    entry = world.add(agent_message())
    world.bluesky.trouble[PUT] = [unsure()]
    await world.start().handle(entry)
    await trio.sleep(900)
    await world.work()
    assert world.receipt().code == "MessageExpired"
    assert world.bluesky.count(PUT) == 1
    assert world.bluesky.commits == []


@pytest.mark.parametrize("private", [False, True])
async def test_a_lost_answer_is_looked_for_before_giving_up(
    autojump_clock: trio.abc.Clock, private: bool
) -> None:
    """It did go out, so the agent is told that it was delivered."""
    world = World.make()
    entry = world.add(private_message() if private else agent_message())
    world.bluesky.lost[SEND if private else PUT] = [unsure()]
    await world.start().handle(entry)
    await trio.sleep(900)
    await world.work()
    assert world.receipt().status == "Delivered"
    assert len(world.bluesky.commits) + len(world.bluesky.sent) == 1
    assert len(world.memory.references) == (0 if private else 1)


@pytest.mark.parametrize(
    ("private", "said"), [(False, "Only 2 of 3 parts"), (True, "Only 1 of 2 parts")]
)
async def test_half_a_message_is_called_half_a_message(
    autojump_clock: trio.abc.Clock, private: bool, said: str
) -> None:
    """What is out stays; the receipt counts it, lost answers included."""
    world = World.make()
    method = SEND if private else PUT
    entry = world.add(private_message(VERY_LONG) if private else agent_message(LONG))
    world.bluesky.lost[method] = [unsure()] if private else [None, unsure()]
    await world.start().handle(entry)
    world.bluesky.trouble[method] = [Retryable("502")] * ALWAYS
    world.bluesky.trouble[LOOK] = [Retryable("502")]
    await trio.sleep(900)
    await world.work()
    assert world.receipt().code == "MessageExpired"
    assert said in (world.receipt().sentence or "")


@pytest.mark.parametrize(
    ("private", "look", "error"),
    [
        (False, GET, Retryable("502")),
        (True, LOOK, Malformed("half an answer")),
    ],
)
async def test_when_nobody_can_know_the_receipt_says_so(
    autojump_clock: trio.abc.Clock, private: bool, look: str, error: Exception
) -> None:
    """Looking is tried for as long again; then the agent is sent to look."""
    world = World.make()
    method = SEND if private else PUT
    world.bluesky.lost[method] = [unsure()]
    world.bluesky.trouble[method] = [None, *[Retryable("502")] * ALWAYS]
    world.bluesky.trouble[look] = [error] * ALWAYS
    receipt = await world.handle(private_message() if private else agent_message())
    assert (receipt.status, receipt.code) == ("Failed", "GeneralError")
    assert "not known" in (receipt.sentence or "")
    assert trio.current_time() >= 1800


async def test_a_conversation_that_vanished_cannot_be_looked_at(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A refused look is an answer too: nobody knows, and waiting will not help."""
    world = World.make()
    entry = world.add(private_message())
    world.bluesky.lost[SEND] = [unsure()]
    await world.start().handle(entry)
    world.bluesky.trouble[LOOK] = [Rejected("InvalidConvo", "Convo not found")]
    await trio.sleep(900)
    await world.work()
    assert "not known" in (world.receipt().sentence or "")


async def test_a_mention_does_not_hold_its_message_up_for_ever(
    autojump_clock: trio.abc.Clock,
) -> None:
    """A handle that cannot be looked up is worth two more attempts, then it is plain text."""
    world = World.make()
    world.bluesky.trouble["com.atproto.identity.resolveHandle"] = [Retryable("502")] * ALWAYS
    receipt = await world.handle(agent_message("Hi @alice.test"))
    assert receipt.status == "Delivered"
    assert len(world.retries()) == 2
    (key,) = world.bluesky.commits
    assert "facets" not in world.bluesky.repo[key]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("app.bsky.feed.getPosts", {"posts": [{"uri": "at://x"}]}),
        ("chat.bsky.convo.getConvoForMembers", {"convo": {"id": "convo"}}),
        ("chat.bsky.convo.getConvoForMembers", {}),
        (PUT, {}),
    ],
)
async def test_an_unreadable_answer_is_tried_again(
    autojump_clock: trio.abc.Clock, method: str, answer: dict[str, Any]
) -> None:
    """Until the message expires; the worker survives it."""
    world = World.make()
    world.bluesky.answers[method] = answer
    private = method.startswith("chat.")
    receipt = await world.handle(private_message() if private else agent_message())
    assert receipt.code == "MessageExpired"
    assert all(isinstance(one, Malformed) for one in world.context.failures)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"reply": {"root": "?"}}, "InvalidDestination"),
        ({"reply": "?"}, None),
        ("?", None),
    ],
)
async def test_a_damaged_post_does_not_hold_its_conversation_up(
    autojump_clock: trio.abc.Clock, record: object, code: ReasonCode | None
) -> None:
    """Anybody can write any record: it is answered if that is possible, or refused at once."""
    world = World.make()
    (uri,) = world.bluesky.posts
    world.bluesky.posts[uri]["record"] = record
    receipt = await world.handle(agent_message())
    assert receipt.code == code
    assert world.retries() == []


async def test_conversations_wait_with_growing_random_pauses(
    autojump_clock: trio.abc.Clock,
) -> None:
    """From one second up to a minute, whatever the count."""
    rng = random.Random(1)  # noqa: S311 - jitter
    for attempts, cap in [(0, 2), (1, 4), (4, 32), (5, 60), (5000, 60)]:
        delays = [retry_delay_s(attempts, rng) for _ in range(200)]
        assert 1 <= min(delays) < 1 + cap / 10
        assert 0.9 * cap < max(delays) <= cap


async def test_an_entry_for_another_actor_is_a_defect(autojump_clock: trio.abc.Clock) -> None:
    """It crashes, and is buried as poison."""
    world = World.make()
    await world.handle(agent_message())
    (entry,) = world.memory.entries.values()
    with pytest.raises(TypeError, match="Receipt"):
        await world.start().handle(replace(entry))

"""Whatever is in the way of looking back, nothing else stops, and nothing is lost that need not."""

from __future__ import annotations

import json

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.client import GenesysClient
from actors.genesys.faults import PermissionMissing
from actors.genesys.reconciler import NOT_PERMITTED_S, SECOND_LOOK_S
from actors.genesys.signature import make_signature
from actors.genesys.webhook_receiver import WebhookAnswer, WebhookDelivery, WebhookReceiver
from actors.store import Deposed
from runtime.actor import ActorSpec, Context
from runtime.errors import Retryable
from runtime.mailbox import Mailbox
from tests.genesys.fake_platform import CLIENT_SECRET, FakeGenesys, error
from tests.genesys.reconciling import WINDOW_S, Return
from tests.genesys.webhook_desk import SECRET, NothingBefore, make_body
from tests.runtime.scripted import GENEROUS, World, never_poison, post
from tests.support.memory_store import MemoryStore, virtual_wall_clock

NAME = "WebhookReceiver"
VIEW = "conversation:message:view"


@pytest.fixture
def back(client: GenesysClient, memory: MemoryStore, genesys: FakeGenesys) -> Return:
    """A connector that comes back, and three conversations with a missed message each."""
    back = Return(client, memory, genesys)
    for number in range(3):
        back.talk(number)
    return back


async def miss_three(back: Return) -> None:
    for number in range(3):
        back.write(str(number), f"conversation-{number}", ago_s=300 - number)
    await back.miss(600)


def make_spec(back: Return) -> ActorSpec[WebhookDelivery]:
    """WebhookReceiver as the house has it."""

    def create(context: Context) -> WebhookReceiver:
        return WebhookReceiver(
            context,
            back.memory.store,
            secrets=[SECRET],
            max_bytes=10_000,
            clock=virtual_wall_clock,
            gap=back.gap,
            reconciler=back.create(context),
            predecessors=NothingBefore(),
        )

    mailbox = Mailbox[WebhookDelivery](NAME, 64)
    return ActorSpec(
        NAME,
        create,
        GENEROUS,
        mailbox=mailbox,
        concurrency=2,
        deadline_s=120.0,
        critical=True,
        on_poison=never_poison,
    )


async def deliver(spec: ActorSpec[WebhookDelivery], message_id: str) -> WebhookAnswer:
    body = json.dumps(make_body(id=message_id)).encode()
    delivery = WebhookDelivery(body, make_signature(body, SECRET))
    post(spec, delivery)
    return await delivery.reply.wait(9.0, who=NAME)


@pytest.mark.parametrize(
    "fault",
    [
        error(503, "service.unavailable"),
        error(429, "too.many.requests", Retry_After="20"),
        httpx.ConnectError("refused"),
        httpx.Response(200, content=b"<html>"),
    ],
)
async def test_a_platform_in_trouble_is_waited_for(
    back: Return, fault: httpx.Response | Exception, autojump_clock: MockClock
) -> None:
    """Whichever request it strikes."""
    for skipped in range(8):
        number = f"9{skipped}"
        back.write(number, back.talk(int(number)), ago_s=0)
        await back.miss(30)
        left = skipped

        def strike(call: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                back.genesys.faults.append(fault)
                back.genesys.before = None

        back.genesys.before = strike
        await back.run(100)
        assert back.memory.items[-1] == f"agent:{number}"
        assert back.is_done
    assert len(back.memory.items) == 8
    assert len(back.context.back_offs) == 8
    assert all(isinstance(one, Retryable) for one in back.context.back_offs)


async def test_one_conversation_that_cannot_be_read_is_counted_and_left(
    back: Return, autojump_clock: MockClock
) -> None:
    """Gone, of another shape, or refused: the others are looked into."""
    await miss_three(back)
    for number in (10, 11, 12):
        back.write(str(number), back.talk(number), ago_s=60)
    back.conversations.refused["conversation-10"] = error(404, "not.found")
    back.conversations.broken["conversation-11"] = {}
    back.conversations.refused["conversation-12"] = error(400, "bad.request")
    await back.run()
    assert back.memory.items == ["agent:0", "agent:1", "agent:2"]
    assert back.context.skips == {
        "conversation_not_found": 1,
        "conversation_unreadable": 1,
        "conversation_refused": 1,
    }
    assert back.is_done


async def test_a_message_that_is_not_given_out_is_counted(
    back: Return, autojump_clock: MockClock
) -> None:
    """It is listed, and when it is asked for it is not there."""
    await miss_three(back)

    def lose(call: object) -> None:
        if "conversation-1/messages/bulk" in str(call):
            del back.conversations.messages["1"]

    back.genesys.before = lose
    back.write("also", "conversation-1", ago_s=10)
    await back.run()
    assert set(back.memory.items) == {"agent:0", "agent:2", "agent:also"}
    assert back.context.skips == {"message_not_found": 1}


async def test_a_conversation_that_always_fails_holds_up_no_other_and_is_given_up_in_the_end(
    back: Return, autojump_clock: MockClock
) -> None:
    """What was found is recorded meanwhile. After the window there is nothing left to be found."""
    await miss_three(back)
    back.conversations.refused["conversation-1"] = error(500, "internal.server.error")
    async with back.running():
        await trio.sleep(60)
        assert set(back.memory.items) == {"agent:0", "agent:2"}
        assert not back.is_done
        await trio.sleep(WINDOW_S + SECOND_LOOK_S)
        assert back.is_done
        assert back.context.skips == {"conversation_given_up": 1}
        (told,) = back.log.of("reconciling given up")
        assert (told.level, told.fields["conversations"]) == ("error", 1)
        calls = len(back.genesys.calls)
        await trio.sleep(WINDOW_S)
        assert len(back.genesys.calls) == calls


async def test_a_store_that_is_away_is_waited_for(back: Return, autojump_clock: MockClock) -> None:
    """At the beginning, and when all is found."""
    await miss_three(back)
    back.memory.away = True
    async with back.running():
        await trio.sleep(30)
        back.memory.away = False

        def leave(call: object) -> None:
            back.memory.away = "conversation-0/messages/bulk" in str(call)

        back.genesys.before = leave
        await trio.sleep(30)
        assert back.memory.away
        assert back.memory.items == []
        back.memory.away = False
        await trio.sleep(60 + SECOND_LOOK_S)
    assert back.memory.items == ["agent:0", "agent:1", "agent:2"]
    assert back.is_done
    assert back.context.successes == [0, 0, 3, 0]


async def test_a_missing_permission_stops_no_webhook_and_says_what_to_do(
    back: Return, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """The actor runs on, its last error has the action, and once it is granted all is found."""
    await miss_three(back)
    genesys.denied = {"GET /api/v2/conversations/messages": VIEW}
    spec = make_spec(back)
    world = World(spec)
    async with world.running():
        for number in range(19):
            await trio.sleep(60)
            assert await deliver(spec, f"new {number}") is WebhookAnswer.ACCEPTED
            shown = world.actor(NAME)
            assert shown.state == "running"
            assert shown.last_error is not None
            assert VIEW in (shown.last_error.action or "")
            assert "RECONCILE_WINDOW=0" in (shown.last_error.action or "")
        assert len(genesys.calls) == 2
        genesys.denied = {}
        await trio.sleep(NOT_PERMITTED_S)
        assert back.memory.items[-3:] == ["agent:0", "agent:1", "agent:2"]
    assert back.is_done
    assert world.actor(NAME).restarts == 0


async def test_a_permission_that_is_never_granted_is_asked_for_until_the_window_has_passed(
    back: Return, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """Then nothing could be found any more."""
    await miss_three(back)
    genesys.denied = {"/api/v2/conversations/messages": VIEW}
    await back.run(2 * WINDOW_S)
    assert len(genesys.calls) == WINDOW_S / NOT_PERMITTED_S + 1
    assert back.is_done
    assert back.context.skips == {"conversation_given_up": 3}
    assert all(isinstance(one, PermissionMissing) for one in back.context.failures)
    (told,) = back.log.of("reconciling given up")
    assert VIEW in str(told.fields["action"])


async def test_a_permission_that_is_wanting_for_one_conversation_concerns_no_other(
    back: Return, autojump_clock: MockClock
) -> None:
    """It may be in a division that the client has no role for."""
    await miss_three(back)
    refusal = error(403, "missing.division.permission", f"following permission '{VIEW}' in")
    back.conversations.refused["conversation-1"] = refusal
    async with back.running():
        await trio.sleep(1)
        assert back.memory.items == ["agent:0", "agent:2"]
        await trio.sleep(NOT_PERMITTED_S)
        del back.conversations.refused["conversation-1"]
        await trio.sleep(NOT_PERMITTED_S + SECOND_LOOK_S)
    assert back.memory.items == ["agent:0", "agent:2", "agent:1"]
    assert back.is_done


async def test_one_that_is_refused_first_is_asked_about_last_the_next_time(
    back: Return, autojump_clock: MockClock
) -> None:
    """That the very first is refused may mean that all are."""
    await miss_three(back)
    back.conversations.refused["conversation-2"] = error(403, "missing.division.permission")
    async with back.running():
        await trio.sleep(NOT_PERMITTED_S - 1)
        assert back.memory.items == []
        await trio.sleep(2)
        assert back.memory.items == ["agent:0", "agent:1"]


@pytest.mark.parametrize("status", [403, 503])
async def test_a_further_gap_does_not_wait_for_what_is_left_of_the_first(
    back: Return, status: int, autojump_clock: MockClock
) -> None:
    """Although one conversation of the first is refused, or fails, for as long as it lasts."""
    await miss_three(back)
    back.conversations.refused["conversation-1"] = error(status, "no")
    async with back.running():
        await trio.sleep(60)
        back.write("second", "conversation-0", ago_s=0)
        back.gap.begin(virtual_wall_clock())
        await trio.sleep(30)
        await back.miss(30)
        back.gap.end(tell=True)
        await trio.sleep(30)
        assert set(back.memory.items) == {"agent:0", "agent:2", "agent:second"}
        back.conversations.refused.clear()
        await trio.sleep(NOT_PERMITTED_S + SECOND_LOOK_S)
    assert set(back.memory.items) == {"agent:0", "agent:1", "agent:2", "agent:second"}
    assert back.is_done


async def test_a_refused_login_stops_no_webhook(
    back: Return, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    """It is the senders that show it as their state: webhooks are taken in."""
    await miss_three(back)
    genesys.secret = "another"
    spec = make_spec(back)
    world = World(spec)
    async with world.running():
        await trio.sleep(NOT_PERMITTED_S / 2)
        assert await deliver(spec, "new") is WebhookAnswer.ACCEPTED
        shown = world.actor(NAME)
        assert shown.state == "running"
        assert shown.last_error is not None
        assert "GC_CC_CLIENT_SECRET" in (shown.last_error.action or "")
        genesys.secret = CLIENT_SECRET
        await trio.sleep(2 * NOT_PERMITTED_S)
    assert back.memory.items[-3:] == ["agent:0", "agent:1", "agent:2"]


async def test_who_is_deposed_records_nothing_and_waits_for_its_next_duty(
    back: Return, autojump_clock: MockClock
) -> None:
    """The one who leads now finds it all. That is no crash."""
    await miss_three(back)
    spec = make_spec(back)
    world = World(spec)
    async with world.running():

        def depose(call: object) -> None:
            back.memory.deposed = True
            back.duty.end()

        back.genesys.before = depose
        await trio.sleep(100)
        back.genesys.before = None
        assert back.memory.items == []
        assert world.actor(NAME).state == "running"
        back.memory.deposed = False
        back.duty.begin(float("inf"))
        await trio.sleep(1)
        assert back.memory.items == ["agent:0", "agent:1", "agent:2"]
    assert world.actor(NAME).restarts == 0


async def test_a_recording_that_comes_too_late_is_no_crash(
    back: Return, autojump_clock: MockClock
) -> None:
    """The store knows before the process that it does not lead any more."""
    await miss_three(back)
    back.memory.deposed = True
    async with back.running():
        await trio.sleep(10)
        assert 0 < len(back.context.failures) <= 11
        assert {type(one) for one in back.context.failures} == {Deposed}
        back.memory.deposed = False
        await trio.sleep(2)
        assert back.memory.items == ["agent:0", "agent:1", "agent:2"]


async def test_waiting_for_whatever_is_no_reason_to_be_called_stuck(
    back: Return, autojump_clock: MockClock
) -> None:
    """Neither off duty nor without a gap nor while the store is away."""
    back.duty.end()
    spec = make_spec(back)
    world = World(spec)
    async with world.running():
        await trio.sleep(1000)
        back.duty.begin(float("inf"))
        await trio.sleep(1000)
        back.memory.away = True
        await trio.sleep(1000)
        assert world.actor(NAME).state == "backing_off"
        back.memory.away = False
        await trio.sleep(1000)
        assert world.actor(NAME).state == "running"
    assert world.actor(NAME).restarts == 0


async def test_webhooks_that_were_refused_too_often_are_found_once_the_store_is_back(
    back: Return, autojump_clock: MockClock
) -> None:
    """Without any further webhook, and in this very process."""
    spec = make_spec(back)
    async with World(spec).running():
        await trio.sleep(100)
        back.write("m", "conversation-1", ago_s=0)
        back.memory.away = True
        for _ in range(6):
            assert await deliver(spec, "m") is WebhookAnswer.UNAVAILABLE
            await trio.sleep(5)
        back.memory.away = False
        await trio.sleep(70 + SECOND_LOOK_S)
        assert back.memory.items == ["agent:m"]
    assert back.is_done

"""Webhooks that wait together are recorded together, and none pays for another."""

from __future__ import annotations

import json

import trio
from trio.testing import MockClock

from actors.genesys.intake import Earlier, Intake
from actors.genesys.signature import make_signature
from actors.genesys.webhook_receiver import HOLD_S, WebhookAnswer, WebhookDelivery
from actors.items import make_agent_item
from actors.messages import AgentMessage
from actors.store import Record
from runtime.rate import Rate
from tests.genesys.webhook_desk import DID, SECRET, Desk, NothingBefore, make_body


def sign(**changes: object) -> WebhookDelivery:
    body = json.dumps(make_body(**changes)).encode()
    return WebhookDelivery(body, make_signature(body, SECRET))


def write(*message_ids: str) -> list[WebhookDelivery]:
    return [sign(id=message_id) for message_id in message_ids]


async def read(deliveries: list[WebhookDelivery]) -> list[WebhookAnswer]:
    return [await one.reply.wait(0.0, who="WebhookReceiver") for one in deliveries]


class SlowlyFound(NothingBefore):
    """A message of which something may have been missed before it, and takes its time to find."""

    def may_be_missed(self, message: AgentMessage) -> bool:
        return message.message_id.startswith("late")

    async def find(self, message: AgentMessage) -> Earlier:
        if message.message_id == "late":
            await trio.sleep(HOLD_S / 2)
        return Earlier()


class OneMissed(NothingBefore):
    """One message was missed before all others of the conversation."""

    def __init__(self) -> None:
        self.asked = 0

    def may_be_missed(self, message: AgentMessage) -> bool:
        return True

    async def find(self, message: AgentMessage) -> Earlier:
        self.asked += 1
        missed = AgentMessage("missed", "private", DID, "First", "2025-12-31T23:00:00.000Z")
        return Earlier((Intake((make_agent_item(missed),)),), message.conversation_id)


async def test_what_waits_together_is_recorded_in_one_step_and_in_its_order(desk: Desk) -> None:
    deliveries = write("c", "a", "b")
    await desk.receiver.handle_batch(deliveries)
    assert await read(deliveries) == [WebhookAnswer.ACCEPTED] * 3
    assert desk.memory.items == ["agent:c", "agent:a", "agent:b"]
    assert len([one for one in desk.memory.requests if isinstance(one, Record)]) == 1
    assert desk.context.handled == 3


async def test_what_comes_twice_at_once_takes_effect_once(desk: Desk) -> None:
    deliveries = write("a", "b", "a")
    await desk.receiver.handle_batch(deliveries)
    assert await read(deliveries) == [WebhookAnswer.ACCEPTED] * 3
    assert desk.memory.items == ["agent:a", "agent:b"]
    assert (desk.context.handled, desk.context.skips) == (2, {"duplicate": 1})


async def test_a_forged_one_is_refused_by_itself(desk: Desk) -> None:
    first, last = write("a", "b")
    forged = WebhookDelivery(first.body, last.signature)
    await desk.receiver.handle_batch([first, forged, last])
    assert await read([first, forged, last]) == [
        WebhookAnswer.ACCEPTED,
        WebhookAnswer.WRONG_SIGNATURE,
        WebhookAnswer.ACCEPTED,
    ]
    assert desk.memory.items == ["agent:a", "agent:b"]


async def test_one_that_cannot_be_used_is_kept_beside_the_others(desk: Desk) -> None:
    deliveries = [sign(id="a"), sign(type="Hologram"), sign(id="b")]
    await desk.receiver.handle_batch(deliveries)
    assert await read(deliveries) == [WebhookAnswer.ACCEPTED] * 3
    assert desk.memory.items == ["agent:a", "receipt:message-1", "agent:b"]
    assert list(desk.memory.letters) == ["webhook:message-1"]


async def test_the_rate_counts_what_is_recorded_together_once(autojump_clock: MockClock) -> None:
    desk = Desk(rate=Rate(1, 60.0))
    await desk.receiver.handle_batch(write("a", "b", "c"))
    assert trio.current_time() == 0.0
    await desk.receiver.handle_batch(write("d", "e"))
    assert trio.current_time() == 60.0


async def test_of_one_conversation_that_may_have_predecessors_the_order_is_kept(
    autojump_clock: MockClock,
) -> None:
    names = [f"late-{number}" for number in range(20)]
    desk = Desk(predecessors=SlowlyFound())
    await desk.receiver.handle_batch(write(*names))
    assert desk.memory.items == [f"agent:{name}" for name in names]


async def test_what_was_missed_goes_first_although_the_store_was_away(
    autojump_clock: MockClock,
) -> None:
    """And Genesys is asked once, however often the store is."""
    missed = OneMissed()
    desk = Desk(predecessors=missed)
    desk.memory.away = True
    deliveries = write("a", "b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.receiver.handle_batch, deliveries)
        await trio.sleep(HOLD_S / 2)
        assert desk.gap.may_hide("conversation-1")
        desk.memory.away = False
    assert await read(deliveries) == [WebhookAnswer.ACCEPTED] * 2
    assert desk.memory.items == ["agent:missed", "agent:a", "agent:b"]
    assert missed.asked == 1
    assert not desk.gap.may_hide("conversation-1")


async def test_what_has_no_effect_is_answered_although_the_store_is_away(
    desk: Desk, autojump_clock: MockClock
) -> None:
    desk.memory.away = True
    deliveries = [sign(type="Event", events=[{"eventType": "Typing"}]), *write("a")]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.receiver.handle_batch, deliveries)
        await trio.sleep(0.1)
        assert await read(deliveries[:1]) == [WebhookAnswer.ACCEPTED]
    assert await read(deliveries[1:]) == [WebhookAnswer.UNAVAILABLE]
    assert desk.context.skips == {"typing": 1}


async def test_only_one_whose_predecessors_are_looked_for_waits_for_them(
    autojump_clock: MockClock,
) -> None:
    desk = Desk(predecessors=SlowlyFound())
    deliveries = write("late", "a", "b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.receiver.handle_batch, deliveries)
        await trio.sleep(0.1)
        assert await read(deliveries[1:]) == [WebhookAnswer.ACCEPTED] * 2
    assert await read(deliveries[:1]) == [WebhookAnswer.ACCEPTED]
    assert desk.memory.items == ["agent:a", "agent:b", "agent:late"]


async def test_none_is_acknowledged_while_the_store_is_away(
    desk: Desk, autojump_clock: MockClock
) -> None:
    desk.memory.away = True
    deliveries = write("a", "b")
    await desk.receiver.handle_batch(deliveries)
    assert await read(deliveries) == [WebhookAnswer.UNAVAILABLE] * 2
    assert trio.current_time() == HOLD_S
    assert len(desk.context.failures) == 2
    assert desk.gap.is_open

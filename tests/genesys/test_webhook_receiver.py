"""What is authentic is recorded before it is acknowledged, once; nothing else takes effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.genesys.signature import make_signature
from actors.genesys.webhook_receiver import HOLD_S, WebhookAnswer, WebhookDelivery
from runtime.rate import Rate
from tests.genesys.webhook_desk import SECRET, Desk, make_body


async def test_the_same_delivery_again_is_accepted_and_takes_no_second_effect(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == ["agent:message-1"]
    assert desk.context.handled == 1
    assert desk.context.skips == {"duplicate": 2}


async def test_the_same_unusable_delivery_again_gets_one_receipt(desk: Desk) -> None:
    for _ in range(3):
        await desk.deliver(make_body(type="Structured"))
        await desk.deliver(make_body(text=""))
    assert desk.memory.items == ["receipt:message-1"]


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=ü", b"\xff", "short"])
async def test_nothing_happens_without_a_right_signature(
    desk: Desk, signature: str | bytes | None
) -> None:
    body = json.dumps(make_body()).encode()
    assert await desk.deliver_raw(body, signature) is WebhookAnswer.WRONG_SIGNATURE
    assert desk.memory.requests == []
    assert desk.context.skips == {"wrong_signature": 1}


async def test_a_body_changed_on_its_way_is_refused(desk: Desk) -> None:
    body = json.dumps(make_body()).encode()
    answer = await desk.deliver_raw(body + b" ", make_signature(body, SECRET))
    assert answer is WebhookAnswer.WRONG_SIGNATURE


async def test_the_old_secret_is_good_while_the_new_one_is_brought_in() -> None:
    desk = Desk(secrets=("new", SECRET))
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED


async def test_a_body_over_the_limit_is_not_even_read() -> None:
    desk = Desk(max_bytes=len(json.dumps(make_body()).encode()))
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert await desk.deliver(make_body(text="Hi, how can I help you?")) is WebhookAnswer.TOO_LARGE
    assert desk.context.skips == {"too_large": 1}
    assert len(desk.memory.requests) == 1


@pytest.mark.parametrize(
    "body", [make_body(), make_body(type="Structured"), make_body(text=""), {"broken": 1}]
)
async def test_nothing_is_acknowledged_that_could_not_be_recorded(
    desk: Desk, body: dict[str, Any], autojump_clock: MockClock
) -> None:
    desk.memory.away = True
    assert await desk.deliver(body) is WebhookAnswer.UNAVAILABLE
    assert trio.current_time() == HOLD_S
    assert len(desk.context.failures) == 1
    desk.memory.away = False
    assert await desk.deliver(body) is WebhookAnswer.ACCEPTED
    assert len(desk.memory.items) + len(desk.memory.letters) >= 1


async def test_a_short_outage_of_the_store_uses_up_none_of_the_deliveries(
    desk: Desk, autojump_clock: MockClock
) -> None:
    desk.memory.away = True
    async with trio.open_nursery() as nursery:

        async def come_back() -> None:
            await trio.sleep(HOLD_S - 1.0)
            desk.memory.away = False

        nursery.start_soon(come_back)
        assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == ["agent:message-1"]
    assert desk.context.failures == []


async def test_a_record_whose_answer_was_lost_takes_effect_once(
    desk: Desk, autojump_clock: MockClock
) -> None:
    desk.memory.lost_answers = 1
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == ["agent:message-1"]


async def test_strangers_do_not_use_up_the_rate_of_the_authentic(autojump_clock: MockClock) -> None:
    desk = Desk(rate=Rate(1, 60.0))
    for _ in range(10):
        await desk.deliver_raw(b"{}", "sha256=wrong")
    assert await desk.deliver(make_body()) is WebhookAnswer.ACCEPTED
    assert trio.current_time() == 0.0


async def test_a_cancelled_delivery_is_not_acknowledged(desk: Desk) -> None:
    body = json.dumps(make_body()).encode()
    delivery = WebhookDelivery(body, make_signature(body, SECRET))
    with trio.CancelScope() as scope:
        scope.cancel()
        await desk.receiver.handle_batch([delivery])
    assert scope.cancelled_caught
    with pytest.raises(Exception, match="did not answer"):
        await delivery.reply.wait(0.0, who="WebhookReceiver")


def test_what_an_agent_wrote_is_in_no_repr() -> None:
    assert "help" not in repr(WebhookDelivery(b"how can I help?", None))

"""What only a person can mend keeps its messages, and everything else goes on."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Done,
    InboundDirectMessage,
    InboundPost,
    Receipt,
    Retry,
)
from actors.store import Settle
from runtime.errors import AuthRejected
from tests.genesys.fake_platform import CLIENT_SECRET, error
from tests.genesys.sender_bench import KEEP_S, Bench, make_message, make_post, make_uri


async def test_a_revoked_token_costs_nothing_but_a_login(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1))
    await bench.send()
    bench.genesys.valid_tokens.clear()
    bench.add(make_post(2))
    await bench.send()
    assert set(bench.outcomes().values()) == {Done()}
    assert bench.genesys.logins == 2
    assert bench.genesys.ingested == {make_uri(1): 1, make_uri(2): 1}


async def test_wrong_credentials_keep_everything_and_do_not_log_in_in_a_loop(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.secret = "another"
    bench.add(*map(make_post, range(3)))
    bench.add(*map(make_message, range(20)))
    for _ in range(10):
        with pytest.raises((AuthRejected, ExceptionGroup)):
            await bench.send()
    assert bench.genesys.logins == 1
    assert len(bench.memory.entries) == 23
    assert all(entry.attempts == 0 for entry in bench.memory.entries.values())
    bench.genesys.secret = CLIENT_SECRET
    await trio.sleep(60)
    await bench.send()
    assert bench.memory.entries == {}


async def test_a_missing_permission_keeps_its_messages_and_lets_the_others_go(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.denied = {"messages/bulk": "socialmedia:message:receive"}
    bench.add(make_post(1), make_message(1), make_post(2), make_message(2))
    await bench.send()
    assert set(bench.outcomes()) == {"dm:convo-1:message-1", "dm:convo-2:message-2"}
    assert bench.context.back_offs == []
    (shown,) = bench.context.failures
    assert "socialmedia:message:receive" in (getattr(shown, "action", None) or "")
    bench.genesys.denied = {}
    await trio.sleep(60)
    await bench.send()
    assert bench.genesys.private == {"message-1": 1, "message-2": 1}
    assert bench.genesys.ingested == {make_uri(1): 1, make_uri(2): 1}
    assert bench.memory.entries == {}


@pytest.mark.parametrize(
    ("payload", "setting"),
    [(make_post(1), "GC_SOCIAL_RULE_ID"), (make_message(1), "GC_INTEGRATION_ID")],
)
async def test_a_wrong_id_in_the_settings_is_for_a_person_and_loses_no_message(
    bench: Bench,
    payload: InboundPost | InboundDirectMessage,
    setting: str,
    autojump_clock: MockClock,
) -> None:
    bench.genesys.faults = [error(404, "not.found")]
    bench.add(payload, Receipt("agent-1", "did:plc:9", "Delivered"))
    await bench.send()
    assert setting in (getattr(bench.closures.error, "action", None) or "")
    assert bench.outcomes() == {"receipt:agent-1": Done()}
    await trio.sleep(60)
    await bench.send()
    assert set(bench.outcomes().values()) == {Done()}
    assert bench.closures.error is None


async def test_what_is_refused_is_tried_about_once_a_minute_and_its_messages_wait_as_long(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.denied = {"open/message": "conversation:message:receive"}
    bench.add(*map(make_message, range(40)))
    await bench.send()
    assert len(bench.genesys.calls) == 1
    delays = [settled.after_s for settled in _find_retries(bench)]
    assert len(delays) == 40
    assert len(set(delays)) > 30
    assert all(30.0 <= delay <= 90.0 for delay in delays)
    for _ in range(120):
        await bench.send()
        await trio.sleep(5)
    assert 10 <= len(bench.genesys.calls) <= 21


async def test_what_waits_for_a_person_is_given_up_only_when_it_was_refused_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.denied = {"open/message": "conversation:message:receive"}
    bench.add(*map(make_message, range(5)))
    await trio.sleep(KEEP_S + 60)
    await bench.send()
    assert [getattr(one, "code", None) for one in bench.outcomes().values()] == ["Expired"]
    bench.genesys.denied = {}
    await trio.sleep(60)
    await bench.send()
    assert sum(bench.genesys.private.values()) == 4


def _find_retries(bench: Bench) -> list[Retry]:
    return [
        request.outcome
        for request in bench.memory.requests
        if isinstance(request, Settle) and isinstance(request.outcome, Retry)
    ]

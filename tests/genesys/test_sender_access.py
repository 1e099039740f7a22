"""What only a person can mend keeps its messages, and everything else goes on."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Done,
    InboundDirectMessage,
    InboundPost,
)
from runtime.errors import AuthRejected
from tests.genesys.fake_platform import CLIENT_SECRET, error
from tests.genesys.sender_bench import Bench, make_message, make_post, make_uri


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
    entries = bench.add(make_post(1), make_message(1), make_post(2), make_message(2))
    with pytest.raises(AuthRejected, match=r"missing\.permissions") as caught:
        await bench.send(entries)
    assert "socialmedia:message:receive" in (caught.value.action or "")
    assert set(bench.outcomes()) == {"dm:convo-1:message-1", "dm:convo-2:message-2"}
    bench.genesys.denied = {}
    await bench.send(entries)
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
    bench.add(payload)
    with pytest.raises(AuthRejected) as caught:
        await bench.send()
    assert setting in (caught.value.action or "")
    assert len(bench.memory.entries) == 1

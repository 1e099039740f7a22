"""Posts go together, each is ingested once, and one that is refused is found and set aside."""

from __future__ import annotations

import httpx
import pytest
from trio.testing import MockClock

from actors.genesys.delivery import PATIENCE
from actors.messages import (
    Done,
    Refused,
)
from tests.genesys.fake_platform import error
from tests.genesys.sender_bench import Bench, make_post, make_uri


async def test_a_batch_of_posts_is_one_request(bench: Bench, autojump_clock: MockClock) -> None:
    bench.add(*map(make_post, range(50)))
    await bench.send()
    assert bench.genesys.paths() == ["POST messages/bulk"]
    assert bench.genesys.ingested == {make_uri(number): 1 for number in range(50)}
    assert set(bench.outcomes().values()) == {Done()}
    assert bench.context.handled == 50
    assert bench.memory.entries == {}


async def test_no_request_is_larger_than_the_limit(bench: Bench, autojump_clock: MockClock) -> None:
    bench.batch_limit = 20
    bench.add(*map(make_post, range(50)))
    await bench.send()
    assert [len(call.body) for call in bench.genesys.calls] == [20, 20, 10]
    assert len(bench.genesys.ingested) == 50


@pytest.mark.parametrize("culprit", [0, 17, 49])
async def test_one_culprit_is_found_and_everybody_else_ingested_once_in_few_requests(
    bench: Bench, culprit: int, autojump_clock: MockClock
) -> None:
    bench.genesys.culprits = {make_uri(culprit)}
    bench.add(*map(make_post, range(50)))
    await bench.send()
    others = [number for number in range(50) if number != culprit]
    assert bench.genesys.ingested == {make_uri(number): 1 for number in others}
    assert len(bench.genesys.calls) <= 13
    outcomes = bench.outcomes()
    refused = outcomes.pop(f"post:{make_uri(culprit)}")
    assert isinstance(refused, Refused)
    assert refused.code == "invalid.value"
    assert "context-1" in refused.why
    assert set(outcomes.values()) == {Done()}
    assert len(bench.context.failures) == 1
    assert bench.context.back_offs == []


async def test_a_bulk_that_is_too_large_is_sent_in_halves(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(413, "request.entity.too.large")]
    bench.add(*map(make_post, range(10)))
    await bench.send()
    assert [len(call.body) for call in bench.genesys.calls] == [10, 5, 5]
    assert set(bench.outcomes().values()) == {Done()}


async def test_answers_are_matched_by_message_id_and_who_is_missing_is_sent_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """The platform names the others in another order than they were sent."""
    bench.genesys.silent = {make_uri(1)}
    bench.add(*map(make_post, range(3)))
    await bench.send()
    assert set(bench.outcomes()) == {f"post:{make_uri(0)}", f"post:{make_uri(2)}"}
    bench.genesys.silent = set()
    await bench.send()
    assert bench.outcomes()[f"post:{make_uri(1)}"] == Done()


@pytest.mark.parametrize("answer", [{}, {"entities": None}, {"entities": [{}, 7, {"channel": 1}]}])
async def test_an_answer_that_names_nobody_confirms_nobody_and_ends_as_a_dead_letter(
    bench: Bench, answer: dict[str, object], autojump_clock: MockClock
) -> None:
    bench.add(make_post(1))
    for _ in range(PATIENCE):
        bench.genesys.faults = [httpx.Response(202, json=answer)]
        await bench.send()
        assert bench.outcomes() == {}
    bench.genesys.faults = [httpx.Response(202, json=answer)]
    await bench.send()
    (outcome,) = bench.outcomes().values()
    assert isinstance(outcome, Refused)
    assert outcome.code == "NotConfirmed"


async def test_a_malformed_post_is_a_dead_letter_and_the_others_go(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.add(make_post(1), make_post(2, created_at="never"), make_post(3))
    await bench.send()
    assert bench.genesys.ingested == {make_uri(1): 1, make_uri(3): 1}
    refused = bench.outcomes()[f"post:{make_uri(2)}"]
    assert isinstance(refused, Refused)
    assert refused.code == "Malformed"


async def test_posts_that_failed_before_do_not_travel_with_new_ones(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.genesys.faults = [error(500, "internal.server.error")]
    bench.add(make_post(1), make_post(2))
    await bench.send()
    bench.add(make_post(3))
    await bench.send()
    assert [len(call.body) for call in bench.genesys.calls] == [2, 1, 2]
    assert bench.genesys.calls[1].body[0]["channel"]["messageId"] == make_uri(3)

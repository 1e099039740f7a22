"""Counts of reactions go together, and of those to one post only the newest goes at all."""

from __future__ import annotations

from trio.testing import MockClock

from actors.messages import Destination, Done, Refused, Retry
from actors.store import Settle, Value
from tests.genesys.fake_platform import error
from tests.genesys.sender_bench import KEEP_S, Bench, make_post, make_reactions, make_uri


async def test_counts_of_several_posts_are_one_request(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Reposts and quotes are summed as shares; posts go by themselves."""
    bench.add(make_reactions(1, 5), make_post(3), make_reactions(2, 0))
    await bench.send()
    assert sorted(bench.genesys.paths()) == ["POST messages/bulk", "POST reactions/bulk"]
    assert sorted(bench.genesys.reactions) == [
        (make_uri(1), {"Like": 5, "Share": 5}),
        (make_uri(2), {"Like": 0, "Share": 5}),
    ]
    assert set(bench.outcomes().values()) == {Done()}
    assert bench.memory.entries == {}
    assert bench.genesys.violations == []


async def test_counts_that_are_outdated_are_not_sent(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """What waited while Genesys was away is passed over, but for the newest."""
    bench.add(*(make_reactions(1, likes, likes) for likes in range(1, 6)))
    newest = make_reactions(1, 5).summary
    await bench.memory.store.save(Value("reactions", make_uri(1), newest))
    for _ in range(5):
        await bench.send()
    assert bench.genesys.reactions == [(make_uri(1), {"Like": 5, "Share": 5})]
    assert bench.context.skips == {"outdated_reactions": 4}
    assert bench.memory.entries == {}


async def test_counts_that_could_not_be_sent_for_long_are_dropped(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Where the permission is never given, they do not pile up, and are no dead letters."""
    bench.add(make_reactions(1))
    autojump_clock.jump(KEEP_S + 1)
    await bench.send()
    assert bench.genesys.calls == []
    assert set(bench.outcomes().values()) == {Done()}


async def test_without_the_permission_only_reactions_wait(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """The endpoint is closed, and the actor says what to mend."""
    bench.genesys.denied = {"reactions/bulk": "socialmedia:reaction:receive"}
    bench.add(make_reactions(1), make_post(1), make_reactions(2))
    await bench.send()
    assert bench.genesys.ingested == {make_uri(1): 1}
    assert list(bench.outcomes().values()) == [Done()]
    settled = [one for one in bench.memory.requests if isinstance(one, Settle)]
    assert [type(one.outcome) for one in settled].count(Retry) == 2
    assert bench.closures.error is not None
    assert "socialmedia:reaction:receive" in f"{bench.closures.error} {bench.closures.error.action}"
    await bench.send()
    assert bench.genesys.paths().count("POST reactions/bulk") == 1


async def test_one_count_that_is_refused_is_found(bench: Bench, autojump_clock: MockClock) -> None:
    """The others are taken."""
    bench.genesys.culprits = {make_uri(2)}
    bench.add(*map(make_reactions, range(4)))
    await bench.send()
    assert sorted(uri for uri, _ in bench.genesys.reactions) == [make_uri(n) for n in (0, 1, 3)]
    refused = [one for one in bench.outcomes().values() if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["invalid.value"]


async def test_while_genesys_is_in_trouble_counts_wait(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """They are sent afterwards, each once."""
    bench.genesys.faults = [error(503, "unavailable")]
    bench.add(make_reactions(1))
    await bench.send()
    assert bench.genesys.reactions == []
    await bench.send(bench.memory.deliverable(Destination.GENESYS_SENDER))
    assert len(bench.genesys.reactions) == 1


async def test_while_the_store_is_away_nothing_is_decided(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Whether there is a newer count is asked until there is an answer."""
    bench.add(make_reactions(1))
    bench.memory.lost_answers = 2
    await bench.send()
    assert len(bench.genesys.reactions) == 1
    assert len(bench.context.back_offs) == 2

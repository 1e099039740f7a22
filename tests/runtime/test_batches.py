"""Messages that are handled together, and actors that also run by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from trio.testing import MockClock

from runtime.actor import ActorSpec, Context
from runtime.errors import Retryable
from runtime.mailbox import Mailbox
from tests.runtime.scripted import GENEROUS, Graveyard, World, batching, post


class BatchHandler:
    """Handles batches; a batch with a culprit in it crashes."""

    def __init__(self, culprits: set[int], error: Exception | None = None) -> None:
        self.culprits = culprits
        self.error = error or ValueError("crash")
        self.batches: list[list[int]] = []
        self.handled: list[int] = []

    async def handle_batch(self, context: Context, messages: Sequence[int]) -> None:
        """Crash after a while, or finish after a while."""
        self.batches.append(list(messages))
        await trio.sleep(0.1)
        if self.culprits.intersection(messages):
            raise self.error
        self.handled += messages
        context.succeeded(len(messages))


async def test_what_waits_is_taken_together(autojump_clock: MockClock) -> None:
    """A batch is what waits, at most as many as the specification says, and never waited for."""
    handler = BatchHandler(set())
    spec = batching("A", handler.handle_batch, batch=4)
    world = World(spec)
    async with world.running():
        post(spec, *range(6))
        await trio.sleep(1)
        post(spec, 6)
        await trio.sleep(1)
        assert handler.batches == [[0, 1, 2, 3], [4, 5], [6]]


async def test_after_a_crash_the_culprit_of_a_batch_stands_alone(
    autojump_clock: MockClock,
) -> None:
    """The messages of a crashed batch come one by one; only the culprit is given up."""
    graveyard = Graveyard()
    handler = BatchHandler({2})
    spec = batching("A", handler.handle_batch, batch=4, on_poison=graveyard.bury)
    post(spec, *range(6))
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
        assert handler.batches[:4] == [[0, 1, 2, 3], [0], [1], [2]]
        assert handler.batches[-2:] == [[3], [4, 5]]
        assert graveyard.buried == [(2, 5, "ValueError")]
        assert handler.handled == [0, 1, 3, 4, 5]


async def test_a_batch_stays_whole_when_the_other_side_was_away(
    autojump_clock: MockClock,
) -> None:
    """Nobody is the culprit of an outage, so the batch is not taken apart."""
    handler = BatchHandler({1}, Retryable("away"))
    spec = batching("A", handler.handle_batch, batch=3)
    post(spec, 0, 1, 2)
    world = World(spec)
    async with world.running():
        await trio.sleep(0.5)
        handler.culprits.clear()
        await trio.sleep(10)
        assert handler.batches == [[0, 1, 2], [0, 1, 2]]


class Both:
    """An actor that runs by itself and handles batches, each for ever."""

    def __init__(self, context: Context, seen: list[str]) -> None:
        self._context = context
        self._seen = seen

    async def run(self) -> None:
        """Leave a mark, crash once, and idle."""
        self._seen.append("run")
        if self._seen.count("run") == 1:
            raise ValueError("once")
        await self._context.sleep(1000)

    async def handle_batch(self, messages: Sequence[str]) -> None:
        """Leave the messages as marks."""
        await trio.lowlevel.checkpoint()
        self._seen += messages


async def test_an_actor_may_run_and_handle(autojump_clock: MockClock) -> None:
    """Both parts are units of their own: the crash of one does not restart the other."""
    seen: list[str] = []
    mailbox = Mailbox[str]("A", 4)
    spec = ActorSpec[str](
        "A",
        lambda context: Both(context, seen),
        GENEROUS,
        mailbox=mailbox,
        concurrency=2,
        on_poison=Graveyard().bury,
    )
    world = World(spec)
    post(spec, "message")
    async with world.running():
        await trio.sleep(10)
        assert sorted(seen) == ["message", "run", "run"]
        units = {unit.name: unit.incarnation for unit in world.actor("A").units}
        assert units == {"worker-1": 1, "worker-2": 1, "run": 2}
        assert world.actor("A").concurrency == 2


async def test_what_comes_at_once_is_one_batch_however_many_workers_wait(
    autojump_clock: MockClock,
) -> None:
    """One of them waits for all; while it works, the next takes what comes then."""
    handler = BatchHandler(set())
    spec = batching("A", handler.handle_batch, batch=8, concurrency=4)
    async with World(spec).running():
        await trio.sleep(1)
        post(spec, *range(5))
        await trio.sleep(0.05)
        post(spec, 5, 6)
        await trio.sleep(1)
        assert handler.batches == [[0, 1, 2, 3, 4], [5, 6]]

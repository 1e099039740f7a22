"""What becomes of messages when the worker that has them crashes."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.actor import Context
from runtime.errors import AuthRejected, Retryable
from tests.runtime.scripted import Graveyard, World, handling, post, running


class Handler:
    """Handles in order; crashes on each of some messages as often as told."""

    def __init__(self, crashes: dict[int, int], error: Exception | None = None) -> None:
        self.crashes = dict(crashes)
        self.error = error or ValueError("crash")
        self.handled: list[int] = []
        self.seen: Counter[int] = Counter()

    async def handle(self, context: Context, message: int) -> None:
        """Crash after a while, or finish after a while."""
        self.seen[message] += 1
        await trio.sleep(0.1)
        if self.crashes.get(message, 0) > 0:
            self.crashes[message] -= 1
            raise self.error
        self.handled.append(message)
        context.succeeded()


async def test_the_message_in_hand_is_delivered_again(autojump_clock: MockClock) -> None:
    """I8: crashes on items 2 and 4 of 6 lose nothing, repeat nothing, keep the order."""
    handler = Handler({2: 1, 4: 1})
    spec = handling("A", handler.handle)
    post(spec, *range(6))
    world = World(spec)
    async with world.running():
        await trio.sleep(30)
        assert handler.handled == [0, 1, 2, 3, 4, 5]
        assert handler.seen == {0: 1, 1: 1, 2: 2, 3: 1, 4: 2, 5: 1}
        assert world.actor("A").restarts == 2


async def test_waiting_messages_survive_a_crash(autojump_clock: MockClock) -> None:
    """I7: a full mailbox is kept, and senders never see a broken channel."""
    handler = Handler({0: 3})
    spec = handling("A", handler.handle, capacity=2)
    mailbox = spec.mailbox
    assert mailbox is not None

    async def send_all(context: Context) -> None:
        for message in range(20):
            await mailbox.send(message)
        context.succeeded(20)
        await context.sleep(1000)

    world = World(spec, running("Sender", send_all, sends_to=("A",)))
    async with world.running():
        await wait_all_tasks_blocked()
        statistics = world.actor("A").mailbox
        assert statistics is not None
        assert (statistics.depth, statistics.waiting_senders) == (2, 1)
        await trio.sleep(60)
        assert handler.handled == list(range(20))
        assert world.actor("Sender").restarts == 0


async def test_a_producer_s_crash_does_not_end_its_consumer(autojump_clock: MockClock) -> None:
    """The mailbox has no owner that could close it by crashing."""
    handler = Handler({})
    spec = handling("A", handler.handle)

    async def produce(_: Context) -> None:
        await trio.lowlevel.checkpoint()
        post(spec, len(handler.handled))
        raise ValueError("after sending")

    world = World(spec, running("Producer", produce))
    async with world.running():
        await trio.sleep(100)
        assert world.log.starts("A") == [0.0]
        assert len(handler.handled) == len(world.log.starts("Producer")) > 3


@pytest.mark.parametrize("seed", range(10))
async def test_nothing_is_lost_whatever_crashes_when(seed: int, autojump_clock: MockClock) -> None:
    """I7, I8: three workers, random crashes and senders: every message is handled exactly once."""
    dice = random.Random(seed)  # noqa: S311
    handler = Handler({message: dice.choice((0, 0, 0, 1, 2)) for message in range(60)})
    spec = handling("A", handler.handle, capacity=3, concurrency=3)
    mailbox = spec.mailbox
    assert mailbox is not None

    async def send_all(context: Context) -> None:
        for message in range(60):
            await context.sleep(dice.random())
            await mailbox.send(message)
        await context.sleep(100_000)

    world = World(spec, running("Sender", send_all, deadline_s=10_000), seed=seed)
    async with world.running():
        await trio.sleep(1000)
        assert sorted(handler.handled) == list(range(60))


async def test_a_poisonous_message_ends_as_a_dead_letter(autojump_clock: MockClock) -> None:
    """I9: after five attempts it is given up once, with its error, and the next goes."""
    graveyard = Graveyard()
    handler = Handler({3: 99})
    spec = handling("A", handler.handle, on_poison=graveyard.bury)
    post(spec, *range(6))
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
        assert handler.handled == [0, 1, 2, 4, 5]
        assert handler.seen[3] == 5
        assert graveyard.buried == [(3, 5, "ValueError")]
        statistics = world.actor("A")
        assert (statistics.handled, statistics.failed, statistics.state) == (5, 1, "running")
        (event,) = world.log.of("message given up")
        assert event.fields["attempts"] == 5


async def test_a_message_that_cannot_be_given_up_is_kept(autojump_clock: MockClock) -> None:
    """I9: when the dead letters cannot be written, the message is tried again there, not lost."""
    graveyard = Graveyard([Retryable("store is away"), KeyError("defect"), Retryable("away")])
    handler = Handler({1: 99})
    spec = handling("A", handler.handle, on_poison=graveyard.bury)
    post(spec, 1, 2)
    world = World(spec)
    async with world.running():
        await trio.sleep(600)
        assert handler.seen[1] == 5
        assert graveyard.buried == [(1, 5, "ValueError")]
        assert handler.handled == [2]


async def test_giving_up_has_a_deadline_too(autojump_clock: MockClock) -> None:
    """I11: a dead-letter handler that hangs is cancelled, and tried again."""
    buried: list[tuple[object, int]] = []

    async def bury(message: object, attempts: int, error: Exception) -> None:
        if trio.current_time() < 100:
            await trio.sleep_forever()
        assert isinstance(error, ValueError)
        buried.append((message, attempts))

    handler = Handler({1: 99})
    spec = handling("A", handler.handle, on_poison=bury, deadline_s=10)
    post(spec, 1)
    world = World(spec)
    async with world.running():
        await trio.sleep(300)
        assert buried == [(1, 5)]


@pytest.mark.parametrize(
    "error", [Retryable("away"), AuthRejected("no", action="Mend it.")], ids=["away", "denied"]
)
async def test_what_is_not_its_fault_never_poisons_a_message(
    error: Exception, autojump_clock: MockClock
) -> None:
    """An outage or wrong credentials hold a message up for as long as they last; none is lost."""
    handler = Handler({1: 40}, error)
    spec = handling("A", handler.handle)
    post(spec, 1, 2)
    world = World(spec)
    async with world.running():
        await trio.sleep(5000)
        assert handler.seen[1] == 41
        assert handler.handled == [1, 2]
        assert world.actor("A").state == "running"


async def test_trouble_shows_while_the_message_is_tried_again(autojump_clock: MockClock) -> None:
    """A worker that failed with this very message is not well while it tries it again."""
    handler = Handler({1: 1})

    async def handle(context: Context, message: int) -> None:
        await context.sleep(200)
        await handler.handle(context, message)

    spec = handling("A", handle)
    post(spec, 1)
    world = World(spec)
    async with world.running():
        await trio.sleep(390)
        assert handler.seen == {1: 1}
        assert world.actor("A").state == "backing_off"
        await trio.sleep(20)
        assert handler.handled == [1]
        assert world.actor("A").state == "running"

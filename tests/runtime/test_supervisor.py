"""What a supervisor refuses to supervise, what it tells, and what it costs to ask."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import ActorSpec, Context
from runtime.errors import AuthRejected, Retryable
from runtime.mailbox import Mailbox
from tests.runtime.scripted import GENEROUS, Running, World, handling, idle, post, running


async def handle(_: Context, __: object) -> None:
    """Do nothing."""
    await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("specs", "why"),
    [
        ([running("A", idle), running("A", idle)], "two actors are called A"),
        ([running("A", idle, sends_to=("B",))], "A sends to B, which does not exist"),
        ([handling("A", handle, concurrency=0)], "A: .* must be positive"),
        ([running("A", idle, deadline_s=0)], "A: .* must be positive"),
        (
            [ActorSpec("A", lambda c: Running(c, idle), GENEROUS, Mailbox[int]("A", 1))],
            "A: with a mailbox it needs on_poison",
        ),
        (
            [
                running("A", idle, sends_to=("B",)),
                running("B", idle, sends_to=("C",)),
                running("C", idle, sends_to=("A",)),
            ],
            "wait on each other",
        ),
        ([running("A", idle, sends_to=("A",))], "A -> A"),
    ],
)
def test_what_cannot_work_is_refused_at_once(specs: Sequence[ActorSpec[object]], why: str) -> None:
    """I11: among others a circle of actors that wait on each other's mailboxes."""
    with pytest.raises(ValueError, match=why):
        World(*specs)


async def test_a_circle_is_told_in_the_direction_of_sending() -> None:
    """The message can be followed by whoever has to break the circle."""
    specs = [running("A", idle, sends_to=("B",)), running("B", idle, sends_to=("C",))]
    with pytest.raises(ValueError, match=r"A -> B -> C -> A|B -> C -> A -> B|C -> A -> B -> C"):
        World(*specs, running("C", idle, sends_to=("A",)))


async def test_every_transition_is_one_event_with_its_reason(autojump_clock: MockClock) -> None:
    """I15: actor, unit, incarnation, cause and delay, at a level that fits."""
    errors: list[Exception] = [
        Retryable("away"),
        ValueError("v"),
        AuthRejected("no", action="Mend it."),
    ]

    async def run(context: Context) -> None:
        await trio.lowlevel.checkpoint()
        if errors:
            raise errors.pop(0)
        await idle(context)

    world = World(running("A", run))
    async with world.running():
        await trio.sleep(300)
    told = [
        (event.level, event.name, event.fields["incarnation"], event.fields.get("cause"))
        for event in world.log.events
    ]
    assert told == [
        ("debug", "actor started", 1, None),
        ("warning", "actor backing off", 1, "Retryable"),
        ("info", "actor started", 2, None),
        ("error", "actor crashed", 2, "ValueError"),
        ("info", "actor started", 3, None),
        ("error", "actor failed", 3, "AuthRejected"),
        ("info", "actor started", 4, None),
        ("info", "actor recovered", 4, None),
        ("debug", "actor stopped", 4, None),
    ]
    assert all(event.fields["actor"] == "A" for event in world.log.events)
    assert all(event.fields["unit"] == "run" for event in world.log.events)
    retry, crash, failure = (event for event in world.log.events if "delay_s" in event.fields)
    assert retry.fields["why"] == "away"
    assert "trace" not in retry.fields
    assert "in run" in str(crash.fields["trace"])
    assert failure.fields["action"] == "Mend it."


async def test_statistics_are_had_without_waiting(autojump_clock: MockClock) -> None:
    """I14: before, during and after the run, in the order of the list, as a frozen snapshot."""
    spec = handling("B", handle)
    world = World(running("A", idle), spec)
    names = [(actor.name, actor.state) for actor in world.supervisor.statistics()]
    assert names == [("A", "starting"), ("B", "starting")]
    async with world.running():
        post(spec, 1, 2)
        before = world.actor("B")
        await trio.sleep(1)
        assert before.mailbox is not None
        assert before.mailbox.depth == 1
        assert hash(before.units)
    assert world.actor("A").state == "stopped"

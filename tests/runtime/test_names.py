"""Events of an actor name the messages that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import trio
from trio.testing import MockClock

from runtime.actor import Context
from runtime.errors import Retryable
from tests.runtime.scripted import Graveyard, World, batching, handling, post


def name(message: int) -> str:
    """As the house would name it."""
    return f"message {message}"


async def test_what_crashes_is_named_until_it_is_given_up(autojump_clock: MockClock) -> None:
    """Each crash, and the end of it, bear the name of the message in hand."""

    async def handle(context: Context, message: int) -> None:
        if message == 1:
            raise ValueError("crash")
        context.succeeded()

    spec = handling("A", handle, on_poison=Graveyard().bury, name_message=name)
    post(spec, 0, 1, 2)
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
    crashes = world.log.of("actor crashed")
    assert [event.fields["message"] for event in crashes] == ["message 1"] * 5
    (given_up,) = world.log.of("message given up")
    assert given_up.fields["message"] == "message 1"


async def test_all_that_is_in_hand_is_named(autojump_clock: MockClock) -> None:
    """A batch has several names; what is waited for inside of the work is named, too."""
    handled: list[int] = []

    async def handle(context: Context, messages: Sequence[int]) -> None:
        if not handled:
            await context.back_off(Retryable("away"))
        handled.extend(messages)
        context.succeeded(len(messages))

    spec = replace(batching("A", handle, batch=2), name_message=name)
    post(spec, 1, 2, 3)
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
    (event,) = world.log.of("actor backing off")
    assert event.fields["messages"] == ["message 1", "message 2"]


async def test_without_a_way_to_name_them_messages_have_no_name(autojump_clock: MockClock) -> None:
    """What is in a message is never guessed at."""

    async def handle(context: Context, message: int) -> None:
        if not world.log.of("actor crashed"):
            raise ValueError("crash")
        context.succeeded()

    spec = handling("A", handle)
    post(spec, 1)
    world = World(spec)
    async with world.running():
        await trio.sleep(200)
    (event,) = world.log.of("actor crashed")
    assert "message" not in event.fields

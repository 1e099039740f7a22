"""How long trouble is shown: no longer than its cause, whoever proves that it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from runtime.actor import ActorSpec, Context
from runtime.backoff import RestartPolicy
from runtime.errors import AuthRejected, Retryable
from runtime.mailbox import Mailbox
from tests.runtime.scripted import GENEROUS, Graveyard, World, handling, never_poison, post

GONE = Retryable("away", after_s=5)
DENIED = AuthRejected("wrong password", action="Make a new app password.")


async def settle_or_succeed(context: Context, message: object) -> None:
    """Settle an error by backing off, as a sender does; anything else succeeds."""
    await trio.lowlevel.checkpoint()
    if isinstance(message, Exception):
        await context.back_off(message)
        return
    context.succeeded()


async def test_a_sibling_s_success_ends_trouble_that_is_settled(autojump_clock: MockClock) -> None:
    """One worker backed off and has nothing to do: what others deliver shows that all is well."""
    spec = handling("A", settle_or_succeed, concurrency=3)
    post(spec, GONE)
    world = World(spec)
    async with world.running():
        await trio.sleep(6)
        assert world.actor("A").state == "backing_off"
        post(spec, "sent")
        await trio.sleep(0.1)
        assert world.actor("A").state == "running"
        recovered = world.log.of("actor recovered")
        assert len(recovered) == 1
        assert recovered[0].fields["unit"] == world.log.of("actor backing off")[0].fields["unit"]


@pytest.mark.parametrize(("error", "state"), [(GONE, "backing_off"), (DENIED, "failed")])
async def test_trouble_shows_while_a_unit_waits_and_no_longer(
    error: Exception, state: str, autojump_clock: MockClock
) -> None:
    """A success during the waiting does not end it; it is remembered until the waiting ends."""
    spec = handling("A", settle_or_succeed, concurrency=3)
    post(spec, error)
    world = World(spec)
    async with world.running():
        await trio.sleep(1)
        post(spec, "sent")
        await trio.sleep(0.1)
        assert world.actor("A").handled == 1
        left_s = max(unit.wait_s or 0.0 for unit in world.actor("A").units)
        assert left_s > 1
        await trio.sleep(left_s - 0.1)
        assert world.actor("A").state == state
        await trio.sleep(0.2)
        assert world.actor("A").state == "running"


async def test_an_earlier_success_proves_nothing(autojump_clock: MockClock) -> None:
    """What worked before the trouble does not end it."""
    spec = handling("A", settle_or_succeed, concurrency=3)
    post(spec, "sent", "sent", "sent")
    world = World(spec)
    async with world.running():
        await trio.sleep(1)
        post(spec, GONE)
        await trio.sleep(30)
        assert (world.actor("A").handled, world.actor("A").state) == (3, "backing_off")


async def test_a_message_that_still_fails_is_trouble_whatever_siblings_do(
    autojump_clock: MockClock,
) -> None:
    """A worker that retries what it has in hand is not running in between."""

    async def handle(context: Context, message: str) -> None:
        if message == "unlucky":
            await trio.sleep(2)
            if trio.current_time() < 100:
                raise Retryable("away")
        else:
            context.succeeded()

    spec = handling("A", handle, concurrency=2)
    post(spec, "unlucky")
    world = World(spec)
    async with world.running():
        await trio.sleep(2.5)
        while trio.current_time() < 99:
            post(spec, "sent")
            await trio.sleep(0.5)
            assert world.actor("A").state == "backing_off"
        await trio.sleep(100)
        assert world.actor("A").handled > 40
        assert world.actor("A").state == "running"
        assert len(world.log.of("actor recovered")) == 1


async def test_too_many_crashes_are_not_outshone_by_siblings(autojump_clock: MockClock) -> None:
    """I6: a success elsewhere does not mend a defect; quiet, or the unit's own success, does."""
    graveyard = Graveyard()

    async def handle(context: Context, message: str) -> None:
        await trio.lowlevel.checkpoint()
        if message == "bad":
            raise ValueError("always")
        context.succeeded()

    policy = RestartPolicy(poison_after=2, intensity=1)
    spec = handling("A", handle, concurrency=2, on_poison=graveyard.bury)
    post(spec, "bad")
    world = World(spec, policy=policy)
    async with world.running():
        await trio.sleep(62)
        assert len(graveyard.buried) == 1
        assert [unit.wait_s for unit in world.actor("A").units] == [None, None]
        assert world.actor("A").state == "failed"
        # The sibling is first in line, for it has waited at the mailbox for longer.
        post(spec, "sent")
        await trio.sleep(1)
        assert (world.actor("A").handled, world.actor("A").state) == (1, "failed")
        await trio.sleep(policy.healthy_after_s)
        assert world.actor("A").state == "running"


class Both:
    """Handles messages, and runs: there it fails as told and then never reports anything."""

    def __init__(self, context: Context, fail: Callable[[Context], Awaitable[None]]) -> None:
        self._context = context
        self._fail = fail

    async def handle(self, _: object) -> None:
        """Succeed."""
        await trio.lowlevel.checkpoint()
        self._context.succeeded()

    async def run(self) -> None:
        """Fail once, then be quiet."""
        if trio.current_time() == 0:
            await self._fail(self._context)
        await self._context.sleep(float("inf"))


async def raise_gone(_: Context) -> None:
    """Let the supervisor wait."""
    await trio.lowlevel.checkpoint()
    raise GONE


async def back_off_from_gone(context: Context) -> None:
    """Wait by itself."""
    await context.back_off(GONE)


@pytest.mark.parametrize("fail", [raise_gone, back_off_from_gone])
@pytest.mark.parametrize("during", [True, False])
async def test_workers_speak_for_the_run_beside_them(
    fail: Callable[[Context], Awaitable[None]], during: bool, autojump_clock: MockClock
) -> None:
    """The trouble of a ``run`` ends with their success, or with its waiting if that is later."""
    mailbox = Mailbox[Any]("A", 4)
    spec = ActorSpec[Any](
        "A", lambda context: Both(context, fail), GENEROUS, mailbox, on_poison=never_poison
    )
    world = World(spec)
    async with world.running():
        await trio.sleep(1 if during else 6)
        assert world.actor("A").state == "backing_off"
        post(spec, "sent")
        await trio.sleep(0.1)
        assert world.actor("A").state == ("backing_off" if during else "running")
        await trio.sleep(6)
        assert world.actor("A").state == "running"
        assert [event.fields["unit"] for event in world.log.of("actor recovered")] == ["run"]


async def test_another_actor_s_success_proves_nothing(autojump_clock: MockClock) -> None:
    """I1: only units of the same actor speak for each other."""
    spec, other = handling("A", settle_or_succeed), handling("B", settle_or_succeed)
    post(spec, GONE)
    world = World(spec, other)
    async with world.running():
        await trio.sleep(6)
        post(other, "sent")
        await trio.sleep(1)
        assert world.actor("B").handled == 1
        assert world.actor("A").state == "backing_off"

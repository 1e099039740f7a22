"""What is known of authors is asked for, and no message waits for it in vain."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.pacing import PacedBluesky
from actors.bluesky.profiles import CAPACITY, FRESH_FOR_S, PATIENCE_S, REST_S, Profiles
from actors.messages import InboundPost
from runtime.errors import AuthRejected, Fault, Malformed, Rejected, Retryable
from tests.bluesky.network import Network, profile
from tests.bluesky.test_notification_poller import World
from tests.support.context import FakeContext

PROFILES = "app.bsky.actor.getProfiles"


def detailed(name: str, followers: int) -> dict[str, Any]:
    """``app.bsky.actor.defs#profileViewDetailed``."""
    return {**profile(name), "followersCount": followers, "createdAt": "2025-01-01T00:00:00Z"}


class Asking:
    """A network that knows some accounts, and who asks it."""

    def __init__(self, count: int = 1) -> None:
        self.network = Network()
        self.dids = [f"did:plc:n{number}" for number in range(count)]
        for number, did in enumerate(self.dids):
            self.network.profiles[did] = detailed(f"n{number}", number)
        self.context = FakeContext("NotificationPoller")
        self.profiles = Profiles(PacedBluesky(self.network, self.context), self.context)

    async def find(self) -> dict[str, object]:
        found = await self.profiles.find(self.dids)
        return {did: view.followers_count for did, view in found.items()}


async def test_accounts_are_asked_for_together_and_once(autojump_clock: Clock) -> None:
    """25 at a time, at the actor's own rate; the answers are remembered for an hour."""
    asking = Asking(60)
    assert await asking.find() == {did: number for number, did in enumerate(asking.dids)}
    await asking.find()
    assert asking.network.count(PROFILES) == asking.context.acquired == 3
    await trio.sleep(FRESH_FOR_S)
    await asking.find()
    assert asking.network.count(PROFILES) == 6


async def test_an_account_that_is_gone_is_not_asked_for_again(autojump_clock: Clock) -> None:
    """It is left out of the answer."""
    asking = Asking(2)
    asking.network.profiles.pop(asking.dids[0])
    assert await asking.find() == await asking.find() == {asking.dids[1]: 1}
    assert asking.network.count(PROFILES) == 1


async def test_the_memory_is_bounded(autojump_clock: Clock) -> None:
    """What was learnt last is kept."""
    asking = Asking(CAPACITY + 25)
    for start in range(0, len(asking.dids), 500):
        await asking.profiles.find(asking.dids[start : start + 500])
    before = asking.network.count(PROFILES)
    await asking.profiles.find(asking.dids[-CAPACITY:])
    assert asking.network.count(PROFILES) == before
    assert await asking.profiles.find(asking.dids[:25])
    assert asking.network.count(PROFILES) == before + 1


@pytest.mark.parametrize(
    "fault",
    [Retryable("502"), Rejected("MethodNotImplemented", "no"), AuthRejected("x"), Malformed("x")],
)
async def test_a_failure_is_counted_and_holds_up_nothing(
    autojump_clock: Clock, fault: Fault
) -> None:
    """The post is recorded without what could not be learnt; for a while nothing is asked."""
    world = World()
    world.network.faults[PROFILES] = [fault]
    world.network.profiles["did:plc:alice"] = detailed("alice", 7)
    first = world.network.notify(-2)
    await world.poll_for(1)
    later = world.network.notify(0)
    await world.poll_for(1)
    assert world.uris == [first, later]
    assert world.context.failures == [fault]


async def test_after_a_failure_it_rests_and_then_asks_again(autojump_clock: Clock) -> None:
    """A service in trouble is not asked with every batch."""
    asking = Asking()
    asking.network.faults[PROFILES] = [Retryable("502")]
    assert await asking.find() == await asking.find() == {}
    assert asking.network.count(PROFILES) == 1
    await trio.sleep(REST_S)
    assert await asking.find() == {asking.dids[0]: 0}


async def test_a_service_that_hangs_is_given_up(autojump_clock: Clock) -> None:
    """A batch waits a few seconds for it at most."""

    class Hanging(Network):
        async def query(self, nsid: str, parameters: Any, *, chat: bool = False) -> Any:  # noqa: ANN401
            if nsid == PROFILES:
                await trio.sleep_forever()
            return await super().query(nsid, parameters, chat=chat)

    world = World()
    world.network = Hanging()
    uri = world.network.notify(-1)
    await world.poll_for(PATIENCE_S + 1)
    assert world.uris == [uri]
    (failure,) = world.context.failures
    assert "getProfiles" in str(failure)


async def test_what_is_known_goes_with_the_post(autojump_clock: Clock) -> None:
    """Followers and age reach the agent as flat texts."""
    world = World()
    world.network.profiles["did:plc:alice"] = detailed("alice", 1234)
    world.network.notify(-1)
    await world.poll_for(1)
    (post,) = [one for one in world.memory.payloads if isinstance(one, InboundPost)]
    assert post.metadata["authorFollowers"] == "1234"
    assert post.metadata["authorAgeDays"] == "364"

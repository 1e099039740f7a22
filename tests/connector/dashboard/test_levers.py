"""A lever does what it says, or nothing; and what a pause costs is made good."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio

from actors.dedup_store.opening import open_memory
from actors.genesys.gap import MISSED_SINCE
from actors.store import StoreUnavailable
from connector.dashboard.levers import MEANINGS, Levers
from connector.settings import ACTOR_FIELDS
from runtime.pause import Pauses
from sandbox.world import open_world
from tests.connector.connected import connect
from tests.connector.dashboard.test_served import TOKEN, pull
from tests.dedup_store.house import House
from tests.dedup_store.test_lease import AwayDatabase
from tests.support.silence import Silence


async def test_a_pause_that_cannot_be_kept_is_not_begun() -> None:
    """Else it would end with the process, and nobody had said so. DedupStore's needs no store."""
    house = House(away := AwayDatabase(open_memory()))
    pauses = Pauses()
    sender, store = pauses.make("BlueskySender"), pauses.make("DedupStore", kept=False)
    levers = Levers(pauses, house.store, house.clock, Silence())
    async with house.open(dispatcher=False):
        away.is_away = True
        with pytest.raises(StoreUnavailable):
            await levers.pause("BlueskySender")
        assert not sender.is_on
        await levers.pause("DedupStore")
        assert store.is_on
        await levers.resume("DedupStore")
        away.is_away = False
        await levers.pause("BlueskySender")
        assert (sender.is_on, store.is_on) == (True, False)
        with pytest.raises(LookupError, match="Nobody"):
            await levers.pause("Nobody")


async def test_since_when_webhooks_are_missed_is_kept_with_the_pause() -> None:
    """So that a process that starts later looks for them, too."""
    house, pauses = House(open_memory()), Pauses()
    pauses.make("WebhookReceiver")
    levers = Levers(pauses, house.store, house.clock, Silence())
    async with house.open(dispatcher=False):
        await levers.pause("WebhookReceiver")
        assert await house.store.read("cursor", MISSED_SINCE) == f"{house.clock.now:.6f}"


async def test_what_genesys_gave_up_in_a_pause_is_carried_afterwards(tmp_path: Path) -> None:
    """Nobody took its webhook, in one process and in the next; it is found, and answered for."""
    variables = {"ADMIN_TOKEN": TOKEN}
    async with open_world(random.SystemRandom(), retry_after_s=0.02) as world:
        async with connect(world, tmp_path, variables) as connected:
            conversation = await connected.conversation()
            await pull(connected, "WebhookReceiver", "pause")
            sent = world.genesys.agent_reply(conversation, "Patience.", public=True)
            await connected.first(lambda: [sent] if sent.status == "failed" else [])
        async with connect(world, tmp_path, variables) as connected:
            await connected.until("WebhookReceiver", lambda actor: actor["state"] == "paused")
            await trio.sleep(0.2)
            assert sent.receipt is None
            await pull(connected, "WebhookReceiver", "resume")
            assert await connected.concluded(sent) == "Delivered"


def test_the_page_says_of_every_actor_what_a_pause_means() -> None:
    """And asks before those that customers or agents feel."""
    names = {name.replace("_", "") for name in ACTOR_FIELDS} | {"livelistener"}
    assert {name.lower() for name in MEANINGS} == names
    asks = {name for name, meaning in MEANINGS.items() if meaning.asks}
    assert asks == {"GenesysSender", "BlueskySender", "WebhookReceiver", "DedupStore"}

"""What was taken in under other settings is not taken in again."""

from __future__ import annotations

import random
from pathlib import Path

from sandbox.world import open_world
from tests.connector.connected import connect


async def test_another_query_and_look_back_deliver_nothing_twice(tmp_path: Path) -> None:
    """The new query finds what the old one and the notifications found; only the rest is new."""
    async with open_world(random.SystemRandom()) as world:
        alice, network = world.customers[0], world.bluesky
        both = network.post(alice, "My acmephone is broken")
        listed = network.post(alice, f"@{world.brand.handle} is a broken acmephone repaired?")
        async with connect(world, tmp_path) as connected:
            await connected.arrives(both)
            await connected.arrives(listed)
        missed = network.post(alice, "My window is broken")
        settings = {"BLUESKY_SEARCH_QUERY": "broken", "START_LOOKBACK": "2d"}
        async with connect(world, tmp_path, settings) as connected:
            await connected.arrives(missed)
            await connected.until("SearchPoller", lambda actor: actor["last_success"] is not None)
        settings = {"BLUESKY_SEARCH_QUERY": "broken;acmephone", "START_LOOKBACK": "1s"}
        async with connect(world, tmp_path, settings) as connected:
            last = network.post(alice, "A broken acmephone again")
            await connected.arrives(last)
        posts = (both, listed, missed, last)
        assert [one.provider_message_id for one in world.genesys.ingested if one.repeat] == []
        assert sorted(one.provider_message_id for one in world.genesys.ingested) == sorted(
            post.uri for post in posts
        )

"""What the administrator decides about agents' messages reaches Bluesky."""

from __future__ import annotations

import random
from pathlib import Path

from sandbox.bluesky import records
from sandbox.world import open_world
from tests.connector.connected import connect

LONG = " ".join(f"Step {number}: press the button." for number in range(1, 20))


async def test_commands_numbers_and_languages_are_as_they_were_set(tmp_path: Path) -> None:
    """A command that is switched off is refused; the posts bear no numbers, and a language."""
    settings = {"AGENT_COMMANDS": "like", "SPLIT_NUMBERING": "off", "POST_LANGS": "de-CH"}
    async with open_world(random.SystemRandom()) as world:
        mention = world.bluesky.post(world.customers[0], f"Hello @{world.brand.handle}")
        async with connect(world, tmp_path, settings) as connected:
            conversation = world.genesys.conversations[
                (await connected.arrives(mention)).conversation_id
            ]
            sent = [
                world.genesys.agent_reply(conversation, text, public=True)
                for text in ("!repost", "!like", LONG)
            ]
            statuses = [await connected.concluded(one) for one in sent]
        assert statuses == ["Failed", "Delivered", "Delivered"]
        posts = [one.value for one in world.bluesky.records(world.brand, records.POST)]
        posts.sort(key=lambda post: str(post["createdAt"]))
        assert " ".join(post["text"] for post in posts) == LONG
        assert {tuple(post["langs"]) for post in posts} == {("de-CH",)}
        assert world.bluesky.records(world.brand, records.REPOST) == ()

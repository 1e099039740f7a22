"""What is followed, and what a reply answers, comes as complete as what is notified."""

from __future__ import annotations

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.attention import Attention
from actors.bluesky.noise import Noise
from actors.items import make_noise_id
from tests.bluesky.attentive import HOUR_S, Attentive
from tests.bluesky.network import profile

ATTENTION = Attention(ancestors=3, follow_s=48 * HOUR_S, follow_every_s=120.0)


def make_noise(*exclude: str, labels: tuple[str, ...] = ()) -> Noise:
    return Noise.make(langs=(), exclude=exclude, min_account_age_s=0.0, labels=labels)


async def test_followed_posts_and_context_say_who_wrote_them(autojump_clock: Clock) -> None:
    """Profiles are asked for them as for mentions."""
    world = Attentive(ATTENTION)
    for number, name in enumerate(("alice", "bob")):
        account = {**profile(name), "followersCount": 7 + number}
        world.network.profiles[f"did:plc:{name}"] = account
    above = world.network.post(-5 * HOUR_S, author="bob")
    asked = world.network.reply(-10, above)
    world.network.announce(asked, "mention")
    async with world.polling():
        world.network.reply(31, asked)
        await trio.sleep(300)
    followers = [(one.reason, one.metadata.get("authorFollowers")) for one in world.posts]
    assert followers == [("context", "8"), ("mention", "7"), ("reply", "7")]


@pytest.mark.parametrize("noise", [make_noise("@bob.test"), make_noise(labels=("spam",))])
async def test_noise_is_left_out_of_what_is_followed(autojump_clock: Clock, noise: Noise) -> None:
    """By account and by label; it is judged once and counted once."""
    world = Attentive(ATTENTION, noise=noise)
    asked = world.network.post(-10)
    world.network.announce(asked, "mention")
    async with world.polling():
        own = world.network.reply(31, asked, author="brand")
        bobs = world.network.reply(32, own, author="bob")
        bobs["labels"] = [{"src": "did:plc:labeler", "val": "spam"}]
        alices = world.network.reply(33, own)
        await trio.sleep(600)
    assert world.uris == [asked["uri"], alices["uri"]]
    assert world.memory.is_seen(make_noise_id(bobs["uri"]))
    reasons = ("excluded_account", "label")
    assert sum(world.context.skips.get(one, 0) for one in reasons) == 1


@pytest.mark.parametrize("left_out_before", [False, True])
async def test_noise_is_not_left_out_of_context(
    autojump_clock: Clock, *, left_out_before: bool
) -> None:
    """Nobody could understand what answers it, though it was a mention that nobody wanted."""
    world = Attentive(ATTENTION, noise=make_noise("@bob.test"))
    above = world.network.post(-0.5 * HOUR_S, author="bob")
    if left_out_before:
        world.network.announce(above, "mention")
        async with world.polling():
            assert world.uris == []
    asked = world.network.reply(-10, above)
    world.network.announce(asked, "mention")
    async with world.polling():
        pass
    assert world.uris == [above["uri"], asked["uri"]]

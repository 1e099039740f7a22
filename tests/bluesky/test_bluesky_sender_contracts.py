"""What BlueskySender asks and writes is what the official lexicons allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from atproto_client import models

from actors.bluesky.answering import Style
from actors.bluesky.planning import Rules
from actors.messages import AgentMessage
from runtime.errors import Effect, Rejected, Retryable
from tests.bluesky.scripted_bluesky import ALICE, BRAND, ROOT, view_post
from tests.bluesky.scripted_files import make_file
from tests.bluesky.sender_world import World, agent_message, image, private_message
from tests.contracts.lexicon import Lexicons

TEXT = "Hallo @alice.test, siehe https://example.com/hilfe oder #hilfe 👩‍👩‍👧. " * 9

OWN_ROOT = f"at://{BRAND}/app.bsky.feed.post/3ccccccccccc2"
REPLY = f"at://{ALICE}/app.bsky.feed.post/3ddddddddddd2"
STYLE = Style(numbered=True, languages=("de-CH", "en", "gsw"))
PAGE = "https://shop.example/"
WITH_IMAGES = agent_message("Look", attachments=(image(7, "A lamp"), image(8)))
WITH_CARD = agent_message(f"See {PAGE}")
QUOTE = agent_message(f"!quote {TEXT}")

RECORDS = [
    agent_message(TEXT),
    QUOTE,
    agent_message(f"!post {TEXT}"),
    agent_message("!like"),
    agent_message("!repost"),
    agent_message("!follow"),
    private_message("!block"),
    agent_message("!hide", reply_to_uri=REPLY),
    WITH_IMAGES,
    WITH_CARD,
]
MESSAGES = [
    *RECORDS,
    *(agent_message(f"!{word}") for word in ("unlike", "unfollow", "unblock", "mute", "unmute")),
    agent_message("!delete"),
    agent_message(f"!dm {TEXT * 3}"),
    private_message(TEXT * 3),
]
EMBEDS = {
    QUOTE.text: ["app.bsky.embed.record"],
    WITH_IMAGES.text: ["app.bsky.embed.images"],
    WITH_CARD.text: ["app.bsky.embed.external"],
}

READERS: dict[str, Any] = {
    "app.bsky.feed.like": models.AppBskyFeedLike.Record,
    "app.bsky.feed.repost": models.AppBskyFeedRepost.Record,
    "app.bsky.graph.follow": models.AppBskyGraphFollow.Record,
    "app.bsky.graph.block": models.AppBskyGraphBlock.Record,
    "app.bsky.feed.threadgate": models.AppBskyFeedThreadgate.Record,
}


@pytest.fixture(scope="session")
def lexicons(contracts_dir: Path) -> Lexicons:
    return Lexicons(contracts_dir / "lexicons")


async def send_with_trouble(message: AgentMessage) -> World:
    """Have every kind of call made: also those that come after a lost answer or a refusal."""
    world = World.make()
    world.rules = Rules(style=STYLE)
    world.bluesky.posts[REPLY] = view_post(REPLY, root=OWN_ROOT)
    for collection in ("app.bsky.feed.like", "app.bsky.graph.follow", "app.bsky.graph.block"):
        about = ROOT if collection.startswith("app.bsky.feed.") else ALICE
        if message.text.startswith("!un"):
            world.bluesky.repo[collection, "3lbyhand22222"] = {}
            world.keep(f"{collection}:{about}", f"at://{BRAND}/{collection}/3lbyhand22222")
    if message.text == "!delete":
        world.keep("posts:agent:66666666-7777-4888-8999-aaaaaaaaaaaa", '[["x", ["3lx"]]]')
    page = b"<title>Help</title><meta property=og:image content=/a.png>"
    world.files.contents = {PAGE: ("text/html", page), f"{PAGE}a.png": ("image/png", make_file(9))}
    lost = Retryable("lost", effect=Effect.UNKNOWN)
    world.bluesky.lost["com.atproto.repo.putRecord"] = [lost]
    world.bluesky.lost["chat.bsky.convo.sendMessage"] = [lost]
    await world.handle(message)
    return world


@pytest.mark.parametrize("message", MESSAGES)
async def test_every_request_and_record_follows_its_lexicon(
    autojump_clock: trio.abc.Clock, lexicons: Lexicons, message: AgentMessage
) -> None:
    """Parameters, bodies and records, with nothing in them that is not named there."""
    world = await send_with_trouble(message)
    for nsid, given in world.bluesky.calls:
        if lexicons.method(nsid)["type"] == "query":
            lexicons.check_params(nsid, given)
        elif nsid != "com.atproto.repo.uploadBlob":
            lexicons.check_input(nsid, given)
    for key in world.bluesky.commits:
        lexicons.check_record(key[0], world.bluesky.repo[key])
    written = [world.bluesky.repo[key] for key in world.bluesky.commits]
    embeds = [one["embed"]["$type"] for one in written if "embed" in one]
    assert embeds == EMBEDS.get(message.text, [])
    assert (message in RECORDS) == bool(world.bluesky.commits)
    assert world.receipt().status == "Delivered"


async def test_the_looks_after_a_refusal_follow_their_lexicons(
    autojump_clock: trio.abc.Clock, lexicons: Lexicons
) -> None:
    """A record that is there already, and a post that is not shown."""
    world = World.make()
    world.bluesky.trouble["com.atproto.repo.putRecord"] = [Rejected("InvalidSwap", "x")]
    await world.handle(agent_message())
    world.memory.entries.clear()
    world.bluesky.posts.clear()
    await world.handle(agent_message(message_id="second"))
    called = {nsid for nsid, _ in world.bluesky.calls}
    assert {"com.atproto.repo.getRecord", "app.bsky.actor.getProfiles"} <= called
    for nsid, given in world.bluesky.calls:
        if nsid != "com.atproto.repo.putRecord":
            lexicons.check_params(nsid, given)


@pytest.mark.parametrize("message", RECORDS)
async def test_records_are_read_by_a_library_of_others(
    autojump_clock: trio.abc.Clock, message: AgentMessage
) -> None:
    """The models of the atproto package, whose checks are its own."""
    world = await send_with_trouble(message)
    strict = {"strict_string_format": True}
    for (collection, _), written in world.bluesky.repo.items():
        if collection != "app.bsky.feed.post":
            reader = READERS[collection]
            read = reader.model_validate(written, context=strict)
            about = getattr(read, "subject", None) or read.post
            assert getattr(about, "uri", about) in (ROOT, ALICE, OWN_ROOT)
            continue
        post = models.AppBskyFeedPost.Record.model_validate(written, context=strict)
        assert (post.text, post.created_at) == (written["text"], written["createdAt"])
        assert post.langs == ["de-CH", "en", "gsw"]
        if message.text == TEXT:
            assert post.reply is not None
            assert post.reply.root.uri == ROOT
        shown = [written["text"].encode()[one.index.byte_start :] for one in post.facets or ()]
        assert {rest[:1] for rest in shown} <= {b"@", b"h", b"#"}
        assert bool(shown) == (message != WITH_IMAGES)

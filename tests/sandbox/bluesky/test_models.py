"""The answers are understood by the models of the public Python client."""

from __future__ import annotations

from typing import Any

import pytest
from atproto_client import models
from atproto_client.models.utils import get_or_create

from sandbox.bluesky import Account, BlueskyNetwork, Image
from tests.sandbox.bluesky.client import Session

CONVO = "chat.bsky.convo."
STRICT = {"strict_string_format": True}


def parse(answer: dict[str, Any], model: type[Any]) -> Any:  # noqa: ANN401
    """The answer as the client's model, which raises for what it cannot read."""
    parsed = get_or_create(answer, model)
    assert isinstance(parsed, model)
    return model.model_validate(answer, context=STRICT)


@pytest.fixture
def mention(network: BlueskyNetwork, alice: Account, bob: Account, brand: Account) -> str:
    """A mention with a picture in a thread, liked and quoted; its uri."""
    own = network.post(brand, "ours")
    image = Image(b"picture", alt="a picture")
    post = network.post(alice, "@brand.test look #tag", reply_to=own, images=[image])
    network.like(bob, post)
    network.post(bob, "and this", quote=post)
    network.direct_messages.send(alice, brand, "https://example.com?")
    return post.uri


async def test_notifications_and_posts(session: Session, mention: str) -> None:
    """Reason, record, facets, embeds."""
    nsid = "app.bsky.notification.listNotifications"
    listed = parse(await session.get(nsid), models.AppBskyNotificationListNotifications.Response)
    (line,) = [one for one in listed.notifications if one.uri == mention]
    assert line.reason == "mention"
    assert isinstance(line.record, models.AppBskyFeedPost.Record)
    (tag, handle) = sorted(line.record.facets or [], key=lambda one: -one.index.byte_start)
    assert isinstance(handle.features[0], models.AppBskyRichtextFacet.Mention)
    assert isinstance(tag.features[0], models.AppBskyRichtextFacet.Tag)
    posts = await session.get("app.bsky.feed.getPosts", uris=[mention])
    (post,) = parse(posts, models.AppBskyFeedGetPosts.Response).posts
    assert isinstance(post.embed, models.AppBskyEmbedImages.View)


async def test_threads_and_search(session: Session, mention: str) -> None:
    """Parents and quotes."""
    answer = await session.get("app.bsky.feed.getPostThread", uri=mention)
    thread = parse(answer, models.AppBskyFeedGetPostThread.Response).thread
    assert isinstance(thread.parent, models.AppBskyFeedDefs.ThreadViewPost)
    answer = await session.get("app.bsky.feed.searchPosts", q="and this")
    (post,) = parse(answer, models.AppBskyFeedSearchPosts.Response).posts
    assert isinstance(post.embed, models.AppBskyEmbedRecord.View)


async def test_conversations(session: Session, mention: str) -> None:
    """The log, conversations and messages."""
    log = await session.get(f"{CONVO}getLog", cursor="2")
    events = parse(log, models.ChatBskyConvoGetLog.Response).logs
    assert isinstance(events[-1], models.ChatBskyConvoDefs.LogCreateMessage)
    answer = await session.get(f"{CONVO}listConvos")
    (convo,) = parse(answer, models.ChatBskyConvoListConvos.Response).convos
    answer = await session.get(f"{CONVO}getMessages", convoId=convo.id)
    (message,) = parse(answer, models.ChatBskyConvoGetMessages.Response).messages
    assert message.text == "https://example.com?"


async def test_writes_and_sessions(session: Session) -> None:
    """What a write answers, and who one is."""
    written = await session.create({"text": "hi", "createdAt": "2026-01-01T00:00:00.000Z"})
    assert parse(written, models.ComAtprotoRepoCreateRecord.Response).validation_status == "valid"
    who = await session.get("com.atproto.server.getSession")
    assert parse(who, models.ComAtprotoServerGetSession.Response).did == session.did

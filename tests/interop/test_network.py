"""The real network behaves as the interop tests take for granted."""

from __future__ import annotations

import pytest

from tests.interop.net import Net
from tests.interop.session import Json, XrpcError

pytestmark = pytest.mark.interop


async def test_a_mention_reaches_the_brands_notifications(net: Net) -> None:
    """What a customer posts is indexed, and listed as a mention by its author and URI."""
    alice, brand = await net.log_in("alice"), await net.log_in("brand")
    post = await alice.post("hello @brand.test")

    async def find() -> Json | None:
        listed = await brand.list_notifications()
        return next((item for item in listed if item["uri"] == post.uri), None)

    notification = await net.wait_for(find, "the mention among the brand's notifications")
    assert notification["reason"] == "mention"
    assert notification["author"]["handle"] == "alice.test"
    assert notification["record"]["text"] == "hello @brand.test"


async def test_a_reply_shows_in_the_thread(net: Net) -> None:
    """The AppView threads a reply below the post that it answers."""
    alice, brand = await net.log_in("alice"), await net.log_in("brand")
    post = await alice.post("is anybody there?")
    reply = await brand.post("we are", reply_to=post)
    await net.wait_indexed()
    thread = await net.get_thread(post.uri)
    assert [below["post"]["uri"] for below in thread["replies"]] == [reply.uri]


async def test_a_direct_message_arrives(net: Net) -> None:
    """A message that a customer writes is in the conversation as the brand sees it."""
    alice, brand = await net.log_in("alice"), await net.log_in("brand")
    await alice.send_message(brand.did, "psst")
    messages = await brand.list_messages(alice.did)
    assert [(message["sender"]["did"], message["text"]) for message in messages] == [
        (alice.did, "psst")
    ]


async def test_the_front_misbehaves_once_and_keeps_a_log(net: Net) -> None:
    """A fault strikes one call that goes through the front; both calls are on record."""
    session = net.open_session(net.service_url)
    await net.add_fault("describeServer", "status", status=503)
    with pytest.raises(XrpcError, match="503"):
        await session.get("com.atproto.server.describeServer")
    await session.get("com.atproto.server.describeServer")
    calls = await net.list_calls("describeServer")
    assert [call["status"] for call in calls] == [503, 200]

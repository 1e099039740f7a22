"""Direct messages: the stand-in of the network and the sandbox agree on what is known."""

from __future__ import annotations

import pytest

from sandbox.bluesky.accounts import AllowIncoming
from tests.interop.places import Place, refused


async def test_the_log_starts_now_and_goes_on_from_its_cursor(place: Place) -> None:
    """Without a cursor there is nothing but one; with it come all messages, one's own too."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    await alice.send_message(brand.did, "before")
    start = await brand.get("chat.bsky.convo.getLog")
    assert start["logs"] == []
    await alice.send_message(brand.did, "hello")
    await brand.send_message(alice.did, "good day")
    log = await brand.get("chat.bsky.convo.getLog", cursor=start["cursor"])
    created = "chat.bsky.convo.defs#logCreateMessage"
    messages = [item["message"] for item in log["logs"] if item["$type"] == created]
    assert [(message["sender"]["did"], message["text"]) for message in messages] == [
        (alice.did, "hello"),
        (brand.did, "good day"),
    ]
    assert all("handle" not in message["sender"] for message in messages)
    after = await brand.get("chat.bsky.convo.getLog", cursor=log["cursor"])
    assert (after["logs"], after["cursor"]) == ([], log["cursor"])


async def test_a_strangers_message_is_a_request_until_it_is_answered(place: Place) -> None:
    """Requests are listed with the rest; an answer accepts."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    await alice.send_message(brand.did, "hello")

    async def read_status() -> list[tuple[str, str]]:
        answer = await brand.get("chat.bsky.convo.listConvos")
        return [(convo["status"], convo["lastMessage"]["text"]) for convo in answer["convos"]]

    assert await read_status() == [("request", "hello")]
    await brand.send_message(alice.did, "good day")
    assert await read_status() == [("accepted", "good day")]


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ("none", "recipient has disabled incoming messages"),
        (
            "following",
            "recipient requires incoming messages to come from someone they follow",
        ),
    ],
)
async def test_closed_messages_are_refused_with_the_reason(
    place: Place, allowed: AllowIncoming, said: str
) -> None:
    """400, and the message says why; the name of the error may differ."""
    alice = await place.make_account("alice", allowed)
    brand = await place.make_account("brand")
    status, error, message = await refused(brand.send_message(alice.did, "hello"))
    assert (status, message) == (400, said)
    assert error in ("MessagesDisabled", "NotFollowedBySender", "InvalidRequest")


async def test_a_block_between_two_is_told(place: Place) -> None:
    """Neither writes to the other."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    await alice.block(brand.did)
    await place.settle()
    status, _, message = await refused(brand.send_message(alice.did, "hello"))
    assert (status, message) == (400, "block between recipient and sender")


async def test_a_message_that_is_too_long_is_refused(place: Place) -> None:
    """1000 graphemes are the most."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    await brand.send_message(alice.did, "x" * 1000)
    refusal = await refused(brand.send_message(alice.did, "x" * 1001))
    assert refusal[:2] == (400, "InvalidRequest")


async def test_a_message_has_no_key(place: Place) -> None:
    """Sent twice, it is there twice."""
    alice, brand = await place.make_account("alice"), await place.make_account("brand")
    for _ in range(2):
        await brand.send_message(alice.did, "sorry")
    assert [message["text"] for message in await alice.list_messages(brand.did)] == ["sorry"] * 2


async def test_chat_needs_its_header(place: Place) -> None:
    """Without ``atproto-proxy`` there is no such method."""
    brand = await place.make_account("brand")
    log = "chat.bsky.convo.getLog"
    plain = brand.send("GET", log, headers={"atproto-proxy": ""})
    assert (await refused(plain))[:2] == (501, "MethodNotImplemented")

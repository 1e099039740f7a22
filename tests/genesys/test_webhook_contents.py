"""Each kind of body that Genesys delivers is read for what it is, and none is dropped silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.genesys.webhook_receiver import WebhookAnswer
from actors.messages import AgentMessage, Attachment, Receipt
from tests.genesys.webhook_desk import DID, POST, Desk, make_body


def read_sample(contracts_dir: Path, name: str) -> bytes:
    return (contracts_dir / "samples" / f"outbound-{name}.json").read_bytes()


async def test_a_private_text_is_recorded_as_an_agent_message(
    desk: Desk, contracts_dir: Path
) -> None:
    assert await desk.deliver(read_sample(contracts_dir, "private-text")) is WebhookAnswer.ACCEPTED
    assert desk.only_payload() == AgentMessage(
        message_id="8a1f0c7be2d94b1f9a55e7d2c3f60b11",
        channel="private",
        recipient_did=DID,
        text="Hi, how can I help?",
        sent_at="2026-06-10T21:03:05.427Z",
        conversation_id="55555555-6666-4777-8888-999999999999",
    )
    assert desk.memory.items == ["agent:8a1f0c7be2d94b1f9a55e7d2c3f60b11"]
    assert desk.context.handled == 1


async def test_a_public_reply_names_the_post_that_it_answers(
    desk: Desk, contracts_dir: Path
) -> None:
    await desk.deliver(read_sample(contracts_dir, "public-reply"))
    assert desk.only_payload() == AgentMessage(
        message_id="0b2e6d0a4c3f4f0bb1d5a8f39e7c6d22",
        channel="public",
        recipient_did=DID,
        text="Thanks for telling us. Could you send a DM to @mycompany.bsky.social?",
        sent_at="2026-06-10T21:04:11.012Z",
        conversation_id="66666666-7777-4888-8999-aaaaaaaaaaaa",
        reply_to_uri=POST,
        root_uri=POST,
    )


async def test_a_picture_without_text_is_a_message(desk: Desk, contracts_dir: Path) -> None:
    await desk.deliver(read_sample(contracts_dir, "image"))
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert (message.text, message.reply_to_uri) == ("", POST)
    assert message.attachments == (
        Attachment(
            media_type="Image",
            url="https://api.mypurecloud.com/api/v2/downloads/9f0b",
            mime="image/png",
            filename="invoice.png",
        ),
    )


async def test_typing_is_acknowledged_counted_and_nothing_else(
    desk: Desk, contracts_dir: Path
) -> None:
    assert await desk.deliver(read_sample(contracts_dir, "typing")) is WebhookAnswer.ACCEPTED
    assert desk.context.skips == {"typing": 1}
    assert desk.memory.requests == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (make_body(type="Receipt", status="Delivered"), "receipt"),
        (make_body(type="Event", events=[{"eventType": "Presence"}]), "event"),
        (make_body(type="Event"), "event"),
        (make_body(type="Event", events=[{"eventType": "Typing"}, "?"]), "event"),
        (make_body(direction="Inbound"), "inbound_echo"),
    ],
)
async def test_events_receipts_and_echoes_are_acknowledged_and_counted(
    desk: Desk, body: dict[str, Any], reason: str
) -> None:
    assert await desk.deliver(body) is WebhookAnswer.ACCEPTED
    assert desk.context.skips == {reason: 1}
    assert desk.memory.requests == []


async def test_the_agent_is_told_that_buttons_do_not_go_out(desk: Desk) -> None:
    content = [{"contentType": "QuickReply", "quickReply": {"text": "Yes", "payload": "y"}}]
    assert await desk.deliver(make_body(type="Structured", content=content)) is (
        WebhookAnswer.ACCEPTED
    )
    receipt = desk.only_payload()
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.code) == ("Failed", "UnsupportedMessage")
    assert desk.context.skips == {"structured": 1}
    assert desk.memory.letters == {}


@pytest.mark.parametrize(
    ("changes", "reason", "code"),
    [
        ({"type": "Hologram"}, "unknown_type", "UnsupportedMessage"),
        ({"type": None}, "unknown_type", "UnsupportedMessage"),
        ({"type": 7}, "unknown_type", "UnsupportedMessage"),
        ({"text": ""}, "empty", "InvalidMessageStructure"),
        ({"text": " \n"}, "empty", "InvalidMessageStructure"),
        ({"text": None, "content": []}, "empty", "InvalidMessageStructure"),
        ({"text": {"nested": 1}}, "malformed", "InvalidMessageStructure"),
        ({"content": [{"contentType": "Card"}]}, "malformed", "UnsupportedMessage"),
        (
            {"content": [{"contentType": "Attachment", "attachment": {"mediaType": "Hologram"}}]},
            "malformed",
            "MediaTypeNotAllowed",
        ),
        (
            {"content": [{"contentType": "Attachment", "attachment": {"mediaType": "Image"}}]},
            "malformed",
            "InvalidMessageStructure",
        ),
        ({"channel": {"type": "Secret", "to": {"id": DID}}}, "malformed", None),
        ({"channel": {"type": "Public", "to": {"id": DID}}}, "no_target", "InvalidDestination"),
    ],
)
async def test_authentic_but_unusable_is_accepted_kept_and_told(
    desk: Desk, changes: dict[str, Any], reason: str, code: str | None
) -> None:
    assert await desk.deliver(make_body(**changes)) is WebhookAnswer.ACCEPTED
    receipt = desk.only_payload()
    assert isinstance(receipt, Receipt)
    assert (receipt.message_id, receipt.recipient_did) == ("message-1", DID)
    assert (receipt.status, receipt.code) == ("Failed", code or "InvalidMessageStructure")
    assert receipt.sentence
    assert desk.context.skips == {reason: 1}
    (letter,) = desk.memory.letters.values()
    assert (letter.code, letter.source) == (reason, "WebhookReceiver")
    assert json.loads(letter.payload) == make_body(**changes)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (make_body(channel={"type": "Private", "messageId": "m"}), "no_recipient"),
        ({"type": "Text", "channel": {"type": "Private", "to": {"id": DID}}}, "no_id"),
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[" * 9_000, "too_deep"),
        (b'{"id": "m", "id": "n"}', "duplicate_key"),
        (b'{"a": NaN}', "not_finite"),
        (b"[]", "not_an_object"),
        (b"7", "not_an_object"),
    ],
)
async def test_what_nobody_can_be_told_of_is_kept_as_a_dead_letter(
    desk: Desk, body: dict[str, Any] | bytes, reason: str
) -> None:
    assert await desk.deliver(body) is WebhookAnswer.ACCEPTED
    assert desk.memory.items == []
    assert [letter.code for letter in desk.memory.letters.values()] == [reason]
    assert desk.context.skips == {reason: 1}


async def test_two_different_broken_bodies_are_two_dead_letters(desk: Desk) -> None:
    for body in (b"{", b"{", b"}"):
        await desk.deliver(body)
    assert len(desk.memory.letters) == 2


@pytest.mark.parametrize("target", ["replyToId", "inReplyToMessageId", "rootId"])
async def test_the_post_that_is_answered_is_found_wherever_it_stands(
    desk: Desk, target: str
) -> None:
    channel: dict[str, Any] = {"type": "Public", "to": {"id": DID}}
    metadata = {"rootId": POST + "root"}
    if target == "replyToId":
        metadata["replyToId"] = POST
    if target in ("replyToId", "inReplyToMessageId"):
        channel["inReplyToMessageId"] = POST if target == "inReplyToMessageId" else "another"
    channel["publicMetadata"] = metadata
    await desk.deliver(make_body(channel=channel))
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert message.reply_to_uri == (POST + "root" if target == "rootId" else POST)
    assert message.root_uri == POST + "root"


async def test_a_public_reply_without_recipient_is_for_the_author_of_the_post(desk: Desk) -> None:
    channel = {"type": "Public", "publicMetadata": {"replyToId": POST}}
    await desk.deliver(make_body(channel=channel))
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert message.recipient_did == DID


@pytest.mark.parametrize("target", ["replyToId", "inReplyToMessageId", "rootId"])
async def test_without_recipient_it_is_for_the_author_of_whatever_is_answered(
    desk: Desk, target: str
) -> None:
    channel: dict[str, Any] = {"type": "Public", "publicMetadata": {target: POST}}
    if target == "inReplyToMessageId":
        other = "at://did:plc:root/app.bsky.feed.post/1"
        channel = {"type": "Public", target: POST, "publicMetadata": {"rootId": other}}
    await desk.deliver(make_body(channel=channel))
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert (message.recipient_did, message.reply_to_uri) == (DID, POST)


async def test_a_private_message_is_for_nobody_but_its_recipient(desk: Desk) -> None:
    channel = {"type": "Private", "publicMetadata": {"rootId": POST}}
    await desk.deliver(make_body(channel=channel))
    assert desk.context.skips == {"no_recipient": 1}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"Hi \ud83d there", "Hi \ufffd there"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
        (rb"C:\\ud83d \ud83d", "C:\\ud83d \ufffd"),
        (b"Hi \xff", "Hi \ufffd"),
    ],
)
async def test_a_broken_character_costs_the_character_and_not_the_message(
    desk: Desk, written: bytes, text: str
) -> None:
    body = json.dumps(make_body(text="TEXT")).encode().replace(b"TEXT", written)
    await desk.deliver(body)
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert message.text == text
    assert desk.memory.letters == {}


async def test_a_broken_character_does_not_keep_the_agent_from_being_told(desk: Desk) -> None:
    body = make_body(type="Structured", text="\ud83d")
    await desk.deliver(body)
    receipt = desk.only_payload()
    assert isinstance(receipt, Receipt)
    assert receipt.code == "UnsupportedMessage"


@pytest.mark.parametrize("sent_at", [None, "yesterday", "2026-06-10T21:03:05", 7])
async def test_a_message_that_does_not_say_when_was_sent_now(desk: Desk, sent_at: object) -> None:
    channel = {"type": "Private", "to": {"id": DID}, "time": sent_at}
    if isinstance(sent_at, int):
        channel.pop("time")
    await desk.deliver(make_body(channel=channel))
    message = desk.only_payload()
    assert isinstance(message, AgentMessage)
    assert message.sent_at == "2026-01-01T00:00:00.000Z"

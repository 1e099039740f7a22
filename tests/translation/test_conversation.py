"""What Genesys tells of a conversation is read as far as it can be, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import AgentMessage, Json
from actors.translation.conversation import (
    PendingMessage,
    is_concluded,
    list_pending,
    make_webhook_body,
)
from actors.translation.webhook import Unusable, WebhookContent, read_webhook
from runtime.errors import Malformed

RECEIVED_AT = "2026-01-01T00:00:00.000Z"

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def read(message: Json, visibility: str | None = None) -> WebhookContent:
    """What becomes of a message of the conversation ``c``."""
    return read_webhook(make_webhook_body(message, "c", visibility), RECEIVED_AT)


def make_data(body: dict[str, Any]) -> dict[str, Any]:
    """The same message as those who ask are told of it: the conversation is named beside it."""
    normalized = {name: value for name, value in body.items() if name != "conversationId"}
    return {"id": body["id"], "direction": "outbound", "normalizedMessage": normalized}


@pytest.mark.parametrize("name", ["private-text", "public-reply", "image"])
def test_a_message_is_read_as_its_webhook_is(contracts_dir: Path, name: str) -> None:
    """There is one way to read both, so both become the same item."""
    raw = (contracts_dir / "samples" / f"outbound-{name}.json").read_bytes()
    body = json.loads(raw)
    made = make_webhook_body(make_data(body), body["conversationId"], "private")
    assert json.loads(made) == body
    assert read_webhook(made, RECEIVED_AT) == read_webhook(raw, RECEIVED_AT)


@pytest.mark.parametrize(
    ("visibility", "channel"), [("public", "public"), ("private", "private"), (None, None)]
)
def test_what_the_message_does_not_say_of_its_channel_the_conversation_may(
    visibility: str | None, channel: str | None
) -> None:
    """Without either it cannot be carried."""
    body = {
        "id": "m",
        "type": "Text",
        "text": "Hi",
        "channel": {
            "to": {"id": "did:plc:a"},
            "publicMetadata": {"replyToId": "at://did:plc:a/app.bsky.feed.post/1"},
        },
    }
    content = read(make_data(body), visibility)
    if channel is None:
        assert isinstance(content, Unusable)
        assert content.failure is not None
    else:
        assert isinstance(content, AgentMessage)
        assert content.channel == channel


@pytest.mark.parametrize("normalized_id", [None, "", 7])
def test_a_normalized_message_without_an_id_has_that_of_the_message(normalized_id: object) -> None:
    """Its receipt would bear it, too."""
    channel = {"type": "Private", "to": {"id": "did:plc:a"}}
    normalized = {"id": normalized_id, "type": "Text", "text": "Hi", "channel": channel}
    content = read({"id": "m", "normalizedMessage": normalized})
    assert isinstance(content, AgentMessage)
    assert (content.message_id, content.conversation_id) == ("m", "c")


@pytest.mark.parametrize("normalized", [None, [], "text"])
def test_a_message_that_is_not_there_cannot_be_carried(normalized: object) -> None:
    """It is kept under its id."""
    content = read({"id": "m", "normalizedMessage": normalized})
    assert isinstance(content, Unusable)
    assert content.message_id == "m"


def test_pending_messages_are_listed_once_with_what_is_said_of_them() -> None:
    """Whoever takes part, in whatever direction; one that was handed on is listed twice."""
    sent = {"messageId": "1", "messageStatus": "sent", "messageTime": "2026-01-01T00:00:00.000Z"}
    conversation = {
        "participants": [
            {"direction": "inbound", "messages": [{"messageId": "0", "messageStatus": "received"}]},
            {"direction": "inbound", "messages": [sent]},
            {"direction": "outbound", "messages": [sent, {"messageId": "2"}]},
            {"messages": [{"messageId": "3", "socialVisibility": "public"}]},
        ]
    }
    assert list_pending(conversation) == [
        PendingMessage("1", 1_767_225_600.0, None),
        PendingMessage("2", None, None),
        PendingMessage("3", None, "public"),
    ]


@pytest.mark.parametrize(
    ("message", "concluded"),
    [
        ({}, False),
        ({"direction": "outbound", "status": "failed"}, False),
        ({"direction": "inbound", "status": "sent"}, True),
        ({"status": "delivery-success"}, True),
        ({"status": "delivery-failed"}, True),
        ({"status": ["odd"]}, False),
        ({"normalizedReceipts": []}, False),
        ({"normalizedReceipts": "odd"}, False),
        ({"normalizedReceipts": ["odd"]}, False),
        ({"normalizedReceipts": [{"status": "Delivered", "isFinalReceipt": True}]}, True),
        ({"normalizedReceipts": [{"status": "Failed"}]}, True),
        ({"normalizedReceipts": [{"status": "Delivered", "isFinalReceipt": False}]}, False),
        ({"normalizedReceipts": [{"status": "Sent"}]}, False),
    ],
)
def test_an_outcome_is_a_status_or_a_final_receipt(
    message: dict[str, Any], concluded: bool
) -> None:
    """A receipt that says neither way is taken for final: a message is rather left than doubled."""
    assert is_concluded(message) is concluded


@given(JSON_VALUES)
def test_whatever_participants_are_nothing_but_a_missing_list_is_malformed(odd: object) -> None:
    """At each place, one after the other."""
    good = {"messageId": "1", "messageStatus": odd, "messageTime": odd, "socialVisibility": odd}
    for participants in ([odd], [{"messages": odd}], [{"messages": [odd]}], [{"messages": [good]}]):
        list_pending({"participants": participants})
    if not isinstance(odd, list):
        with pytest.raises(Malformed):
            list_pending({"participants": odd})


@given(JSON_VALUES)
def test_reading_a_message_never_raises(odd: object) -> None:
    """At each place, one after the other."""
    for data in (
        {"id": odd, "direction": odd, "status": odd, "normalizedReceipts": odd},
        {"normalizedMessage": odd, "normalizedReceipts": [odd]},
        {"normalizedMessage": {"id": odd, "type": odd, "channel": odd, "direction": odd}},
        {"normalizedMessage": {"type": "Text", "channel": {"type": odd, "to": odd}}},
        {"normalizedReceipts": [{"status": odd, "isFinalReceipt": odd}]},
    ):
        is_concluded(data)
        read(data, "public")

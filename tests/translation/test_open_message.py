"""What is sent as messages and receipts is exactly what the official Swagger lets be written."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import (
    Attachment,
    Author,
    InboundDirectMessage,
    InboundPost,
    PostReference,
    Receipt,
)
from actors.translation.open_message import (
    make_private_message,
    make_public_message,
    make_receipt,
)
from runtime.errors import Malformed
from tests.contracts.swagger import Swagger

DID = "did:plc:alice"
ALICE = Author(DID, "alice.test", "Alice", "https://cdn.test/alice.jpg")
ROOT = PostReference("at://did:plc:bob/app.bsky.feed.post/1", "cid-1")
POST = PostReference("at://did:plc:alice/app.bsky.feed.post/2", "cid-2")
BULK = "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk"
INBOUND = "/api/v2/conversations/messages/i/inbound/open"
NOW = 1_767_225_600.0


def make_post(**changes: Any) -> InboundPost:  # noqa: ANN401 - fields of any type
    fields: dict[str, Any] = {
        "post": POST,
        "root": ROOT,
        "parent_uri": ROOT.uri,
        "author": ALICE,
        "text": "Hello @brand",
        "created_at": "2026-06-10T21:05:40.900Z",
        "url": "https://bsky.app/profile/alice.test/post/2",
        "reason": "mention",
        "mentioned_dids": ("did:plc:brand",),
        "attachments": (),
        "metadata": {"langs": "en"},
    }
    return InboundPost(**(fields | changes))


def make_message(**changes: Any) -> InboundDirectMessage:  # noqa: ANN401 - fields of any type
    fields: dict[str, Any] = {
        "message_id": "3kmessage",
        "convo_id": "3kconvo",
        "author": ALICE,
        "text": "Hello",
        "sent_at": "2026-06-10T21:05:40.900Z",
    }
    return InboundDirectMessage(**(fields | changes))


def test_a_reply_has_every_field_that_genesys_threads_and_shows_it_by(swagger: Swagger) -> None:
    image = Attachment("Image", "https://cdn.test/1.jpg", "image/jpeg", "A broken cup", "1.jpg")
    body = make_public_message(make_post(attachments=(image,)))
    assert body == {
        "channel": {
            "messageId": POST.uri,
            "from": {
                "id": DID,
                "idType": "Opaque",
                "nickname": "alice.test",
                "firstName": "Alice",
                "image": "https://cdn.test/alice.jpg",
            },
            "time": "2026-06-10T21:05:40.900Z",
            "publicMetadata": {
                "rootId": ROOT.uri,
                "replyToId": ROOT.uri,
                "url": "https://bsky.app/profile/alice.test/post/2",
                "mentionIds": ["did:plc:brand"],
            },
        },
        "text": "Hello @brand",
        "content": [
            {
                "contentType": "Attachment",
                "attachment": {
                    "mediaType": "Image",
                    "url": "https://cdn.test/1.jpg",
                    "mime": "image/jpeg",
                    "text": "A broken cup",
                    "filename": "1.jpg",
                },
            }
        ],
        "metadata": {"reason": "mention", "langs": "en"},
    }
    assert swagger.check_request("POST", BULK, [body]) == []


def test_a_root_post_is_its_own_root_and_answers_nothing(swagger: Swagger) -> None:
    body = make_public_message(make_post(root=POST, parent_uri=None))
    assert body["channel"]["publicMetadata"]["rootId"] == POST.uri
    assert "replyToId" not in body["channel"]["publicMetadata"]
    assert swagger.check_request("POST", BULK, [body]) == []


def test_what_is_empty_is_left_absent(swagger: Swagger) -> None:
    nobody = Author(DID, "alice.test", " ", "")
    link = Attachment("Link", "https://example.com", text=" ")
    body = make_public_message(
        make_post(
            author=nobody, text=" ", attachments=(link,), mentioned_dids=(), metadata={"a": ""}
        )
    )
    assert body["channel"]["from"] == {"id": DID, "idType": "Opaque", "nickname": "alice.test"}
    assert "mentionIds" not in body["channel"]["publicMetadata"]
    assert "text" not in body
    assert body["content"][0]["attachment"] == {"mediaType": "Link", "url": "https://example.com"}
    assert body["metadata"] == {"reason": "mention"}
    assert swagger.check_request("POST", BULK, [body]) == []


def test_a_post_with_nothing_to_show_is_shown_by_its_address() -> None:
    assert make_public_message(make_post(text=""))["text"] == make_post().url


@pytest.mark.parametrize(
    ("mentioned", "sent"),
    [
        ((), None),
        (("did:plc:brand", "did:plc:other"), ["did:plc:brand"]),
        ((DID, "did:plc:brand"), ["did:plc:brand"]),
        ((DID,), [DID]),
    ],
)
def test_one_mention_is_sent_and_not_that_of_the_author(
    mentioned: tuple[str, ...], sent: list[str] | None
) -> None:
    body = make_public_message(make_post(mentioned_dids=mentioned))
    assert body["channel"]["publicMetadata"].get("mentionIds") == sent


@pytest.mark.parametrize(
    ("given_time", "sent"),
    [
        ("2026-06-10T21:05:40Z", "2026-06-10T21:05:40.000Z"),
        ("2026-06-10T23:05:40.123456+02:00", "2026-06-10T21:05:40.123Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
    ],
)
def test_times_are_sent_in_the_one_form_of_the_swagger(
    swagger: Swagger, given_time: str, sent: str
) -> None:
    public = make_public_message(make_post(created_at=given_time))
    private = make_private_message(make_message(sent_at=given_time))
    assert public["channel"]["time"] == private["channel"]["time"] == sent
    assert swagger.check_request("POST", BULK, [public]) == []


@pytest.mark.parametrize("no_time", ["", "yesterday", "2026-06-10T21:05:40", "2026-13-01T00:00Z"])
def test_what_has_no_time_is_malformed(no_time: str) -> None:
    with pytest.raises(Malformed, match="no time"):
        make_public_message(make_post(created_at=no_time))
    with pytest.raises(Malformed, match="no time"):
        make_private_message(make_message(sent_at=no_time))


def test_a_direct_message_has_no_image_and_no_thread(swagger: Swagger) -> None:
    body = make_private_message(make_message(metadata={"profileUrl": "https://bsky.app/x"}))
    assert body == {
        "channel": {
            "from": {
                "id": DID,
                "idType": "Opaque",
                "nickname": "alice.test",
                "firstName": "Alice",
            },
            "time": "2026-06-10T21:05:40.900Z",
            "messageId": "3kmessage",
        },
        "text": "Hello",
        "metadata": {"profileUrl": "https://bsky.app/x"},
    }
    assert swagger.check_request("POST", f"{INBOUND}/message", body) == []


def test_an_attachment_of_a_direct_message_always_has_a_mime(swagger: Swagger) -> None:
    attachments = (
        Attachment("Link", "https://example.com"),
        Attachment("Image", "https://cdn.test/1", "image/png"),
    )
    body = make_private_message(make_message(text="", attachments=attachments))
    mimes = [element["attachment"]["mime"] for element in body["content"]]
    assert mimes == ["application/octet-stream", "image/png"]
    assert "text" not in body
    assert swagger.check_request("POST", f"{INBOUND}/message", body) == []


def test_a_direct_message_is_never_empty() -> None:
    assert make_private_message(make_message(text=" "))["text"] == "(a message without text)"


def test_a_receipt_of_success_is_final_and_names_only_the_recipients_id(swagger: Swagger) -> None:
    body = make_receipt(Receipt("message-1", DID, "Delivered"), NOW)
    assert body == {
        "id": "message-1",
        "channel": {"to": {"id": DID}, "time": "2026-01-01T00:00:00.000Z"},
        "status": "Delivered",
        "isFinalReceipt": True,
    }
    assert swagger.check_request("POST", f"{INBOUND}/receipt", body) == []


def test_a_receipt_of_failure_says_why_in_code_and_words(swagger: Swagger) -> None:
    receipt = Receipt("message-1", DID, "Failed", "RecipientOptedOut", "They closed their DMs.")
    body = make_receipt(receipt, NOW)
    assert body["status"] == "Failed"
    assert body["reasons"] == [{"code": "RecipientOptedOut", "message": "They closed their DMs."}]
    assert body["isFinalReceipt"] is True
    assert swagger.check_request("POST", f"{INBOUND}/receipt", body) == []


def test_a_failure_without_reason_still_has_one(swagger: Swagger) -> None:
    body = make_receipt(Receipt("message-1", DID, "Failed"), NOW)
    assert body["reasons"][0]["code"] == "GeneralError"
    assert swagger.check_request("POST", f"{INBOUND}/receipt", body) == []

"""Payloads survive being written and read, now and by later releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.dedup_store.codec import (
    EntryId,
    decode_payload,
    decode_reference,
    encode_payload,
    encode_reference,
)
from actors.messages import (
    AgentMessage,
    Attachment,
    Author,
    Destination,
    DirectMessagePart,
    DirectMessagePlan,
    InboundDirectMessage,
    InboundPost,
    Payload,
    PostReference,
    ReactionCounts,
    Receipt,
    RecordPlan,
    RecordWrite,
    ResolveContact,
    ThreadReference,
)
from runtime.errors import Malformed

AUTHOR = Author("did:plc:a", "a.example", "Ä", "https://cdn.example/a.jpg")
POST = PostReference("at://did:plc:a/app.bsky.feed.post/1", "bafy")
PICTURE = Attachment("Image", "https://cdn.example/1.jpg", "image/jpeg", "alt", "1.jpg")
WRITE = RecordWrite(
    "app.bsky.feed.post", "3l", {"text": "hi", "facets": [{"index": {"byteStart": 0}}]}, True
)
PART = DirectMessagePart("hi", ({"index": {"byteStart": 0, "byteEnd": 2}},))
PAYLOADS: list[Payload] = [
    InboundPost(
        post=POST,
        root=POST,
        parent_uri=None,
        author=AUTHOR,
        text="line\nbreak 🎉 \u2028",
        created_at="2026-01-01T00:00:00Z",
        url="https://bsky.app/x",
        reason="mention",
        mentioned_dids=("did:plc:b", "did:plc:c"),
        attachments=(PICTURE,),
        metadata={"lang": "de"},
    ),
    InboundDirectMessage("m", "c", AUTHOR, "hi", "2026-01-01T00:00:00Z", (PICTURE,), {"a": "b"}),
    AgentMessage("m", "public", "did:plc:a", "hi", "2026-01-01T00:00:00Z"),
    AgentMessage(
        "m", "public", "d", "hi", "t", "conv", POST.uri, POST.uri, (PICTURE,), RecordPlan((WRITE,))
    ),
    AgentMessage("m", "private", "d", "hi", "t", plan=DirectMessagePlan("c", "rev", (PART,))),
    Receipt("m", "did:plc:a", "Failed", "GeneralError", "No."),
    ResolveContact(AUTHOR),
    ReactionCounts(POST.uri, 3, 2, 1, "2026-01-01T00:00:00Z"),
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.kind)
def test_a_payload_is_read_as_it_was_written(payload: Payload) -> None:
    """Every kind, with every field filled, on one line."""
    text = encode_payload(payload)
    assert "\n" not in text
    assert decode_payload(text) == payload


@given(st.text(), st.text())
def test_any_text_survives(message: str, sentence: str) -> None:
    """Whatever a customer or an agent writes."""
    receipt = Receipt(message, "did:plc:a", "Failed", "GeneralError", sentence)
    assert decode_payload(encode_payload(receipt)) == receipt


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[]", "not JSON with"),
        ('{"version":1}', "not JSON with"),
        ('{"version":0,"payload":{}}', "version 0"),
        ('{"version":2,"payload":{}}', "version 2"),
        ('{"version":"1","payload":{}}', "version of another kind"),
        ('{"version":"a customer wrote this","payload":{}}', "version of another kind"),
        ('{"version":1,"payload":{}}', "kind"),
        ('{"version":1,"payload":{"kind":"receipt"}}', "message_id"),
        ('{"version":1,"payload":7}', "payload"),
    ],
)
def test_what_cannot_be_read_is_malformed(text: str, why: str) -> None:
    """With a reason that a person understands."""
    with pytest.raises(Malformed, match=why):
        decode_payload(text)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('"Delivered"', '"secret"'),
        ('"kind":"receipt"', f'"kind":"{300 * "secret "}"'),
        ('"code":null', '"code":{"secret words":1}'),
    ],
)
def test_the_reason_does_not_repeat_the_customers_words(written: str, instead: str) -> None:
    """Reasons are logged; neither is one as long as what somebody wrote."""
    text = encode_payload(Receipt("m", "d", "Delivered"))
    assert written in text
    with pytest.raises(Malformed) as caught:
        decode_payload(text.replace(written, instead))
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_reason_does_not_repeat_a_key_that_somebody_chose() -> None:
    """Only the fields that we know are named."""
    message = InboundDirectMessage("m", "c", AUTHOR, "hi", "t", metadata={"a secret": "b"})
    written = encode_payload(message).replace('"a secret":"b"', '"a secret":1')
    with pytest.raises(Malformed, match=r"metadata\.…") as caught:
        decode_payload(written)
    assert "secret" not in str(caught.value)


def test_what_json_cannot_hold_is_malformed() -> None:
    """It fails the one request that brought it."""
    write = RecordWrite("c", "k", {"blob": object()})
    with pytest.raises(Malformed, match="JSON"):
        encode_payload(AgentMessage("m", "public", "d", "hi", "t", plan=RecordPlan((write,))))


def test_a_reference_is_read_as_it_was_written() -> None:
    """Both posts and the author."""
    reference = ThreadReference(POST, PostReference("at://root", "cid"), "did:plc:a")
    assert decode_reference(encode_reference(reference)) == reference


@given(st.integers(0), st.integers(0), st.sampled_from(Destination), st.text())
def test_an_entry_id_is_read_as_it_was_made(
    sequence: int, attempts: int, destination: Destination, conversation: str
) -> None:
    """Whatever the conversation is called."""
    entry_id = EntryId(sequence, attempts, destination, conversation)
    assert EntryId.parse(str(entry_id)) == entry_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.0/GenesysSender",
        "x.0/GenesysSender/c",
        "1/GenesysSender/c",
        "1.0/Nobody/c",
    ],
)
def test_what_is_no_entry_id_is_malformed(text: str) -> None:
    """An asker's mistake is told, not sent."""
    with pytest.raises(Malformed, match="no entry id"):
        EntryId.parse(text)

"""An entry that an older release wrote is read by this one."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any, get_args

import pytest

from actors.dedup_store.codec import Head, decode_payload, decode_reference
from actors.messages import (
    PAYLOAD_VERSION,
    AgentMessage,
    Attachment,
    Author,
    Destination,
    DirectMessagePart,
    DirectMessagePlan,
    HidePlan,
    InboundDirectMessage,
    InboundPost,
    JournalEntry,
    MutePlan,
    Payload,
    Plan,
    PostReference,
    ReactionCounts,
    Receipt,
    RecordPlan,
    RecordRemoval,
    RecordWrite,
    RemovalPlan,
    ResolveContact,
    ThreadReference,
)
from tests.dedup_store import version_1

NEW_YEAR = "2026-01-01T00:00:00.000Z"
ALICE = Author("did:plc:alice", "alice.example", "Alice Ä", "https://cdn.example/alice.jpg")
POST = PostReference("at://did:plc:alice/app.bsky.feed.post/3labc", "bafyone")
ROOT = PostReference("at://did:plc:bob/app.bsky.feed.post/3lroot", "bafyroot")
IMAGE = Attachment("Image", "https://cdn.example/1.jpg", "image/jpeg", "A broken cup", "1.jpg")
FACET = {
    "index": {"byteStart": 4, "byteEnd": 9},
    "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "this"}],
}


def make_answer(**more: Any) -> AgentMessage:  # noqa: ANN401 - any field of it
    return AgentMessage(
        message_id="message-1",
        channel="public",
        recipient_did=ALICE.did,
        text="One Two",
        sent_at=NEW_YEAR,
        conversation_id="conversation-1",
        reply_to_uri=POST.uri,
        root_uri=ROOT.uri,
        **more,
    )


def make_write(key: str, text: str, created_at: str, **reply: PostReference) -> RecordWrite:
    named = {name: {"uri": post.uri, "cid": post.cid} for name, post in reply.items()}
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": created_at, "reply": named}
    return RecordWrite("app.bsky.feed.post", key, record, reply_to_previous="parent" not in reply)


WRITTEN: list[tuple[str, Payload]] = [
    (
        version_1.POST,
        InboundPost(
            post=POST,
            root=ROOT,
            parent_uri=ROOT.uri,
            author=ALICE,
            text="Line\none",
            created_at=NEW_YEAR,
            url="https://bsky.app/x",
            reason="reply",
            mentioned_dids=("did:plc:acme",),
            attachments=(IMAGE,),
            metadata={"lang": "de"},
        ),
    ),
    (
        version_1.DIRECT_MESSAGE,
        InboundDirectMessage(
            message_id="3kmessage",
            convo_id="convo-1",
            author=ALICE,
            text="In private.",
            sent_at=NEW_YEAR,
            attachments=(IMAGE,),
            metadata={"profileUrl": "https://bsky.app/y"},
        ),
    ),
    (version_1.ANSWER, make_answer(attachments=(IMAGE,))),
    (
        version_1.ANSWER_IN_RECORDS,
        make_answer(
            plan=RecordPlan(
                (
                    make_write("3lkey1", "One", NEW_YEAR, root=ROOT, parent=POST),
                    make_write("3lkey2", "Two", "2026-01-01T00:00:00.001Z", root=ROOT),
                )
            )
        ),
    ),
    (
        version_1.ANSWER_IN_MESSAGES,
        AgentMessage(
            message_id="message-2",
            channel="private",
            recipient_did=ALICE.did,
            text="See #this",
            sent_at=NEW_YEAR,
            conversation_id="conversation-2",
            plan=DirectMessagePlan("convo-1", "3lrev", (DirectMessagePart("See #this", (FACET,)),)),
        ),
    ),
    (
        version_1.POST_IN_RECORDS,
        make_answer(
            plan=RecordPlan(
                (
                    RecordWrite(
                        "app.bsky.feed.post",
                        "3lkey2",
                        {"$type": "app.bsky.feed.post", "text": "Two", "reply": {}},
                        reply_to_previous=True,
                        root_is_first=True,
                    ),
                )
            )
        ),
    ),
    (
        version_1.DELETION,
        make_answer(plan=RemovalPlan((RecordRemoval("app.bsky.feed.post", "3lkey1"),))),
    ),
    (version_1.NO_DELETION, make_answer(plan=RemovalPlan(()))),
    (version_1.MUTE, make_answer(plan=MutePlan(ALICE.did, muted=True))),
    (version_1.HIDE, make_answer(plan=HidePlan(ROOT.uri, POST.uri, NEW_YEAR))),
    (
        version_1.ANSWERS_TOGETHER,
        make_answer(
            plan=RecordPlan((make_write("3lkey1", "One", NEW_YEAR, root=ROOT, parent=POST),)),
            together=(make_answer(attachments=(IMAGE,)),),
        ),
    ),
    (version_1.DELIVERED, Receipt("message-1", ALICE.did, "Delivered")),
    (
        version_1.FAILED,
        Receipt(
            "message-2",
            ALICE.did,
            "Failed",
            "MessageExpired",
            "Bluesky did not take it within 15 minutes.",
        ),
    ),
    (version_1.CONTACT, ResolveContact(ALICE)),
    (
        version_1.REACTIONS,
        ReactionCounts("at://did:plc:acme/app.bsky.feed.post/3lown", 3, 1, 0, NEW_YEAR),
    ),
]
every_payload = pytest.mark.parametrize(
    ("text", "payload"), WRITTEN, ids=[payload.kind for _, payload in WRITTEN]
)


@every_payload
def test_what_version_1_wrote_is_read_as_it_was_meant(text: str, payload: Payload) -> None:
    """Every kind, every field."""
    assert decode_payload(text) == payload


def test_every_kind_of_payload_is_among_them() -> None:
    """Whoever adds a kind writes down how it lies in a journal."""
    assert {type(payload) for _, payload in WRITTEN} == set(get_args(Payload))
    plans = {type(one.plan) for _, one in WRITTEN if isinstance(one, AgentMessage) and one.plan}
    assert plans == set(get_args(Plan))
    assert PAYLOAD_VERSION == 1


@every_payload
def test_a_field_that_is_not_known_is_passed_over_wherever_it_stands(
    text: str, payload: Payload
) -> None:
    """A newer release wrote it, and was then taken back."""
    written = json.loads(text)
    added = {"added": {"later": [1, "two"]}}
    written |= added
    written["payload"] |= added
    for part in ("author", "post", "root", "plan"):
        if isinstance(written["payload"].get(part), dict):
            written["payload"][part] |= added
    for attachment in written["payload"].get("attachments", ()):
        attachment |= added
    assert decode_payload(json.dumps(written)) == payload


@every_payload
def test_a_field_with_a_default_may_be_missing(text: str, payload: Payload) -> None:
    """A release from before it was added did not write it."""
    required = {
        one.name for one in fields(payload) if one.default is one.default_factory is MISSING
    }
    written = json.loads(text)
    written["payload"] = {
        name: one for name, one in written["payload"].items() if name in required | {"kind"}
    }
    read = decode_payload(json.dumps(written))
    assert type(read) is type(payload)
    assert {name: getattr(read, name) for name in required} == {
        name: getattr(payload, name) for name in required
    }


def test_a_reference_that_version_1_wrote_is_read() -> None:
    """A reply names what it says, weeks later."""
    reference = ThreadReference(POST, ROOT, ALICE.did)
    assert decode_reference(version_1.REFERENCE) == reference
    written = json.loads(version_1.REFERENCE)
    written["payload"]["added"] = "later"
    assert decode_reference(json.dumps(written)) == reference


def test_an_element_of_a_queue_is_opened_as_it_lies_there() -> None:
    """Sequence, attempts and time; the payload; the item id, which may be any text."""
    element = f"42 3 1767225600.000001\n{version_1.DELIVERED}\nreceipt:message-1\nand more"
    head = Head.parse("GenesysSender", "receipt:message-1", element)
    assert head.open() == JournalEntry(
        entry_id="42.3/GenesysSender/receipt:message-1",
        item_id="receipt:message-1\nand more",
        destination=Destination.GENESYS_SENDER,
        conversation="receipt:message-1",
        payload=Receipt("message-1", ALICE.did, "Delivered"),
        attempts=3,
        recorded_at=1767225600.000001,
    )

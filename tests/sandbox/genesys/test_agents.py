"""What agents do, and the webhooks that come of it, in the platform's own shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from sandbox.genesys import Conversation, GenesysOrganization
from tests.sandbox.genesys.bodies import (
    ALICE,
    ROOT,
    bulk_path,
    inbound_path,
    private_message,
    public_message,
)

REPLY = "at://did:plc:bob/app.bsky.feed.post/1"


@pytest.fixture
async def thread(organization: GenesysOrganization, client: httpx.AsyncClient) -> Conversation:
    """A post by Alice and a reply to it by Bob."""
    reply = public_message(REPLY)
    reply["channel"]["from"] = {"id": "did:plc:bob"}
    await client.post(bulk_path(organization), json=[public_message(), reply])
    found = organization.public_conversation(ROOT)
    assert found is not None
    return found


@pytest.fixture
async def chat(organization: GenesysOrganization, client: httpx.AsyncClient) -> Conversation:
    """Alice has written in private."""
    await client.post(inbound_path(organization, "message"), json=private_message())
    found = organization.private_conversation(ALICE)
    assert found is not None
    return found


def shape(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every place in a body with the kind of what stands there, in the order on the wire."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from shape(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from shape(inner, f"{place}[]")
    elif place.rpartition(".")[2] in {"type", "platform", "idType", "direction", "eventType"}:
        yield place, str(value)
    else:
        yield place, type(value).__name__


def sample(contracts_dir: Path, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads((contracts_dir / "samples" / f"outbound-{name}.json").read_text())


async def test_a_public_answer_has_the_shape_of_the_platform(
    organization: GenesysOrganization, thread: Conversation, contracts_dir: Path
) -> None:
    sent = organization.agent_reply(thread, "Thanks", public=True)
    assert list(shape(sent.body)) == list(shape(sample(contracts_dir, "public-reply")))


async def test_a_private_answer_has_the_shape_of_the_platform(
    organization: GenesysOrganization, chat: Conversation, contracts_dir: Path
) -> None:
    sent = organization.agent_reply(chat, "Hi", public=False)
    assert list(shape(sent.body)) == list(shape(sample(contracts_dir, "private-text")))


async def test_a_file_has_the_shape_of_the_platform(
    organization: GenesysOrganization, thread: Conversation, contracts_dir: Path
) -> None:
    image = organization.files.add(b"png", "image/png", "invoice.png")
    sent = organization.agent_reply(thread, "", public=True, attachments=[image])
    assert list(shape(sent.body)) == list(shape(sample(contracts_dir, "image")))


async def test_typing_has_the_shape_of_the_platform(
    organization: GenesysOrganization, chat: Conversation, contracts_dir: Path
) -> None:
    sent = organization.agent_types(chat)
    assert list(shape(sent.body)) == list(shape(sample(contracts_dir, "typing")))
    assert chat.outbound == ()


async def test_a_public_answer_is_under_the_last_message_unless_another_is_named(
    organization: GenesysOrganization, thread: Conversation
) -> None:
    last = organization.agent_reply(thread, "1", public=True)
    first = organization.agent_reply(thread, "2", public=True, in_reply_to=thread.inbound[0])
    assert last.body["channel"]["publicMetadata"] == {"rootId": ROOT, "replyToId": REPLY}
    assert last.recipient_id == "did:plc:bob"
    assert first.body["channel"]["publicMetadata"] == {"rootId": ROOT, "replyToId": ROOT}
    assert first.body["channel"]["to"]["id"] == ALICE


async def test_a_public_message_can_be_answered_in_private(
    organization: GenesysOrganization, thread: Conversation
) -> None:
    sent = organization.agent_reply(thread, "psst", public=False)
    assert sent.body["channel"]["type"] == "Private"
    assert sent.body["channel"]["to"]["id"] == "did:plc:bob"
    assert "publicMetadata" not in sent.body["channel"]
    assert sent.body["conversationId"] == thread.conversation_id


async def test_a_private_conversation_cannot_be_answered_in_public(
    organization: GenesysOrganization, thread: Conversation, chat: Conversation
) -> None:
    with pytest.raises(ValueError, match="in public"):
        organization.agent_reply(chat, "x", public=True)
    with pytest.raises(ValueError, match="another conversation"):
        organization.agent_reply(chat, "x", public=False, in_reply_to=thread.inbound[0])
    assert chat.outbound == ()


async def test_several_files_are_several_messages_and_the_text_goes_with_the_first(
    organization: GenesysOrganization, thread: Conversation
) -> None:
    files = [organization.files.add(b"x", "image/png", f"{name}.png") for name in "abc"]
    organization.agent_reply(thread, "look", public=True, attachments=files)
    assert [message.text for message in thread.outbound] == ["look", "", ""]
    names = [message.attachments[0].filename for message in thread.outbound]
    assert names == ["a.png", "b.png", "c.png"]


async def test_agents_send_only_what_the_profile_supports(
    organization: GenesysOrganization,
) -> None:
    with pytest.raises(ValueError, match="video/mp4"):
        organization.files.add(b"x", "video/mp4", "a.mp4")
    organization.files.supported_mimes.add("video/mp4")
    assert organization.files.add(b"x", "video/mp4", "a.mp4").media_type == "Video"
    with pytest.raises(ValueError, match="larger"):
        organization.files.add(bytes(25 * 1024 * 1024 + 1), "image/png", "a.png")


async def test_a_file_is_fetched_with_a_token_through_a_signed_address(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.files.base_url = str(client.base_url)
    image = organization.files.add(b"png", "image/png", "a.png")
    fetched = await client.get(image.url, follow_redirects=True)
    assert (fetched.content, fetched.headers["content-type"]) == (b"png", "image/png")
    del client.headers["Authorization"]
    assert (await client.get(image.url)).status_code == 401
    assert (await client.get(f"/files/{image.attachment_id}?signature=x")).status_code == 403


async def test_ids_come_from_the_seed(organization: GenesysOrganization) -> None:
    assert organization.integration_id in organization.setup.integrations
    assert len(organization.webhook_secret) > 15


async def test_waiting_ends_when_something_happens(
    organization: GenesysOrganization, thread: Conversation
) -> None:
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(organization.wait_until, lambda: len(thread.outbound) == 2)
            for text in ("1", "2"):
                await trio.testing.wait_all_tasks_blocked()
                organization.agent_reply(thread, text, public=True)

"""Public messages, and the reactions to them, as they come into the sandbox."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import httpx
import pytest

from sandbox.genesys import GenesysOrganization
from tests.sandbox.genesys.bodies import (
    ALICE,
    ROOT,
    Json,
    bulk_path,
    public_message,
    reactions,
    reactions_path,
)


async def test_messages_of_one_thread_are_one_conversation_in_their_order(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    bodies = [public_message(), public_message("at://a/1"), public_message("at://b/1", "at://b/1")]
    answer = await client.post(bulk_path(organization), json=bodies)
    assert answer.status_code == 202
    assert len(organization.conversations) == 2
    thread = organization.public_conversation(ROOT)
    assert thread is not None
    assert [message.provider_message_id for message in thread.inbound] == [ROOT, "at://a/1"]


async def test_the_answer_names_each_message_by_both_its_ids(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    bodies = [public_message(), public_message("at://a/1")]
    answer = await client.post(bulk_path(organization), json=bodies)
    entities = answer.json()["entities"]
    named = {entity["channel"]["messageId"]: entity["id"] for entity in entities}
    assert named == {
        message.provider_message_id: message.message_id for message in organization.ingested
    }
    assert all(len(bytes.fromhex(message_id)) == 16 for message_id in named.values())


async def test_all_that_was_sent_is_kept(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    await client.post(bulk_path(organization), json=[public_message("at://a/1")])
    (message,) = organization.ingested
    assert message.text == "My parcel is lost @mycompany"
    assert (message.sender_id, message.sender["nickname"]) == (ALICE, "alice.test")
    assert (message.root_id, message.reply_to_id) == (ROOT, ROOT)
    assert message.attachments[0]["text"] == "an empty doorstep"
    assert message.body == public_message("at://a/1")


async def test_a_repeat_is_answered_like_the_first_and_marked(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    first, second = [
        (await client.post(bulk_path(organization), json=[public_message()])).json()
        for _ in range(2)
    ]
    assert first["entities"][0]["id"] == second["entities"][0]["id"]
    assert [message.repeat for message in organization.ingested] == [False, True]
    thread = organization.public_conversation(ROOT)
    assert thread is not None
    assert len(thread.messages) == 1


def spoil(change: Callable[[Json], object]) -> Json:
    body = copy.deepcopy(public_message("at://a/1"))
    change(body)
    return body


BAD_MESSAGES = {
    "no channel": ("constraint.validation", spoil(lambda body: body.pop("channel"))),
    "no time": ("missing.open.channel.date", spoil(lambda body: body["channel"].pop("time"))),
    "no sender": ("constraint.validation", spoil(lambda body: body["channel"].pop("from"))),
    "no root": (
        "constraint.validation",
        spoil(lambda body: body["channel"]["publicMetadata"].pop("rootId")),
    ),
    "a wrong time": (
        "invalid.date",
        spoil(lambda body: body["channel"].update(time="2026-06-10 21:05")),
    ),
    "type Private": (
        "invalid.value",
        spoil(lambda body: body["channel"].update(type="Private")),
    ),
    "a read-only type": (
        "invalid.property",
        spoil(lambda body: body["channel"].update(type="Public")),
    ),
    "a read-only id": ("invalid.property", spoil(lambda body: body.update(id="x"))),
    "an unknown property": ("invalid.property", spoil(lambda body: body.update(direction="x"))),
    "two mentions": (
        "constraint.validation",
        spoil(lambda body: body["channel"]["publicMetadata"].update(mentionIds=["a", "b"])),
    ),
    "an empty nickname": (
        "constraint.validation",
        spoil(lambda body: body["channel"]["from"].update(nickname="")),
    ),
    "an empty text": ("constraint.validation", spoil(lambda body: body.update(text=""))),
    "a null": ("constraint.validation", spoil(lambda body: body.update(text=None))),
    "nested metadata": (
        "bad.request",
        spoil(lambda body: body.update(metadata={"customAttributes": {"a": "b"}})),
    ),
    "an unknown media type": (
        "invalid.value",
        spoil(lambda body: body["content"][0]["attachment"].update(mediaType="Gif")),
    ),
    "content without its element": (
        "constraint.validation",
        spoil(lambda body: body["content"][0].pop("attachment")),
    ),
}


@pytest.mark.parametrize("what", BAD_MESSAGES)
async def test_one_bad_message_refuses_the_whole_array(
    organization: GenesysOrganization, client: httpx.AsyncClient, what: str
) -> None:
    code, bad = BAD_MESSAGES[what]
    answer = await client.post(bulk_path(organization), json=[public_message(), bad])
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert organization.ingested == []
    assert not organization.conversations


async def test_a_refused_wrong_type_says_what_is_allowed(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    _, bad = BAD_MESSAGES["type Private"]
    answer = await client.post(bulk_path(organization), json=[bad])
    message = answer.json()["message"]
    assert message.startswith("Value [Private] is not valid for field type [")
    assert message.endswith("Allowable values are: Public")


async def test_empty_and_too_long_arrays_are_refused(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    organization.bulk_limit = 2
    empty = await client.post(bulk_path(organization), json=[])
    assert (empty.status_code, empty.json()["code"]) == (400, "empty.open.messages")
    bodies = [public_message(f"at://a/{number}") for number in range(3)]
    long = await client.post(bulk_path(organization), json=bodies)
    assert (long.status_code, long.json()["code"]) == (400, "open.messages.too.large")


async def test_unknown_topics_and_rules_are_not_found(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    path = bulk_path(organization)
    for known, code in (
        (organization.topic_id, "topic.not.found"),
        (organization.rule_id, "dataingestionrule.not.found"),
    ):
        answer = await client.post(path.replace(known, "x"), json=[public_message()])
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_reactions_are_kept(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    answer = await client.post(reactions_path(organization), json=reactions())
    assert answer.status_code == 202
    assert organization.messaging.reactions == reactions()["events"]


async def test_a_repost_is_no_reaction(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    body = reactions()
    body["events"][0]["events"][0]["reactions"][0]["reactionType"] = "Repost"
    answer = await client.post(reactions_path(organization), json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid.value")


async def test_ten_times_the_messages_take_about_ten_times_as_long(
    organization: GenesysOrganization, client: httpx.AsyncClient
) -> None:
    async def ingest(count: int, thread: str) -> float:
        bodies = [public_message(f"{thread}/{number}", thread) for number in range(count)]
        began = time.process_time()
        for start in range(0, count, 100):
            await client.post(bulk_path(organization), json=bodies[start : start + 100])
        return time.process_time() - began

    few = min([await ingest(200, f"at://few{attempt}") for attempt in range(3)])
    many = await ingest(2_000, "at://many")
    assert len(organization.ingested) == 2_600
    assert many < few * 40  # a quadratic one would need a hundredfold

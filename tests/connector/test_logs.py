"""The log says what became of each message, and nothing of what is in it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal

from connector.logs import create_log
from sandbox.faults import Status
from sandbox.world import BRAND_PASSWORD
from tests.connector.connected import Connected, open_connected

CANARY = "CANARY"
BEGINNING_OF_TOKENS = "eyJ"
"""Of Bluesky: JSON Web Tokens, all of the same kind."""


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    """Every line, as what reads a container's log reads it."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def about(lines: list[dict[str, Any]], message: str) -> list[dict[str, Any]]:
    """Those of one message, without when they were written."""
    return [line for line in lines if line.get("message") == message]


async def converse(connected: Connected) -> None:
    """Both ways, in public and in private: what arrives, what is refused, and what crashes."""
    world = connected.world
    alice = world.customers[0]
    post = world.bluesky.post(alice, f"@{world.brand.handle} {CANARY}-POST")
    arrived = await connected.arrives(post)
    world.bluesky.direct_messages.send(alice, world.brand, f"{CANARY}-DM")
    private = await connected.receives(f"{CANARY}-DM")
    public = world.genesys.conversations[arrived.conversation_id]
    sent = [
        world.genesys.agent_reply(public, f"{CANARY}-ANSWER", public=True),
        world.genesys.agent_reply(public, f"!{CANARY}", public=True),
        world.genesys.agent_reply(
            world.genesys.conversations[private.conversation_id], f"{CANARY}-PRIVATE", public=False
        ),
    ]
    assert [await connected.concluded(one) for one in sent] == ["Delivered", "Failed", "Delivered"]
    world.bluesky.faults.add(
        "putRecord", Status(502, "InternalServerError", "Internal Server Error"), count=1
    )
    connected.crasher.crash("GenesysSender")
    again = world.bluesky.post(alice, f"@{world.brand.handle} {CANARY}-CRASH")
    await connected.arrives(again)
    last = world.genesys.agent_reply(public, f"{CANARY}-RETRIED", public=True)
    assert await connected.concluded(last) == "Delivered"
    await connected.until("BlueskySender", lambda actor: actor["busy"] == 0)


async def test_no_text_and_no_secret_is_in_the_log(tmp_path: Path) -> None:
    """At info, whatever happens: a crash and an outage included. Nobody's handle but our own."""
    stream = io.StringIO()
    async with open_connected(tmp_path, log=create_log("info", stream)) as connected:
        await converse(connected)
        genesys = connected.world.genesys
        secrets = {BRAND_PASSWORD, genesys.client_secret, genesys.webhook_secret}
        tokens = genesys.access.valid_tokens

    shown = stream.getvalue()
    assert "actor crashed" in shown
    assert "actor backing off" in shown
    assert "refused" in shown
    assert tokens
    customers = {one.handle for one in connected.world.customers}
    for word in {CANARY, BEGINNING_OF_TOKENS} | secrets | tokens | customers:
        assert word.casefold() not in shown.casefold()


async def test_one_line_says_that_a_message_was_carried(tmp_path: Path) -> None:
    """At info: which, of what kind, how long it took in all, and at which attempt."""
    stream = io.StringIO()
    async with open_connected(tmp_path, log=create_log("info", stream)) as connected:
        conversation = await connected.conversation()
        sent = connected.world.genesys.agent_reply(conversation, "Yes", public=True)
        assert await connected.concluded(sent) == "Delivered"

    carried = [line for line in read(stream) if line["event"] == "carried"]
    assert [line["kind"] for line in carried] == ["inbound_post", "agent_message"]
    for line in carried:
        assert line["level"] == "info"
        assert 0 <= line["seconds"] < 20
        assert line["attempts"] == 1
    post, answer = carried
    assert post["message"].startswith("post:at://")
    assert answer["message"] == f"agent:{sent.message_id}"


async def test_one_id_follows_a_message_through_all_actors(tmp_path: Path) -> None:
    """At debug: from the mention to the ingest and the contact, from the webhook to the receipt."""
    stream = io.StringIO()
    async with open_connected(tmp_path, log=create_log("debug", stream)) as connected:
        post = connected.world.bluesky.post(
            connected.world.customers[0], f"Hello @{connected.world.brand.handle}"
        )
        arrived = await connected.arrives(post)
        conversation = connected.world.genesys.conversations[arrived.conversation_id]
        sent = connected.world.genesys.agent_reply(conversation, "Yes", public=True)
        assert await connected.concluded(sent) == "Delivered"
        await connected.until("ContactResolver", lambda actor: actor["handled"] >= 1)
        await connected.until("GenesysSender", lambda actor: actor["handled"] >= 2)

    lines = read(stream)
    inbound = steps_of(lines, f"post:{post.uri}")
    assert [step for step in inbound if step[0] == "GenesysSender"] == [
        ("GenesysSender", "recorded"),
        ("GenesysSender", "delivered"),
        ("GenesysSender", "done"),
    ]
    assert ("ContactResolver", "done") in inbound
    assert steps_of(lines, f"agent:{sent.message_id}") == [
        ("BlueskySender", "recorded"),
        ("BlueskySender", "delivered"),
        ("BlueskySender", "done"),
        ("GenesysSender", "recorded"),
        ("GenesysSender", "delivered"),
        ("GenesysSender", "done"),
    ]


async def test_trouble_names_the_message_that_is_in_hand(tmp_path: Path) -> None:
    """What an actor crashes with, and what it backs off with."""
    stream = io.StringIO()
    async with open_connected(tmp_path, log=create_log("info", stream)) as connected:
        conversation = await connected.conversation()
        connected.crasher.crash("BlueskySender")
        sent = connected.world.genesys.agent_reply(conversation, "Yes", public=True)
        assert await connected.concluded(sent) == "Delivered"

    events = [line["event"] for line in about(read(stream), f"agent:{sent.message_id}")]
    assert events == ["actor crashed", "carried"]


def steps_of(lines: list[dict[str, Any]], message: str) -> list[tuple[str, str]]:
    """Which actor had the message at which step."""
    steps: tuple[Literal["recorded", "delivered", "retried", "done"], ...]
    steps = ("recorded", "delivered", "retried", "done")
    return [
        (line["actor"], line["event"]) for line in about(lines, message) if line["event"] in steps
    ]


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


def test_a_person_reads_lines_and_a_container_json() -> None:
    """The same event, in the form of whoever reads it."""
    terminal, container = Terminal(), io.StringIO()
    for stream in (terminal, container):
        create_log("info", stream).info("carried", message="agent:1", seconds=0.25)
    assert "carried" in terminal.getvalue()
    assert "agent:1" in terminal.getvalue()
    (line,) = read(container)
    assert (line["event"], line["message"], line["seconds"]) == ("carried", "agent:1", 0.25)


def test_what_is_below_the_level_is_not_written() -> None:
    """``LOG_LEVEL``: debug, info, warn or error, and what is worse."""
    written = {}
    levels: tuple[Literal["debug", "info", "warn", "error"], ...]
    levels = ("debug", "info", "warn", "error")
    for level in levels:
        stream = io.StringIO()
        log = create_log(level, stream)
        log.debug("a detail")
        log.info("as it should be")
        log.warning("trouble")
        log.error("a defect")
        written[level] = [line["level"] for line in read(stream)]
    assert written == {
        "debug": ["debug", "info", "warning", "error"],
        "info": ["info", "warning", "error"],
        "warn": ["warning", "error"],
        "error": ["error"],
    }

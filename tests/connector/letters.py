"""Dead letters to play with, and a look into the store past the connector's code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import termios
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import redis
import trio

from actors.bluesky.letters import make_post_letter
from actors.dedup_store.codec import encode_payload
from actors.messages import AgentMessage, DeadLetter, Receipt
from actors.store import Store
from connector.lone_store import open_lone_store
from connector.settings import Settings
from runtime.errors import Malformed
from tests.conftest import ROOT
from tests.connector.test_command_line import COMMAND

BROKEN = Malformed("not a PostView: cid: Field required")
SECRET = "what the customer wrote"


def ask(settings: Settings, work: Callable[[Store], Awaitable[object]]) -> None:
    """Do something in the store, as another process would."""

    async def visit() -> None:
        async with open_lone_store(settings) as parts:
            await work(parts.store)

    trio.run(visit)


def bury(settings: Settings, *letters: DeadLetter) -> None:
    ask(settings, lambda store: store.record(dead_letters=letters))


def of_journal(name: str, source: str = "GenesysSender", code: str = "bad.request") -> DeadLetter:
    """A letter as settling makes it, whatever its conversation was."""
    payload = Receipt(name, "did:plc:customer", "Failed", "GeneralError", SECRET)
    return DeadLetter(name, source, code, f"no to {name}", encode_payload(payload), 3)


def of_agent(name: str) -> DeadLetter:
    message = AgentMessage(name, "private", "did:plc:customer", SECRET, "2026-01-01T00:00:00Z")
    return DeadLetter(f"agent:{name}", "BlueskySender", "x", "no", encode_payload(message))


def of_post(rkey: str, **changes: object) -> DeadLetter:
    """A hit that could not be read then."""
    uri = f"at://did:plc:alice/app.bsky.feed.post/{rkey}"
    view = {
        "uri": uri,
        "cid": "bafypost",
        "author": {"did": "did:plc:alice", "handle": "alice.example"},
        "record": {"text": SECRET, "createdAt": "2026-01-01T00:00:00.000Z"},
    }
    return make_post_letter("SearchPoller", {**view, **changes}, "search", BROKEN, uri=uri)


def of_webhook(message_id: str) -> DeadLetter:
    """A body that can be read now."""
    body = {
        "id": message_id,
        "type": "Text",
        "text": SECRET,
        "channel": {"type": "Private", "to": {"id": "did:plc:customer"}},
    }
    return DeadLetter(f"webhook:{message_id}", "WebhookReceiver", "m", "w", json.dumps(body))


def read_queues(settings: Settings) -> dict[str, list[str]]:
    """The item ids of every conversation in the journal."""
    with connect(settings) as client:
        prefix = f"{{bluesky-genesys:{settings.gc_integration_id}}}:queue:"
        return {
            key.decode().removeprefix(prefix): [
                element.decode().split("\n", 2)[2] for element in client.lrange(key, 0, -1)
            ]
            for key in client.scan_iter(f"{prefix}*")
        }


def connect(settings: Settings) -> redis.Redis:
    """To look past the connector's code."""
    assert settings.redis_url is not None
    return redis.Redis.from_url(settings.redis_url.get_secret_value())


def make_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Of a process of its own."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environ}


def at_terminal(*arguments: str, environ: Mapping[str, str], typed: str = "") -> str:
    """Run a command at a terminal of 120 columns where somebody types; returns what is shown."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (50, 120))
    command = [*COMMAND, "dead-letters", *arguments]
    with subprocess.Popen(
        command, stdin=there, stdout=there, stderr=there, env=make_environ(environ)
    ) as process:
        os.close(there)
        os.write(here, typed.encode())
        shown = b""
        # Reading fails when nobody has the other end open any more.
        with suppress(OSError):
            while part := os.read(here, 1024):
                shown += part
        process.wait(30)
    os.close(here)
    return shown.decode()

"""Sets the stage for one run: the stand-ins, and between them the connector or a bare loop."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import trio

from bench.content import (
    BRAND_HANDLE,
    DIVISION_ID,
    INTEGRATION_ID,
    RULE_ID,
    SOURCE_ID,
    TOPIC_ID,
    WEBHOOK_SECRET,
)
from bench.filling import fill_journal
from bench.processes import BenchError, Subject, start
from bench.wire import HOST, ask, ask_status

CONNECTIONS = 20
"""Over which webhooks come."""
LOOKERS = 4
"""How many requests for posts, and how many bulk requests, there may be at once."""
POSTERS = 8
"""How many answers are carried out at once, unless a case says otherwise."""
CONTACTS = {
    "ENABLE_EXTERNAL_CONTACTS": "true",
    "GC_EXTERNAL_SOURCE_ID": SOURCE_ID,
    "GC_EC_DIVISION_ID": DIVISION_ID,
}
WITHIN_S = 180.0

_READY = 200

_FAST = "1000000/60s"
_PACED = (
    "NOTIFICATION_POLLER",
    "WEBHOOK_RECEIVER",
    "GENESYS_SENDER",
    "BLUESKY_SENDER",
    "CONTACT_RESOLVER",
    "DM_POLLER",
    "DEDUP_STORE",
)


class Platforms:
    """The stand-ins, seen from outside their process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://{HOST}:{port}"

    async def wait_until_held(self) -> None:
        """Until there is a first request of the held kind."""
        await ask(self._port, "GET", "/bench/held")

    async def release(self) -> None:
        """Let it go on, and all that follow."""
        await ask(self._port, "POST", "/bench/release")

    async def finish(self) -> dict[str, Any]:
        """Wait until all has come that is expected; the report.

        Raises:
            BenchError: it does not.
        """
        with trio.move_on_after(WITHIN_S):
            await ask(self._port, "GET", "/bench/finished")
            return await self.report()
        report = await self.report()
        counts = (f"{len(report[name])} {name}" for name in ("ingested", "written", "receipts"))
        raise BenchError(f"not all came within {WITHIN_S:g} s: {', '.join(counts)}")

    async def write(self, kind: Literal["mention", "message"], number: int) -> None:
        """Have a customer write now."""
        await ask(self._port, "POST", f"/bench/{kind}?number={number}")

    async def find_waits(self, interval_s: float) -> dict[str, float]:
        """How many seconds after it was shown, or was to be shown, each of these was ingested."""
        return await ask(self._port, "GET", f"/bench/waits?interval_s={interval_s:g}")

    async def report(self) -> dict[str, Any]:
        """What has come so far."""
        return await ask(self._port, "GET", "/bench/report")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the stand-ins wait for, and which XRPC calls they hold until they are released."""

    mentions: int = 0
    answers: int = 0
    others: int = 0
    contacts: int = 0
    hold: str | None = None

    def arguments(self) -> list[str]:
        """For ``python -m bench.platforms``."""
        hold = [f"--hold={self.hold}"] if self.hold else []
        counts = ("mentions", "answers", "others", "contacts")
        return [*(f"--{name}={getattr(self, name)}" for name in counts), *hold]


@asynccontextmanager
async def open_connector(
    expected: Expected, variables: Mapping[str, str] | None = None, *, journal: int = 0
) -> AsyncIterator[tuple[Platforms, Subject]]:
    """The connector between the stand-ins, in a folder of its own.

    Args:
        expected: what the stand-ins wait for.
        variables: that differ from what all cases have.
        journal: how many of the mentions wait in its journal when it starts.
    """
    async with _open_platforms(expected) as (platforms, folder):
        together = {**_make_variables(platforms.url, folder), **(variables or {})}
        if journal:
            await fill_journal(together, journal)
        async with start("connector.cli", ["run"], folder, together) as subject:
            yield platforms, subject


@asynccontextmanager
async def open_bare(
    expected: Expected, kind: str, numbers: Sequence[int] = ()
) -> AsyncIterator[tuple[Platforms, Subject]]:
    """A bare loop between the stand-ins."""
    async with _open_platforms(expected) as (platforms, folder):
        arguments = [kind, platforms.url, *map(str, numbers)]
        async with start("bench.bare", arguments, folder) as subject:
            yield platforms, subject


@asynccontextmanager
async def _open_platforms(expected: Expected) -> AsyncIterator[tuple[Platforms, Path]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with start("bench.platforms", expected.arguments(), Path(folder)) as subject:
            yield Platforms(await subject.read_port()), Path(folder)


async def wait_until_idle(port: int) -> None:
    """Until the connector has logged in to Bluesky, and its journal is empty."""
    with trio.fail_after(WITHIN_S):
        while True:
            health = await ask(port, "GET", "/health")
            pollers = [health["actors"][name] for name in ("NotificationPoller", "DMPoller")]
            polled = all(poller["last_success"] for poller in pollers)
            if polled and health["journal"]["depth"] == 0:
                return
            await trio.sleep(0.05)


async def wait_until_ready(port: int) -> None:
    """Until the connector says so itself."""
    with trio.fail_after(WITHIN_S):
        while await ask_status(port, "/readyz") != _READY:  # noqa: ASYNC110 - it is a process
            await trio.sleep(0.02)


def _make_variables(url: str, folder: Path) -> dict[str, str]:
    """Paces that hold nothing up, and as much at once as the bare loops do."""
    return {
        "BLUESKY_HANDLE": BRAND_HANDLE,
        "BLUESKY_APP_PASSWORD": "bench",
        "BLUESKY_SERVICE_URL": url,
        "BLUESKY_BUDGET": _FAST,
        "GC_REGION": "bench.example",
        "GC_API_URL": url,
        "GC_LOGIN_URL": url,
        "GC_CC_CLIENT_ID": "bench",
        "GC_CC_CLIENT_SECRET": "bench",
        "GC_INTEGRATION_ID": INTEGRATION_ID,
        "GC_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "GC_SOCIAL_TOPIC_ID": TOPIC_ID,
        "GC_SOCIAL_RULE_ID": RULE_ID,
        "GENESYS_BUDGET": _FAST,
        "HOST": HOST,
        "PORT": "0",
        "STATE_DIR": str(folder / "state"),
        "NOTIFICATION_POLLER_CONCURRENCY": str(LOOKERS),
        "GENESYS_SENDER_CONCURRENCY": str(LOOKERS),
        "GENESYS_SENDER_MAILBOX": "256",
        "BLUESKY_SENDER_CONCURRENCY": str(POSTERS),
        "CONTACT_RESOLVER_CONCURRENCY": str(POSTERS),
        **{f"{actor}_RATE": _FAST for actor in _PACED},
    }

"""All commits to records, one after the other, as Jetstream tells of them."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator
from typing import Any

import trio

from sandbox.bluesky.identifiers import Clock, Json, TidClock
from sandbox.bluesky.repository import Record


class CommitStream:
    """Events in the form of Jetstream's ``/subscribe``: lines of JSON, by their ``time_us``.

    Attributes:
        readers: how many are connected.
    """

    def __init__(self, clock: Clock) -> None:
        self.readers = 0
        self._clock = clock
        self._revisions = TidClock(clock, random.Random(0))  # noqa: S311 (no secrets here)
        self._lines: list[tuple[int, str, str]] = []
        self._news = trio.Event()
        self._cut = trio.Event()

    def add(self, before: Record | None, after: Record | None) -> None:
        """A record was written or deleted."""
        record = after or before
        if record is None:
            return
        operation = "delete" if after is None else "create" if before is None else "update"
        commit: Json = {
            "rev": self._revisions.next(),
            "operation": operation,
            "collection": record.uri.collection,
            "rkey": record.uri.record_key,
        }
        if after is not None:
            commit = {**commit, "record": after.value, "cid": after.cid}
        self.tell(record.uri.did, record.uri.collection, {"kind": "commit", "commit": commit})

    def tell(self, did: str, collection: str, content: dict[str, Any]) -> None:
        """Any event about an account."""
        time_us = self._next_time()
        event = {"did": did, "time_us": time_us, **content}
        # As the original: characters stand for themselves.
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._append(time_us, collection, line)

    def babble(self, line: str) -> None:
        """Something that is no event, to everybody."""
        self._append(self._next_time(), "", line)

    def cut(self) -> None:
        """Close the connections of all who are connected."""
        self._cut.set()
        self._cut = trio.Event()

    async def wait_cut(self) -> None:
        """Return at the next :meth:`cut`."""
        await self._cut.wait()

    async def read(self, position: int) -> AsyncGenerator[tuple[str, str], None]:
        """Collection and line of each event from a position on, for ever."""
        while True:
            for _, collection, line in self._lines[position : position + 100]:
                position += 1
                yield collection, line
            if position == len(self._lines):
                await self._news.wait()

    def find(self, cursor_us: int | None) -> int:
        """The position of the first event since then; ``None``: of the next one."""
        if cursor_us is None:
            return len(self._lines)
        for position, (time_us, _, _) in enumerate(self._lines):
            if time_us >= cursor_us:
                return position
        return len(self._lines)

    def _append(self, time_us: int, collection: str, line: str) -> None:
        self._lines.append((time_us, collection, line))
        self._news.set()
        self._news = trio.Event()

    def _next_time(self) -> int:
        now_us = int(self._clock().timestamp() * 1e6)
        return max(now_us, self._lines[-1][0] + 1) if self._lines else now_us

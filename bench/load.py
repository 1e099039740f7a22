"""The webhooks of many agents at once, and how long each had to wait for its answer."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import trio

from bench.content import WEBHOOK_SECRET, AgentAnswer
from bench.wire import Connection
from sandbox.genesys.outbound import SIGNATURE_HEADER, sign


@dataclass(slots=True)
class Load:
    """What became of the webhooks. Times are those of ``time.perf_counter``, in seconds."""

    began_at: float = 0.0
    ended_at: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_s(self) -> float:
        """Webhooks answered in a second."""
        return len(self.latencies_s) / (self.ended_at - self.began_at)

    def percentile_ms(self, percent: float) -> float:
        """So many of a hundred waited no longer, in milliseconds."""
        ranked = sorted(self.latencies_s)
        return ranked[math.ceil(percent / 100 * len(ranked)) - 1] * 1000


async def post_webhooks(port: int, answers: Sequence[AgentAnswer], connections: int) -> Load:
    """Post all webhooks to ``/webhook``, one after the other on each connection.

    Bodies are signed and connections are warm before the first one goes out.
    """
    load = Load()
    bodies = [answer.body() for answer in answers]
    prepared = iter([(body, ((SIGNATURE_HEADER, sign(WEBHOOK_SECRET, body)),)) for body in bodies])
    opened = [await Connection.open(port) for _ in range(connections)]
    for connection in opened:
        await connection.request("GET", "/livez")
    load.began_at = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for connection in opened:
            nursery.start_soon(_post, connection, prepared, load)
    load.ended_at = time.perf_counter()
    for connection in opened:
        await connection.aclose()
    return load


async def _post(
    connection: Connection,
    prepared: Iterator[tuple[bytes, tuple[tuple[str, str], ...]]],
    load: Load,
) -> None:
    for body, headers in prepared:
        began_at = time.perf_counter()
        status, _ = await connection.request("POST", "/webhook", body, headers)
        load.latencies_s.append(time.perf_counter() - began_at)
        load.statuses[status] += 1

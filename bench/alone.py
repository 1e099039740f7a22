"""What is measured without a bare loop: memory, start-up, growth, waiting, the store's share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import trio

from bench.content import AgentAnswer
from bench.figures import check_answers, check_mentions
from bench.genesys import INGEST
from bench.load import post_webhooks
from bench.processes import BenchError
from bench.redis_traffic import Traffic, watch
from bench.staging import (
    CONNECTIONS,
    Expected,
    Platforms,
    open_connector,
    wait_until_idle,
    wait_until_ready,
)
from bench.table import Fact

REST_S = 5.0
"""So long it has nothing to do before its memory is read."""
INTERVAL_S = 1.0
"""From one poll to the next where waiting times are measured."""
WRITTEN = 100
"""Mentions, and as many direct messages, whose waiting times are measured."""
WRITTEN_EVERY_S = 0.13
LOAD_PER_S = 50
"""Agents' answers a second meanwhile: about half of what is carried out at most."""
CARRIED = 1000

_PATIENT = {"REQUEST_DEADLINE_S": "120", "STORE_DEADLINE_S": "60"}
_POLLS = {
    "POLLING_TIME_INBOUND_NOTIFICATIONS": f"{INTERVAL_S:g}",
    "POLLING_TIME_DM": f"{INTERVAL_S:g}",
}


async def measure_rest() -> list[Fact]:
    """Start it with nothing to do."""
    async with open_connector(Expected()) as (_, subject):
        began_s = subject.started_at
        port = await subject.read_port()
        await wait_until_ready(port)
        ready_s, started_cpu_s = trio.current_time() - began_s, subject.cpu_s()
        await wait_until_idle(port)
        await trio.sleep(REST_S)
        rest_mb = subject.memory_mb()
        await subject.stop()
    return [
        Fact("start-up until ready, s", ready_s, 2),
        Fact("start-up until ready, processor s", started_cpu_s, 2),
        Fact("memory at rest, MB", rest_mb),
    ]


async def measure_growth(count: int) -> list[Fact]:
    """What a message costs of so many in the journal, and what of ten times as many.

    The smaller one is measured before and after the larger one: what others do on the machine
    changes within a minute, and by more than is looked for.
    """
    before, (larger_ms, larger), after = [
        await _measure_leaving(one) for one in (count, 10 * count, count)
    ]
    smaller_ms = (before[0] + after[0]) / 2
    told = f"ten times {count:,} in the journal, processor time of a message, times"
    return [*after[1], *larger, Fact(told, larger_ms / smaller_ms, 2)]


async def measure_backlog(count: int) -> list[Fact]:
    """What is in memory with so many in the journal, and what they cost."""
    _, facts = await _measure_leaving(count)
    return facts


async def _measure_leaving(count: int) -> tuple[float, list[Fact]]:
    """Start it with so many mentions in its journal while Genesys answers nobody; then it does.

    Returns also what each costs, in milliseconds of processor time.
    """
    expected = Expected(others=count, hold=INGEST)
    async with open_connector(expected, _PATIENT, journal=count) as (platforms, subject):
        await platforms.wait_until_held()
        await trio.sleep(REST_S)
        waiting_mb, before_s = subject.memory_mb(), subject.cpu_s()
        await platforms.release()
        report = await platforms.finish()
        check_mentions(report, count)
        cpu_ms = (subject.cpu_s() - before_s) / count * 1000
        per_s = count / (report["finished_at"] - report["released_at"])
        peak_mb, redis_mb = subject.peak_mb(), subject.redis_peak_mb()
        await subject.stop()
    told = f"with {count:,} in the journal"
    return cpu_ms, [
        Fact(f"memory {told}, MB", waiting_mb),
        Fact(f"peak memory while they leave it, {told}, MB", peak_mb),
        Fact(f"redis-server {told}, MB", redis_mb),
        Fact(f"messages a second {told}", per_s),
        Fact(f"processor ms a message {told}", cpu_ms, 3),
    ]


async def measure_waits(*, loaded: bool) -> list[Fact]:
    """Customers write one after the other, while agents are silent or answer all the time."""
    answers = math.ceil(LOAD_PER_S * WRITTEN * WRITTEN_EVERY_S) if loaded else 0
    expected = Expected(answers=answers, others=2 * WRITTEN)
    async with open_connector(expected, _POLLS) as (platforms, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        async with trio.open_nursery() as nursery:
            if loaded:
                nursery.start_soon(_answer_steadily, port, answers)
            await _write_steadily(platforms)
        report = await platforms.finish()
        check_answers(report, answers)
        if set(report["ingested"].values()) != {1}:
            raise BenchError("not every message of a customer was ingested once")
        waits = await platforms.find_waits(INTERVAL_S)
        await subject.stop()
    when = f"with {LOAD_PER_S} answers a second" if loaded else "idle"
    mentions = [wait_s for text, wait_s in waits.items() if text.startswith("@")]
    messages = [wait_s for text, wait_s in waits.items() if not text.startswith("@")]
    kinds = (("mention", mentions), ("direct message", messages))
    return [
        Fact(f"{kind}, shown to ingested, {when}, p{percent}, ms", 1000 * _rank(found, percent))
        for kind, found in kinds
        for percent in (50, 99)
    ]


async def measure_store() -> list[Fact]:
    """What a message costs Redis, each way."""
    hold = "app.bsky.notification.listNotifications"
    async with open_connector(Expected(mentions=CARRIED, hold=hold)) as (platforms, subject):
        await platforms.wait_until_held()
        async with watch(subject.folder / "state") as inbound:
            await platforms.release()
            check_mentions(await platforms.finish(), CARRIED)
            await wait_until_idle(await subject.read_port())
        await subject.stop()
    variables = {"BLUESKY_SENDER_CONCURRENCY": "32"}
    async with open_connector(Expected(answers=CARRIED), variables) as (platforms, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        answers = [AgentAnswer(number) for number in range(CARRIED)]
        async with watch(subject.folder / "state") as outbound:
            await post_webhooks(port, answers, CONNECTIONS)
            check_answers(await platforms.finish(), CARRIED)
            await wait_until_idle(port)
        await subject.stop()
    ways = (("inbound", inbound), ("outbound", outbound))
    return [fact for way, traffic in ways for fact in _tell_traffic(way, traffic)]


def _tell_traffic(way: str, traffic: Traffic) -> list[Fact]:
    return [
        Fact(f"{way}, Redis commands sent a message", traffic.sent / CARRIED, 2),
        Fact(f"{way}, commands that its scripts make of them", traffic.scripted / CARRIED, 1),
        Fact(f"{way}, bytes to and from Redis a message", traffic.bytes / CARRIED),
    ]


async def _write_steadily(platforms: Platforms) -> None:
    for number in range(WRITTEN):
        await platforms.write("mention", number)
        await trio.sleep(WRITTEN_EVERY_S / 2)
        await platforms.write("message", number)
        await trio.sleep(WRITTEN_EVERY_S / 2)


async def _answer_steadily(port: int, count: int) -> None:
    answers = [AgentAnswer(number) for number in range(count)]
    async with trio.open_nursery() as nursery:
        for start in range(0, count, LOAD_PER_S // 10):
            some = answers[start : start + LOAD_PER_S // 10]
            nursery.start_soon(partial(post_webhooks, port, some, connections=1))
            await trio.sleep(0.1)


def _rank(values: Sequence[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[math.ceil(percent / 100 * len(ranked)) - 1]

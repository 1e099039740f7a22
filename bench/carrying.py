"""The cases that run beside a bare loop: so many messages one way, by the connector and by it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import trio

from bench.content import AgentAnswer
from bench.figures import Figures, check_answers, check_contacts, check_mentions, make_figures
from bench.load import Load, post_webhooks
from bench.processes import ROOT, BenchError, Subject, start
from bench.staging import (
    CONNECTIONS,
    CONTACTS,
    LOOKERS,
    Expected,
    Platforms,
    open_bare,
    open_connector,
    wait_until_idle,
)
from bench.wire import ask

POSTS = 10_000

_LISTING = "app.bsky.notification.listNotifications"


async def run_inbound_connector(count: int, *, contacts: bool) -> Figures:
    """So many mentions wait; from the first answer of Bluesky to the last of Genesys."""
    expected = Expected(mentions=count, contacts=count if contacts else 0, hold=_LISTING)
    async with open_connector(expected, CONTACTS if contacts else {}) as (platforms, subject):
        return await _measure_inbound(platforms, subject, expected)


async def run_inbound_bare(count: int, *, contacts: bool) -> Figures:
    """The same by a bare loop."""
    expected = Expected(mentions=count, contacts=count if contacts else 0, hold=_LISTING)
    kind = "inbound-contacts" if contacts else "inbound"
    async with open_bare(expected, kind, [LOOKERS]) as (platforms, subject):
        return await _measure_inbound(platforms, subject, expected)


async def run_outbound_connector(count: int, at_once: int) -> Figures:
    """So many webhooks; from the first of them to the last receipt."""
    variables = {"BLUESKY_SENDER_CONCURRENCY": str(at_once)}
    async with open_connector(Expected(answers=count), variables) as (platforms, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        return await _measure_outbound(platforms, subject, port, count)


async def run_outbound_relay(count: int, at_once: int) -> Figures:
    """The same by a relay that keeps all in memory."""
    async with open_bare(Expected(answers=count), "relay", [at_once]) as (platforms, subject):
        return await _measure_outbound(platforms, subject, await subject.read_port(), count)


async def run_outbound_writes(count: int, at_once: int) -> Figures:
    """Only the two calls that write, for each answer, and no webhooks."""
    expected = Expected(answers=count, hold="com.atproto.repo.putRecord")
    async with open_bare(expected, "outbound", [at_once, count]) as (platforms, subject):
        figures = await _measure_released(platforms, subject, count)
        check_answers(await platforms.report(), count)
    return figures


async def run_webhooks_connector(count: int, connections: int) -> Figures:
    """Webhooks made durable, while Bluesky answers nobody and all of them wait."""
    expected = Expected(answers=count, hold="app.bsky.feed.getPosts")
    async with open_connector(expected) as (_, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        figures = await _measure_webhooks(subject, port, count, connections)
        depth = (await ask(port, "GET", "/health"))["journal"]["depth"]
        if depth != count:
            raise BenchError(f"{depth} of {count} webhooks are in the journal")
        await subject.stop()
    return figures


async def run_webhooks_bare(count: int, connections: int) -> Figures:
    """The same webhooks, answered by a bare ASGI function."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with start("bench.bare", ["webhooks"], Path(folder)) as subject:
            port = await subject.read_port()
            return await _measure_webhooks(subject, port, count, connections)


async def run_translating(kind: str) -> Figures:
    """10,000 mixed posts become bodies for Genesys, or only some fields are taken of them."""
    command = [sys.executable, "-m", "bench.translating", kind, str(POSTS)]
    process = await trio.run_process(command, capture_stdout=True, cwd=ROOT)
    said = json.loads(process.stdout)
    if said["posts"] != POSTS:
        raise BenchError(f"{said['posts']} of {POSTS} posts were translated")
    return Figures(
        per_s=POSTS / said["all_s"],
        cpu_ms=said["all_s"] * 1000 / POSTS,
        peak_mb=said["peak_mb"],
        slowest_ms=said["slowest_s"] * 1000,
    )


async def _measure_inbound(platforms: Platforms, subject: Subject, expected: Expected) -> Figures:
    figures = await _measure_released(platforms, subject, expected.mentions)
    report = await platforms.report()
    check_mentions(report, expected.mentions)
    check_contacts(report, expected.contacts)
    return figures


async def _measure_released(platforms: Platforms, subject: Subject, count: int) -> Figures:
    await platforms.wait_until_held()
    before_s = subject.cpu_s()
    await platforms.release()
    report = await platforms.finish()
    elapsed_s = report["finished_at"] - report["released_at"]
    figures = make_figures(subject, before_s, elapsed_s, count)
    await subject.stop()
    return figures


async def _measure_outbound(
    platforms: Platforms, subject: Subject, port: int, count: int
) -> Figures:
    before_s = subject.cpu_s()
    load = await _load(port, count, CONNECTIONS)
    report = await platforms.finish()
    elapsed_s = report["finished_at"] - load.began_at
    figures = make_figures(subject, before_s, elapsed_s, count, load)
    await subject.stop()
    check_answers(await platforms.report(), count)
    return figures


async def _measure_webhooks(subject: Subject, port: int, count: int, connections: int) -> Figures:
    before_s = subject.cpu_s()
    load = await _load(port, count, connections)
    return make_figures(subject, before_s, load.ended_at - load.began_at, count, load)


async def _load(port: int, count: int, connections: int) -> Load:
    load = await post_webhooks(port, [AgentAnswer(one) for one in range(count)], connections)
    if load.statuses != {200: count}:
        raise BenchError(f"webhooks were answered {dict(load.statuses)}")
    return load

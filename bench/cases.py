"""The cases that are measured: the connector, and beside it the bare loops."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from bench.content import AgentAnswer, Mention
from bench.load import Load, post_webhooks
from bench.processes import ROOT, BenchError, Subject, start
from bench.staging import (
    CONNECTIONS,
    LOOKERS,
    POSTERS,
    Expected,
    Platforms,
    open_bare,
    open_connector,
    wait_until_idle,
)
from bench.wire import ask

MENTIONS = 2000
ANSWERS = 1000
POSTS = 10_000

_WAITING = Expected(mentions=MENTIONS, hold="app.bsky.notification.listNotifications")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of one case showed.

    ``cpu_ms`` is what a message costs of the processor, that of redis-server included.
    """

    per_s: float
    cpu_ms: float
    peak_mb: float
    redis_peak_mb: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    slowest_ms: float = 0.0


async def run_inbound_connector() -> Figures:
    """2,000 mentions wait; from the first answer of Bluesky to the last of Genesys."""
    async with open_connector(_WAITING) as (platforms, subject):
        return await _measure_inbound(platforms, subject)


async def run_inbound_bare() -> Figures:
    """The same by a bare loop."""
    async with open_bare(_WAITING, "inbound", [LOOKERS]) as (platforms, subject):
        return await _measure_inbound(platforms, subject)


async def run_outbound_connector() -> Figures:
    """1,000 webhooks; from the first of them to the last receipt."""
    async with open_connector(Expected(answers=ANSWERS)) as (platforms, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        return await _measure_outbound(platforms, subject, port)


async def run_outbound_relay() -> Figures:
    """The same by a relay that keeps all in memory."""
    async with open_bare(Expected(answers=ANSWERS), "relay", [POSTERS]) as (platforms, subject):
        return await _measure_outbound(platforms, subject, await subject.read_port())


async def run_outbound_writes() -> Figures:
    """Only the two calls that write, for each answer, and no webhooks."""
    expected = Expected(answers=ANSWERS, hold="com.atproto.repo.putRecord")
    async with open_bare(expected, "outbound", [POSTERS, ANSWERS]) as (platforms, subject):
        figures = await _measure_released(platforms, subject, ANSWERS)
        _check_answers(await platforms.report())
    return figures


async def run_webhooks_connector() -> Figures:
    """1,000 webhooks made durable, while Bluesky answers nobody and all of them wait."""
    expected = Expected(answers=ANSWERS, hold="app.bsky.feed.getPosts")
    async with open_connector(expected) as (_, subject):
        port = await subject.read_port()
        await wait_until_idle(port)
        figures = await _measure_webhooks(subject, port)
        depth = (await ask(port, "GET", "/health"))["journal"]["depth"]
        if depth != ANSWERS:
            raise BenchError(f"{depth} of {ANSWERS} webhooks are in the journal")
        await subject.stop()
    return figures


async def run_webhooks_bare() -> Figures:
    """1,000 webhooks, answered by a bare ASGI function."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with start("bench.bare", ["webhooks"], Path(folder)) as subject:
            return await _measure_webhooks(subject, await subject.read_port())


async def run_translating_connector() -> Figures:
    """10,000 mixed posts become bodies for Genesys; nothing is sent."""
    return await _measure_translating("connector")


async def run_translating_bare() -> Figures:
    """The same posts, of which only a few fields are taken."""
    return await _measure_translating("bare")


async def _measure_translating(kind: str) -> Figures:
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


async def _measure_inbound(platforms: Platforms, subject: Subject) -> Figures:
    figures = await _measure_released(platforms, subject, MENTIONS)
    expected = [Mention(number, "").text for number in range(MENTIONS)]
    check_once(await platforms.report(), "ingested", expected)
    return figures


async def _measure_released(platforms: Platforms, subject: Subject, count: int) -> Figures:
    await platforms.wait_until_held()
    before_s = subject.cpu_s()
    await platforms.release()
    report = await platforms.finish()
    elapsed_s = report["finished_at"] - report["released_at"]
    figures = _make_figures(subject, before_s, elapsed_s, count)
    await subject.stop()
    return figures


async def _measure_outbound(platforms: Platforms, subject: Subject, port: int) -> Figures:
    before_s = subject.cpu_s()
    load = await _load(port)
    report = await platforms.finish()
    elapsed_s = report["finished_at"] - load.began_at
    figures = _make_figures(subject, before_s, elapsed_s, ANSWERS, load)
    await subject.stop()
    _check_answers(await platforms.report())
    return figures


async def _measure_webhooks(subject: Subject, port: int) -> Figures:
    before_s = subject.cpu_s()
    load = await _load(port)
    return _make_figures(subject, before_s, load.ended_at - load.began_at, ANSWERS, load)


async def _load(port: int) -> Load:
    load = await post_webhooks(port, [AgentAnswer(one) for one in range(ANSWERS)], CONNECTIONS)
    if load.statuses != {200: ANSWERS}:
        raise BenchError(f"webhooks were answered {dict(load.statuses)}")
    return load


def _make_figures(
    subject: Subject, before_s: float, elapsed_s: float, count: int, load: Load | None = None
) -> Figures:
    return Figures(
        per_s=count / elapsed_s,
        cpu_ms=(subject.cpu_s() - before_s) / count * 1000,
        peak_mb=subject.peak_mb(),
        redis_peak_mb=subject.redis_peak_mb(),
        p50_ms=load.percentile_ms(50) if load else 0.0,
        p99_ms=load.percentile_ms(99) if load else 0.0,
    )


def _check_answers(report: Mapping[str, Any]) -> None:
    answers = [AgentAnswer(number) for number in range(ANSWERS)]
    check_once(report, "written", [answer.text for answer in answers])
    check_once(report, "receipts", [f"{answer.message_id} Delivered" for answer in answers])


def check_once(report: Mapping[str, Any], name: str, expected: Sequence[str]) -> None:
    """Exactly these came, each once, and nothing was asked that the stand-ins do not know."""
    came: dict[str, int] = report[name]
    wrong = {text: count for text, count in came.items() if count != 1}
    wrong |= {text: came.get(text, 0) for text in came.keys() ^ set(expected)}
    if wrong or report["unknown"]:
        some = dict(list(wrong.items())[:5])
        raise BenchError(f"{name}: not once each: {some}; unknown calls: {report['unknown'][:5]}")

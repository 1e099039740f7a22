"""Everything that is measured, and what is shown of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bench import alone, carrying
from bench.figures import Figures
from bench.staging import CONNECTIONS, POSTERS
from bench.table import Fact, Row

MENTIONS = 10_000
MENTIONS_WITH_CONTACTS = 2000
WEBHOOKS = 1000
SHORT_BACKLOG = 1000
BACKLOG = 10_000

Run: TypeAlias = Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A bare loop that a case is held against, and what is shown of both."""

    run: Run
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What the connector does, and the bare loops that run right after it."""

    name: str
    run: Run
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is measured without a bare loop.

    ``often`` says that it is measured in each round.
    """

    name: str
    run: Callable[[], Awaitable[list[Fact]]]
    often: bool = False


def _per_s(figures: Figures) -> float:
    return figures.per_s


def _cpu_ms(figures: Figures) -> float:
    return figures.cpu_ms


def _peak_mb(figures: Figures) -> float:
    return figures.peak_mb


def _p50_ms(figures: Figures) -> float:
    return figures.p50_ms


def _p99_ms(figures: Figures) -> float:
    return figures.p99_ms


def _slowest_ms(figures: Figures) -> float:
    return figures.slowest_ms


def _make_translation() -> Case:
    rows = (
        Row("**translation**, posts a second of processor time", _per_s),
        Row("translation, slowest single post, processor ms", _slowest_ms, 2),
        Row("translation, peak memory, MB", _peak_mb),
    )
    bare = Limit(partial(carrying.run_translating, "bare"), rows)
    return Case("translation", partial(carrying.run_translating, "connector"), (bare,))


def _make_inbound(count: int, *, contacts: bool) -> Case:
    what = f"inbound{' with contacts' if contacts else ''}, {count:,} wait"
    rows = (
        Row(f"**{what}**, messages a second", _per_s),
        Row(f"{what}, processor ms a message", _cpu_ms, 2),
        Row(f"{what}, peak memory, MB", _peak_mb),
    )
    run = partial(carrying.run_inbound_connector, count, contacts=contacts)
    bare = partial(carrying.run_inbound_bare, count, contacts=contacts)
    return Case(what, run, (Limit(bare, rows),))


def _make_outbound(count: int, at_once: int) -> Case:
    what = f"outbound, {at_once} at once"
    rows = (
        Row(f"**{what}**, messages a second, webhook to receipt", _per_s),
        Row(f"{what}, processor ms a message", _cpu_ms, 2),
        Row(f"{what}, peak memory, MB", _peak_mb),
        Row(f"{what}, webhook p50 meanwhile, ms", _p50_ms, 1),
        Row(f"{what}, webhook p99 meanwhile, ms", _p99_ms, 1),
    )
    limits = [Limit(partial(carrying.run_outbound_relay, count, at_once), rows)]
    if at_once == POSTERS:
        row = Row(f"{what}, beside a loop of only the two calls that write", _per_s)
        limits.append(Limit(partial(carrying.run_outbound_writes, count, at_once), (row,)))
    return Case(what, partial(carrying.run_outbound_connector, count, at_once), tuple(limits))


def _make_webhooks(count: int, connections: int) -> Case:
    what = f"webhooks over {connections} connection{'s' if connections > 1 else ''}"
    rows = (
        Row(f"**{what}**, durable 200s a second", _per_s),
        Row(f"{what}, processor ms a webhook", _cpu_ms, 2),
        Row(f"{what}, p50, ms", _p50_ms, 1),
        Row(f"{what}, p99, ms", _p99_ms, 1),
    )
    bare = Limit(partial(carrying.run_webhooks_bare, count, connections), rows)
    return Case(what, partial(carrying.run_webhooks_connector, count, connections), (bare,))


CASES = (
    _make_translation(),
    _make_inbound(MENTIONS, contacts=False),
    _make_inbound(MENTIONS // 10, contacts=False),
    _make_inbound(MENTIONS_WITH_CONTACTS, contacts=True),
    _make_outbound(WEBHOOKS // 3, 1),
    _make_outbound(WEBHOOKS, POSTERS),
    _make_outbound(WEBHOOKS, 32),
    _make_webhooks(WEBHOOKS // 2, 1),
    _make_webhooks(2 * WEBHOOKS, CONNECTIONS),
    _make_webhooks(2 * WEBHOOKS, 100),
)

INQUIRIES = (
    Inquiry("rest", alone.measure_rest, often=True),
    Inquiry(f"backlog of {SHORT_BACKLOG:,}", partial(alone.measure_backlog, SHORT_BACKLOG)),
    Inquiry("backlog, ten times as large", partial(alone.measure_growth, BACKLOG), often=True),
    Inquiry("waiting times, idle", partial(alone.measure_waits, loaded=False)),
    Inquiry("waiting times, half load", partial(alone.measure_waits, loaded=True)),
    Inquiry("Redis", alone.measure_store),
)

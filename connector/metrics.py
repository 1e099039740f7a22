"""What ``/metrics`` shows, for Prometheus. docs/monitoring.md explains each.

All of it is read from memory when it is asked for. The counters belong to the supervisor, so no
restart of an actor resets them. There is no text in it, and nobody's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.dedup_store import StoreState
from connector.clients import Budgets
from connector.house import House
from connector.latencies import Latencies
from runtime.clock import WallClock
from runtime.rate import Budget
from runtime.statistics import ActorStatistics, State

PREFIX = "bluesky_genesys_"

_STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers come from; none of it waits."""

    actors: Callable[[], tuple[ActorStatistics, ...]]
    store: Callable[[], StoreState]
    leads: Callable[[], bool]
    budgets: Budgets
    latencies: Latencies
    clock: WallClock
    version: str


def make_metrics(house: House, latencies: Latencies, clock: WallClock) -> Callable[[], bytes]:
    """What to answer a scrape of this house with."""
    return make_exposition(
        Sources(
            actors=house.supervisor.statistics,
            store=house.gauge.read,
            leads=lambda: house.duty.is_on,
            budgets=house.budgets,
            latencies=latencies,
            clock=clock,
            version=version("bluesky-genesys"),
        )
    )


def make_exposition(sources: Sources) -> Callable[[], bytes]:
    """What to answer a scrape with: Prometheus' text format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(HouseCollector(sources))
    return lambda: generate_latest(registry)


class HouseCollector(Collector):
    """Reads everything anew at each scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """All metrics but those of the process."""
        sources = self._sources
        build = InfoMetricFamily(f"{PREFIX}build", "The connector's version.")
        build.add_metric((), {"version": sources.version})
        yield build
        yield _gauge(
            "leader", "Whether this process leads: it alone polls and sends.", sources.leads()
        )
        yield from _read_actors(sources.actors())
        yield from _read_store(sources.store(), sources.clock())
        yield from _read_budgets(sources.budgets)
        yield from sources.latencies.collect()


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _read_actors(actors: tuple[ActorStatistics, ...]) -> Iterator[Metric]:
    gauges: list[tuple[str, str, Callable[[ActorStatistics], float | None]]] = [
        ("actor_busy", "How many things the actor does now.", lambda one: one.busy),
        ("actor_concurrency", "How many things it may do at once.", lambda one: one.concurrency),
        (
            "actor_rate_wait_seconds",
            "How long its own rate holds the next request up.",
            lambda one: one.waiting_s,
        ),
        (
            "actor_lag_seconds",
            "The age of the oldest thing that a poller knows of and has not taken in.",
            lambda one: one.lag_s,
        ),
        (
            "actor_last_success_timestamp_seconds",
            "When something last worked, in unix time.",
            lambda one: one.last_success,
        ),
    ]
    for name, text, read in gauges:
        gauge = GaugeMetricFamily(PREFIX + name, text, labels=("actor",))
        for actor in actors:
            if (value := read(actor)) is not None:
                gauge.add_metric((actor.name,), value)
        yield gauge
    yield from _read_mailboxes(actors)
    yield from _read_counters(actors)
    yield _read_states(actors)


def _read_mailboxes(actors: tuple[ActorStatistics, ...]) -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        f"{PREFIX}mailbox_depth", "How many messages wait in memory.", labels=("actor",)
    )
    capacity = GaugeMetricFamily(
        f"{PREFIX}mailbox_capacity", "How many may wait there.", labels=("actor",)
    )
    held_up = GaugeMetricFamily(
        f"{PREFIX}mailbox_waiting_senders",
        "How many wait for room in the mailbox.",
        labels=("actor",),
    )
    for actor in actors:
        if actor.mailbox is not None:
            depth.add_metric((actor.name,), actor.mailbox.depth)
            capacity.add_metric((actor.name,), actor.mailbox.capacity)
            held_up.add_metric((actor.name,), actor.mailbox.waiting_senders)
    yield from (depth, capacity, held_up)


def _read_counters(actors: tuple[ActorStatistics, ...]) -> Iterator[Metric]:
    handled = CounterMetricFamily(
        f"{PREFIX}actor_handled", "Things that the actor did.", labels=("actor",)
    )
    failed = CounterMetricFamily(f"{PREFIX}actor_failed", "Things that failed.", labels=("actor",))
    restarts = CounterMetricFamily(
        f"{PREFIX}actor_restarts", "Restarts after a crash.", labels=("actor",)
    )
    skipped = CounterMetricFamily(
        f"{PREFIX}actor_skipped", "Things left out on purpose.", labels=("actor", "reason")
    )
    for actor in actors:
        handled.add_metric((actor.name,), actor.handled)
        failed.add_metric((actor.name,), actor.failed)
        restarts.add_metric((actor.name,), actor.restarts)
        for reason, count in actor.skipped.items():
            skipped.add_metric((actor.name, reason), count)
    yield from (handled, failed, restarts, skipped)


def _read_states(actors: tuple[ActorStatistics, ...]) -> Metric:
    states = GaugeMetricFamily(
        f"{PREFIX}actor_state", "1 for the state that the actor is in.", labels=("actor", "state")
    )
    for actor in actors:
        for state in _STATES:
            states.add_metric((actor.name, state), state == actor.state)
    return states


def _read_store(store: StoreState, now: float) -> Iterator[Metric]:
    oldest = store.oldest_recorded_at
    age_s = 0.0 if oldest is None else max(0.0, now - oldest)
    yield _gauge("store_up", "Whether the store can be used.", store.status == "ok")
    yield _gauge("journal_entries", "How many items wait in the journal.", store.depth)
    yield _gauge("journal_oldest_seconds", "The age of the oldest of them.", age_s)
    yield _gauge("dead_letters", "How many dead letters are kept.", store.dead_letters)


def _read_budgets(budgets: Budgets) -> Iterator[Metric]:
    labels = ("budget", "window")
    remaining = GaugeMetricFamily(
        f"{PREFIX}budget_remaining", "What the platform still allows now.", labels=labels
    )
    limit = GaugeMetricFamily(
        f"{PREFIX}budget_limit", "What it allows in each window.", labels=labels
    )
    wait = GaugeMetricFamily(
        f"{PREFIX}budget_wait_seconds", "How long it holds the next request up.", labels=labels
    )
    named: dict[str, Budget] = {
        "bluesky_requests": budgets.bluesky,
        "bluesky_write_points": budgets.bluesky_writes,
        "genesys_requests": budgets.genesys,
    }
    for name, budget in named.items():
        for bucket in budget.statistics():
            values = (name, f"{bucket.rate.per_s:g}s")
            remaining.add_metric(values, bucket.remaining)
            limit.add_metric(values, bucket.rate.count)
            wait.add_metric(values, bucket.waiting_s)
    yield from (remaining, limit, wait)

"""``/metrics`` says what is true, in a form that Prometheus reads, and nothing about anybody."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from trio.testing import MockClock

from actors.dedup_store import StoreState
from actors.messages import Destination
from actors.steps import Step, StepName
from connector.clients import make_budgets
from connector.environment import load_settings
from connector.latencies import Latencies
from connector.metrics import Sources, make_exposition
from connector.step_times import Deliveries
from tests.connector.connected import Connected, open_connected
from tests.connector.test_settings import REQUIRED

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

STEP = Step(
    name="recorded",
    message="post:at://a/b/c",
    item_id="post:at://a/b/c",
    kind="inbound_post",
    destination=Destination.GENESYS_SENDER,
    conversation="thread:at://a/b/c",
    at=1000.0,
    recorded_at=1000.0,
    written_at=990.0,
    attempts=0,
)


def parse(text: str) -> Samples:
    """Every sample that the official parser finds, by name and labels; none comes twice."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in samples, key
            samples[key] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample; the name is without the prefix."""
    return samples[f"bluesky_genesys_{name}", frozenset(labels.items())]


def read(latencies: Latencies) -> Samples:
    """What they would add to a scrape."""

    class Only(Collector):
        collect = staticmethod(latencies.collect)

    registry = CollectorRegistry()
    registry.register(Only())
    return parse(generate_latest(registry).decode())


async def scrape(connected: Connected) -> tuple[str, Samples]:
    """What Prometheus gets."""
    answer = await connected.http.get(f"{connected.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text, parse(answer.text)


async def test_a_conversation_shows_in_the_metrics(tmp_path: Path) -> None:
    """What was carried each way is counted and timed; no text, handle or DID is in it."""
    async with open_connected(tmp_path) as connected:
        conversation = await connected.conversation()
        sent = connected.world.genesys.agent_reply(conversation, "CANARY-ANSWER", public=True)
        assert await connected.concluded(sent) == "Delivered"
        await connected.until("ContactResolver", lambda actor: actor["handled"] >= 1)
        await connected.until("GenesysSender", lambda actor: actor["handled"] >= 2)
        text, samples = await scrape(connected)

    for kind in ("inbound_post", "agent_message", "receipt", "resolve_contact"):
        assert value(samples, "steps_total", step="done", kind=kind) >= 1
        assert value(samples, "steps_total", step="recorded", kind=kind) >= 1
    for direction, kind in (("inbound", "inbound_post"), ("outbound", "agent_message")):
        of_kind = {"direction": direction, "kind": kind}
        assert value(samples, "end_to_end_seconds_count", **of_kind) == 1
        assert 0 < value(samples, "end_to_end_seconds_sum", **of_kind) < 20
        assert value(samples, "recording_delay_seconds_count", **of_kind) == 1
        assert value(samples, "end_to_end_seconds_bucket", **of_kind, le="86400.0") == 1
    labels = {"actor": "BlueskySender", "kind": "agent_message"}
    assert value(samples, "journal_wait_seconds_count", **labels) == 1
    assert value(samples, "handling_seconds_count", **labels, outcome="done") == 1
    assert value(samples, "leader") == 1
    assert value(samples, "store_up") == 1
    assert value(samples, "actor_state", actor="DMPoller", state="running") == 1
    assert value(samples, "actor_state", actor="DMPoller", state="failed") == 0
    assert value(samples, "actor_lag_seconds", actor="NotificationPoller") == 0
    assert value(samples, "mailbox_capacity", actor="GenesysSender") == 128
    assert value(samples, "actor_concurrency", actor="BlueskySender") == 4
    remaining = value(samples, "budget_remaining", budget="genesys_requests", window="60s")
    assert remaining < value(samples, "budget_limit", budget="genesys_requests", window="60s")
    assert samples["process_resident_memory_bytes", frozenset()] > 0
    alice, brand = connected.world.customers[0], connected.world.brand
    for word in ("CANARY", "can you help", alice.handle, alice.did, brand.handle, brand.did):
        assert word not in text


async def test_a_restarted_actor_goes_on_counting(tmp_path: Path) -> None:
    """A counter never goes back, so that a rate over it is right."""
    async with open_connected(tmp_path) as connected:
        await connected.conversation()
        await connected.until("GenesysSender", lambda actor: actor["handled"] >= 1)
        _, before = await scrape(connected)
        counted = value(before, "actor_handled_total", actor="GenesysSender")
        connected.crasher.crash("GenesysSender")
        post = connected.world.bluesky.post(
            connected.world.customers[1], f"And @{connected.world.brand.handle}?"
        )
        await connected.arrives(post)
        await connected.until(
            "GenesysSender",
            lambda actor: actor["restarts"] >= 1 and actor["handled"] > counted,
        )
        _, after = await scrape(connected)

    sender = {"actor": "GenesysSender"}
    assert value(before, "actor_restarts_total", **sender) == 0
    assert value(after, "actor_restarts_total", **sender) >= 1
    assert value(after, "actor_handled_total", **sender) > counted


async def test_a_standby_without_its_store_says_so(autojump_clock: MockClock) -> None:
    """It leads nothing, what it knew of the journal gets older, a blocked budget is empty."""
    settings = load_settings(REQUIRED)
    budgets = make_budgets(settings)
    await budgets.genesys.acquire(20)
    budgets.bluesky.block_for(30)
    store = StoreState("redis", "unavailable", "away", 7, oldest_recorded_at=1000.0, dead_letters=2)
    expose = make_exposition(
        Sources(
            actors=lambda: (),
            store=lambda: store,
            leads=lambda: False,
            budgets=budgets,
            latencies=Latencies(),
            clock=lambda: 1090.0,
            version="1.2.3",
        )
    )
    samples = parse(expose().decode())
    assert value(samples, "build_info", version="1.2.3") == 1
    assert (value(samples, "leader"), value(samples, "store_up")) == (0, 0)
    assert value(samples, "journal_entries") == 7
    assert value(samples, "journal_oldest_seconds") == 90
    assert value(samples, "dead_letters") == 2
    genesys = {"budget": "genesys_requests", "window": "60s"}
    assert value(samples, "budget_remaining", **genesys) == 280
    assert value(samples, "budget_limit", **genesys) == 300
    bluesky = {"budget": "bluesky_requests", "window": "300s"}
    assert value(samples, "budget_remaining", **bluesky) == 0
    assert value(samples, "budget_wait_seconds", **bluesky) == 30
    hourly = {"budget": "bluesky_write_points", "window": "3600s"}
    assert value(samples, "budget_remaining", **hourly) == 5000


def test_each_part_of_the_way_is_timed_by_itself() -> None:
    """Written to recorded, recorded to delivered, delivered to closed, and the whole."""
    latencies = Latencies()
    steps: list[tuple[StepName, float, int]] = [
        ("recorded", 1000.0, 0),
        ("delivered", 1000.2, 0),
        ("retried", 1003.2, 0),
        ("delivered", 1030.0, 1),
        ("done", 1030.5, 1),
    ]
    for name, at, attempts in steps:
        latencies.hear(dataclasses.replace(STEP, name=name, at=at, attempts=attempts))
    samples = read(latencies)

    ways = {"direction": "inbound", "kind": "inbound_post"}
    actor = {"actor": "GenesysSender", "kind": "inbound_post"}
    assert value(samples, "recording_delay_seconds_sum", **ways) == 10
    assert value(samples, "journal_wait_seconds_sum", **actor) == pytest.approx(0.2)
    assert value(samples, "journal_wait_seconds_count", **actor) == 1
    assert value(samples, "handling_seconds_sum", **actor, outcome="retried") == pytest.approx(3)
    assert value(samples, "handling_seconds_sum", **actor, outcome="done") == pytest.approx(0.5)
    assert value(samples, "end_to_end_seconds_sum", **ways) == pytest.approx(40.5)
    assert value(samples, "end_to_end_seconds_bucket", **ways, le="30.0") == 0
    assert value(samples, "end_to_end_seconds_bucket", **ways, le="60.0") == 1
    assert value(samples, "end_to_end_seconds_bucket", **ways, le="+Inf") == 1


def test_a_clock_that_is_ahead_takes_no_time_back() -> None:
    """An author's time in the future counts as now."""
    latencies = Latencies()
    latencies.hear(dataclasses.replace(STEP, written_at=2000.0))
    labels = {"direction": "inbound", "kind": "inbound_post"}
    assert value(read(latencies), "recording_delay_seconds_sum", **labels) == 0


def test_a_kind_that_nobody_knows_makes_no_series_of_its_own() -> None:
    """What is in a foreign payload never becomes a label."""
    latencies = Latencies()
    latencies.hear(dataclasses.replace(STEP, name="refused", kind="CANARY"))
    assert value(read(latencies), "steps_total", step="refused", kind="unknown") == 1


def test_what_another_process_closes_is_forgotten() -> None:
    """So that the memory of deliveries stays small."""
    deliveries = Deliveries(capacity=2)
    steps = [dataclasses.replace(STEP, item_id=str(n), at=float(n)) for n in range(3)]
    for step in steps:
        deliveries.begin(step)
    assert [deliveries.end(step) for step in steps] == [None, 1.0, 2.0]

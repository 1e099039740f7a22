"""How long messages take, by their steps."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from actors.steps import Step
from connector.histogram import Histogram
from connector.step_times import Deliveries, find_direction, find_kind

_SHORT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
_LONG_S = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0)


class Latencies:
    """Hears of each step and counts how long it took. It costs a few microseconds each."""

    def __init__(self) -> None:
        self._deliveries = Deliveries()
        self._steps: dict[tuple[str, str], int] = {}
        self._recording = Histogram(
            "bluesky_genesys_recording_delay_seconds",
            "From when a message was written to when it was recorded in the journal.",
            ("direction", "kind"),
            _LONG_S,
        )
        self._waiting = Histogram(
            "bluesky_genesys_journal_wait_seconds",
            "From when an item was recorded to when it was first handed to its actor.",
            ("actor", "kind"),
            _SHORT_S,
        )
        self._handling = Histogram(
            "bluesky_genesys_handling_seconds",
            "From when an item was handed to its actor to when that was done with it.",
            ("actor", "kind", "outcome"),
            _SHORT_S,
        )
        self._whole = Histogram(
            "bluesky_genesys_end_to_end_seconds",
            "From when a message was written to when it was on the other side.",
            ("direction", "kind"),
            _LONG_S,
        )

    def hear(self, step: Step) -> None:
        """Count a step."""
        kind, direction = find_kind(step), find_direction(step)
        counted = step.name, kind
        self._steps[counted] = self._steps.get(counted, 0) + 1
        match step.name:
            case "recorded":
                if step.written_at is not None:
                    self._recording.observe((direction, kind), step.recorded_at - step.written_at)
            case "delivered":
                self._deliveries.begin(step)
                if not step.attempts:
                    self._waiting.observe((step.destination, kind), step.at - step.recorded_at)
            case "retried" | "done" | "refused":
                began_at = self._deliveries.end(step)
                if began_at is not None:
                    labels = step.destination, kind, step.name
                    self._handling.observe(labels, step.at - began_at)
                if step.name == "done" and step.written_at is not None:
                    self._whole.observe((direction, kind), step.at - step.written_at)

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """All of it, as counted so far."""
        steps = CounterMetricFamily(
            "bluesky_genesys_steps",
            "Steps of messages: recorded, delivered, retried, done, refused.",
            labels=("step", "kind"),
        )
        for labels, count in self._steps.items():
            steps.add_metric(labels, count)
        yield steps
        for histogram in (self._recording, self._waiting, self._handling, self._whole):
            yield from histogram.collect()

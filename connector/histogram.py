"""How often something took how long."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString


class Histogram:
    """Counts durations by label values.

    Args:
        name: with its unit, ``_seconds``.
        text: what is measured.
        labels: the names of the labels.
        limits_s: the upper limits of the buckets in seconds, ascending; one without is added.
    """

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], limits_s: tuple[float, ...]
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._limits_s = limits_s
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, values: tuple[str, ...], seconds: float) -> None:
        """Count one. What other people's clocks make negative took no time."""
        taken_s = max(0.0, seconds)
        counts = self._counts.setdefault(values, [0] * (len(self._limits_s) + 1))
        counts[bisect_left(self._limits_s, taken_s)] += 1
        self._sums[values] = self._sums.get(values, 0.0) + taken_s

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As Prometheus reads it: each bucket holds the smaller ones, too."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        names = [*map(floatToGoString, self._limits_s), "+Inf"]
        for values, counts in self._counts.items():
            buckets = list(zip(names, map(float, accumulate(counts)), strict=True))
            family.add_metric(values, buckets, self._sums[values])
        yield family

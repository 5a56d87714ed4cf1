"""Histograms and percentiles of times.

Recorded in microseconds with three significant digits (HdrHistogram). Its own maximum is the upper end
of a bucket; the exact one is kept beside it, and no percentile is shown above it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hdrh.histogram import HdrHistogram

from tiergate.record import Latency

HIGHEST_US = 3_600_000_000
SIGNIFICANT_DIGITS = 3
_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


class Recorder:
    """Times of one kind. Times below a microsecond count as one, above an hour as an hour."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(1, HIGHEST_US, SIGNIFICANT_DIGITS)
        self._max_us = 0.0
        self._add_all(seconds)

    def add(self, seconds: float) -> None:
        """Record one time."""
        microseconds = min(max(seconds * 1e6, 1.0), float(HIGHEST_US))
        self._histogram.record_value(round(microseconds))
        self._max_us = max(self._max_us, microseconds)

    def _add_all(self, seconds: Iterable[float]) -> None:
        """Record many times; equal microseconds at once, which takes a tenth of the time."""
        found = np.clip(np.fromiter(seconds, float) * 1e6, 1.0, float(HIGHEST_US))
        values, counts = np.unique(np.rint(found).astype(np.int64), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self._histogram.record_value(value, count)
        self._max_us = max(self._max_us, float(found.max(initial=0.0)))

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def percentile_ms(self, percent: float) -> float:
        """The time that this percentage of the values does not exceed, in milliseconds."""
        return min(float(self._histogram.get_value_at_percentile(percent)), self._max_us) / 1000

    def latency(self) -> Latency | None:
        """The percentiles; None when nothing was recorded."""
        if not len(self):
            return None
        values = {name: self.percentile_ms(percent) for name, percent in _PERCENTILES.items()}
        return Latency(max=self._max_us / 1000, **values)

    def encode(self) -> str:
        """The histogram as HdrHistogram V2, compressed, in base64."""
        return str(self._histogram.encode().decode("ascii"))

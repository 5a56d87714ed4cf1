"""Percentiles: near the exact ones, and never above the largest value."""

from __future__ import annotations

from math import ceil, floor

from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from tiergate.load.recorder import HIGHEST_US, Recorder

SECONDS = st.lists(st.floats(1e-6, 100.0), min_size=1, max_size=200)
PERCENTS = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


@given(SECONDS)
def test_no_percentile_lies_above_the_exact_maximum(seconds: list[float]) -> None:
    latency = Recorder(seconds).latency()
    assert latency is not None
    found = [getattr(latency, name) for name in PERCENTS]
    assert found == sorted(found)
    assert found[-1] <= latency.max
    assert abs(latency.max - max(seconds) * 1000) < 1e-6


@given(SECONDS)
def test_percentiles_agree_with_the_sorted_values(seconds: list[float]) -> None:
    recorder = Recorder(seconds)
    ordered = sorted(second * 1000 for second in seconds)
    for percent in PERCENTS.values():
        position = percent / 100 * len(ordered)
        # HdrHistogram takes the nearest rank; a bucket a thousandth wide, a time a whole microsecond.
        low = ordered[max(0, floor(position) - 1)]
        high = ordered[min(len(ordered), max(1, ceil(position))) - 1]
        assert low * 0.999 - 0.001 <= recorder.percentile_ms(percent) <= high * 1.001 + 0.001


def test_percentiles_of_a_known_list() -> None:
    latency = Recorder(number / 1000 for number in range(1, 1001)).latency()
    assert latency is not None
    for name, expected in {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p999": 999}.items():
        assert abs(getattr(latency, name) / expected - 1) < 0.001
    assert latency.max == 1000.0


def test_a_single_slow_value_is_not_lost() -> None:
    latency = Recorder([0.001] * 999 + [7.123456]).latency()
    assert latency is not None
    assert latency.max == 7123.456
    assert latency.p99 < 1.01


def test_nothing_recorded_is_no_latency() -> None:
    assert Recorder().latency() is None
    assert len(Recorder()) == 0


def test_values_beyond_the_range_are_held_at_its_ends() -> None:
    recorder = Recorder([0.0, -0.5, 1e-9, 10_000.0])
    assert len(recorder) == 4
    assert recorder.percentile_ms(50) == 0.001
    latency = recorder.latency()
    assert latency is not None
    assert latency.max == HIGHEST_US / 1000


@given(SECONDS)
def test_the_encoded_histogram_can_be_read_by_others(seconds: list[float]) -> None:
    recorder = Recorder(seconds)
    read = HdrHistogram.decode(recorder.encode())
    assert read.get_total_count() == len(seconds)
    assert min(read.get_value_at_percentile(95), max(seconds) * 1e6) / 1000 == recorder.percentile_ms(95)

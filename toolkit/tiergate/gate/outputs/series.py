"""For services that draw a figure over commits: github-action-benchmark, and Bencher's metric format."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from tiergate.errors import UsageError
from tiergate.record import GateBenchmark, GateRecord

NANOSECONDS = 1e9


def smaller_is_better(record: GateRecord) -> bytes:
    """For github-action-benchmark's tool ``customSmallerIsBetter``: seconds a call of the new side.

    Raises:
        UsageError: a figure is no number.
    """
    return _document([_row(one, "s/call", lambda seconds: seconds) for one in record.benchmarks])


def bigger_is_better(record: GateRecord) -> bytes:
    """For ``customBiggerIsBetter``: calls a second of the new side.

    Raises:
        UsageError: a figure is no number.
    """
    return _document([_row(one, "calls/s", lambda seconds: 1 / seconds) for one in record.benchmarks])


def _row(one: GateBenchmark, unit: str, figure: Callable[[float], float]) -> dict[str, Any]:
    low, high = sorted(map(figure, _span(one)))
    return {
        "name": one.name,
        "unit": unit,
        "value": figure(_finite(one, one.new_s)),
        "range": f"{low:.6g} to {high:.6g}",
        "extra": f"{one.verdict}: {one.reason}",
    }


def bencher(record: GateRecord) -> bytes:
    """Bencher Metric Format: latency in nanoseconds a call of the new side, with its interval.

    Raises:
        UsageError: a figure is no number.
    """
    found = {
        one.name: {
            "latency": {
                "value": _finite(one, one.new_s) * NANOSECONDS,
                "lower_value": low * NANOSECONDS,
                "upper_value": high * NANOSECONDS,
            }
        }
        for one in record.benchmarks
        for low, high in [_span(one)]
    }
    return _document(found)


def _span(one: GateBenchmark) -> tuple[float, float]:
    """Seconds a call of the new side at either end of the ratio's interval."""
    middle, ratio = _finite(one, one.new_s), one.ratio
    return middle * one.interval[0] / ratio, middle * one.interval[1] / ratio


def _finite(one: GateBenchmark, value: float | None) -> float:
    if value is None or not math.isfinite(value) or value <= 0:
        raise UsageError(f"its time is {value}, which is no time", where=one.name)
    return value


def _document(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"

"""Intervals from rounds: each round is one unit, whatever it holds."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log, sqrt
from statistics import fmean, stdev

from tiergate.record import Interval

# Student's t, two-sided 95 %, by degrees of freedom (from 1 on).
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
      2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
      2.045, 2.042)  # fmt: skip


def student_t(degrees: int) -> float:
    """The quantile for a two-sided 95 % interval; beyond 30 degrees that of 30, which is the wider one."""
    return _T[min(degrees, len(_T)) - 1]


def mean_interval(values: Sequence[float]) -> Interval | None:
    """95 % interval of the mean of the rounds; None from fewer than two."""
    if len(values) < 2:
        return None
    middle = fmean(values)
    margin = student_t(len(values) - 1) * stdev(values) / sqrt(len(values))
    return middle - margin, middle + margin


def ratio_interval(values: Sequence[float]) -> Interval | None:
    """95 % interval of the geometric mean of positive values; None from fewer than two."""
    if len(values) < 2 or any(value <= 0 or not isfinite(value) for value in values):
        return None
    low, high = mean_interval([log(value) for value in values]) or (0.0, 0.0)
    return exp(low), exp(high)


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive values."""
    return exp(fmean(log(value) for value in values))


def around(value: float, interval: Interval | None) -> Interval | None:
    """An interval widened until it holds the value that is shown beside it.

    The value is that of all rounds pooled, the interval that of the mean of the rounds; they need not agree.
    """
    return (min(value, interval[0]), max(value, interval[1])) if interval else None

"""Scales: from values to positions, and where the ticks go."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tiergate_reports.figures import number

_STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic scale. What lies outside is drawn at the nearer end.

    Attributes:
        low, high: the values at both ends; on a logarithmic scale both are above zero.
        start, end: their positions; `end` may be the smaller, as for heights.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value. Zero on a logarithmic scale is at its low end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values on the scale, at most that many."""
        return _log_ticks(self.low, self.high, most) if self.log else _linear_ticks(self.low, self.high, most)


def log_scale(
    values: Iterable[float], start: float, end: float, *, around: float | None = None, least: float = 4.0
) -> Scale:
    """A logarithmic scale with some room at both ends.

    Args:
        around: a value that is always on the scale, in its middle if there are no others.
        least: smallest ratio of its ends, so that equal values do not look far apart.
    """
    positive = [value for value in values if math.isfinite(value) and value > 0]
    positive += [] if around is None else [around]
    low, high = (min(positive), max(positive)) if positive else (1.0, 10.0)
    low, high = low / 1.15, high * 1.15
    widen = max(least / (high / low), 1.0) ** 0.5
    return Scale(low / widen, high * widen, start, end, log=True)


def tick_label(value: float) -> str:
    """A tick's value, without digits that say nothing.

    >>> tick_label(0.5), tick_label(2000.0)
    ('0.5', '2,000')
    """
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in (_STEPS, (1.0, 3.0), (1.0,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(step * decade for step in (*_STEPS, 10.0) if step * decade >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]

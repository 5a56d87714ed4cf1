"""Intervals by resampling the units of a measurement: tasks, records, merges."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from tiergate.record import BenchRow, Interval

RESAMPLES = 1000
_Unit = TypeVar("_Unit")


def interval(units: Sequence[_Unit], figure: Callable[[Sequence[_Unit]], float], seed: int = 1) -> Interval:
    """95 % of a figure over resampled units: the percentile bootstrap of Efron (1979)."""
    if not units:
        return (0.0, 0.0)
    draw = random.Random(seed)
    found = sorted(figure(draw.choices(units, k=len(units))) for _ in range(RESAMPLES))
    return found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1]


def row(
    name: str,
    value: float,
    span: Interval,
    *,
    least: float | None = None,
    most: float | None = None,
    unit: str = "share",
    note: str = "",
    details: dict[str, float] | None = None,
    peer: str | None = None,
) -> BenchRow:
    """A row, judged by its value where there is a limit."""
    target = f">= {least}" if least is not None else f"<= {most}" if most is not None else None
    reached = None
    if least is not None:
        reached = value >= least
    elif most is not None:
        reached = value <= most
    return BenchRow(
        name=name, value=value, interval=span, unit=unit, peer=peer, target=target, reached=reached,
        note=note, details=details or {},
    )  # fmt: skip


def share(hits: Sequence[bool]) -> float:
    """How many of some hold, 0..1; 0 of none."""
    return sum(hits) / len(hits) if hits else 0.0

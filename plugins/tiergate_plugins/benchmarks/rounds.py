"""Measuring sides against each other: interleaved in random order, rounds as the unit of resampling."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

from tiergate.record import BenchRow, Interval

_RESAMPLES = 1000

Sides = Mapping[str, Callable[[], object]]
"""What is done once, by the name of the side that does it."""


def p50_rounds(sides: Sides, *, rounds: int, each: int, seed: int = 1) -> dict[str, list[float]]:
    """Median seconds of each side in each round; the sides alternate call by call."""
    draw = random.Random(seed)
    names = list(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        took: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(each):
            draw.shuffle(names)
            for name in names:
                took[name].append(seconds(sides[name]))
        for name in names:
            found[name].append(median(took[name]))
    return found


def total_rounds(
    sides: Sides,
    *,
    rounds: int,
    each: int,
    settle: Mapping[str, Callable[[], object]] | None = None,
    seed: int = 1,
) -> dict[str, list[float]]:
    """Mean seconds of a call of each side in each round; the sides alternate in blocks of `each` calls.

    Args:
        settle: waits, in the measured time, for what the calls of a side have left to be done.
    """
    draw = random.Random(seed)
    names = list(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        draw.shuffle(names)
        for name in names:
            call = sides[name]
            start = time.perf_counter()
            for _ in range(each):
                call()
            if settle:
                settle[name]()
            found[name].append((time.perf_counter() - start) / each)
    return found


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def ratio_row(
    name: str,
    numerator: Sequence[float],
    denominator: Sequence[float],
    *,
    peer: str,
    target: str | None,
    unit: str = "us",
) -> BenchRow:
    """A row that says how many times the denominator the numerator is.

    Args:
        numerator, denominator: seconds by round, of the same rounds.
        target: as ``<= 1.0`` or ``>= 2.5``; None for a row that only informs.
    """
    ratios = [one / other for one, other in zip(numerator, denominator, strict=True)]
    scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[unit]
    return judged(
        BenchRow(
            name=name,
            value=median(ratios),
            interval=interval_of(ratios),
            unit="x",
            peer=peer,
            target=target,
            details={
                f"over_{unit}": median(numerator) * scale,
                f"under_{unit}": median(denominator) * scale,
            },
        )
    )


def value_row(name: str, values: Sequence[float], *, unit: str, target: str | None = None) -> BenchRow:
    """A row about one side alone: the median of its rounds, in `unit`."""
    return judged(
        BenchRow(name=name, value=median(values), interval=interval_of(values), unit=unit, target=target)
    )


def judged(row: BenchRow) -> BenchRow:
    """The row with `reached` set, by its value and its target, if it has one."""
    if row.target is None:
        return row
    word, _, limit = row.target.partition(" ")
    reached = {"<=": row.value <= float(limit), ">=": row.value >= float(limit)}[word]
    return msgspec.structs.replace(row, reached=reached)


def interval_of(ratios: Sequence[float]) -> Interval:
    """Medians of resampled rounds, the middle 95 % of them (percentile bootstrap)."""
    draw = random.Random(2)
    medians = sorted(median(draw.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES))
    return medians[int(0.025 * _RESAMPLES)], medians[int(0.975 * _RESAMPLES) - 1]

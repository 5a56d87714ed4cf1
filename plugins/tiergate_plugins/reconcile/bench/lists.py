"""Labelled lists of products and restaurants: a check of the matcher that no task store took part in.

The shipped coefficients were fitted on these very lists; rows that say "cross-fitted" use others, fitted
without the records that they are judged on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tiergate.record import BenchRow
from tiergate_plugins.reconcile.bench.resampling import interval, row
from tiergate_plugins.reconcile.fit import Example, abt_buy, examples, fit, fodors_zagats
from tiergate_plugins.reconcile.scorer import LIKELY, Features, probability

FOLDS = 5


class Unit(NamedTuple):
    """A record of the first list: whether it was paired, rightly, and whether it has a partner."""

    found: bool
    right: bool
    wanted: bool


def f1(units: Sequence[Unit]) -> float:
    """The harmonic mean of precision and recall."""
    found = sum(one.found for one in units)
    wanted = sum(one.wanted for one in units)
    right = sum(one.right for one in units)
    return 2 * right / (found + wanted) if found + wanted else 0.0


def rows(folder: Path) -> Iterator[BenchRow]:
    """Rows of both lists."""
    items, truth = abt_buy(folder / "abt_buy")
    names = sorted({item.ref.task for item in items if item.ref.source == "Abt"})
    pairs = examples(items, truth)
    wanted = {left for left, right in truth if {left, right} <= {item.ref.task for item in items}}
    fixed = units(pairs, [probability(pair.values) >= LIKELY for pair in pairs], names, wanted)
    fitted = units(pairs, cross_fitted(pairs, names, FOLDS), names, wanted)
    yield row(
        "Abt-Buy: F1, one to one, shipped threshold",
        f1(fixed),
        interval(fixed, f1),
        least=0.93,
        unit="F1",
        note="fitted on this list and the restaurants, so not an estimate for other lists",
    )
    both = list(zip(fixed, fitted, strict=True))
    gain = interval(both, lambda some: f1([two for _, two in some]) - f1([one for one, _ in some]))
    yield row(
        f"Abt-Buy: F1, cross-fitted in {FOLDS} folds by record",
        f1(fitted),
        interval(fitted, f1),
        least=0.947,
        unit="F1",
        note=f"beside the shipped threshold: {gain[0]:+.4f} to {gain[1]:+.4f}",
    )
    items, truth = fodors_zagats(folder / "fodors_zagats")
    names = sorted({item.ref.task for item in items if item.ref.source == "fodors"})
    pairs = examples(items, truth)
    pooled = units(pairs, cross_fitted(pairs, names, 2), names, {left for left, _ in truth})
    yield row(
        "Fodors-Zagats: F1, cross-fitted in 2 folds", f1(pooled), interval(pooled, f1), least=0.97, unit="F1"
    )


def units(
    pairs: Sequence[Example], taken: Sequence[bool], names: Sequence[str], wanted: set[str]
) -> list[Unit]:
    """Every record of the first list, by what was made of it."""
    found = {pair.left: pair.same for pair, is_taken in zip(pairs, taken, strict=True) if is_taken}
    return [Unit(name in found, found.get(name, False), name in wanted) for name in names]


def cross_fitted(pairs: Sequence[Example], names: Sequence[str], folds: int, seed: int = 1) -> list[bool]:
    """Which pairs are taken, each judged by coefficients and a threshold of the other folds alone."""
    draw = random.Random(seed)
    fold_of = {name: draw.randrange(folds) for name in names}
    taken = [False] * len(pairs)
    for fold in range(folds):
        others = [pair for pair in pairs if fold_of[pair.left] != fold]
        intercept, coefficients = fit(others, [1.0] * len(others))
        best = threshold(others, intercept, coefficients)
        for number, pair in enumerate(pairs):
            if fold_of[pair.left] == fold:
                taken[number] = probability(pair.values, intercept, coefficients) >= best
    return taken


def threshold(pairs: Sequence[Example], intercept: float, coefficients: Features) -> float:
    """The threshold of the highest F1, half way between the last pair that is taken and the next."""
    ranked = sorted(
        ((probability(pair.values, intercept, coefficients), pair.same) for pair in pairs), reverse=True
    )
    wanted, right, best, limit = sum(pair.same for pair in pairs), 0, -1.0, 0.5
    for number, (likely, same) in enumerate(ranked, 1):
        right += same
        figure = 2 * right / (number + wanted) if wanted else 0.0
        if figure > best:
            following = ranked[number][0] if number < len(ranked) else 0.0
            best, limit = figure, (likely + following) / 2
    return limit

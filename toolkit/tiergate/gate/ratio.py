"""The ratio of two sides from pairs of blocks, and how sure it is.

Noise on a busy machine only ever makes a block slower, by any factor, and it comes in spells. So of each
pair the logarithm of the ratio counts, and of a generation the mean of the middle half of them.
A generation of processes has a layout of memory and a hash seed of its own, which can favour one side by a
tenth or more, now and then. Generations, not pairs, are therefore what the interval rests on: their mean
without the outermost tenth on either end, and Student's t with the winsorised variance (Tukey & McLaughlin,
Less vulnerable confidence and significance procedures for location, 1963). It is never narrower than
resampling the pairs within the generations says, so that a few generations that agree by luck do not look
sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from tiergate.gate.student import t_above, t_quantile
from tiergate.record import GatePair, Interval

RESAMPLES = 200
OUTERMOST = 0.1
"""Share of the generations that does not count, on either end; one at least."""

LEAST_CUT = 9
"""Of fewer generations all count."""

LARGEST_LOG = 700.0
LEAST_ERROR = 1e-4
"""Standard error of a logarithm of a ratio below which nothing is taken to be sure: clocks are not."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The ratio of new to base.

    Attributes:
        log_ratio: natural logarithm of the ratio.
        error: its standard error.
        generations: how many it rests on, at least two.
        freedom: degrees of freedom of Student's t.
    """

    log_ratio: float
    error: float
    generations: int
    freedom: int

    @property
    def ratio(self) -> float:
        """Time of the new side over that of the base."""
        return ratio_of(self.log_ratio)

    def reach(self, chance: float) -> float:
        """How far the logarithm may lie away, to one side, but for this chance."""
        return t_quantile(1 - chance, self.freedom) * self.error

    def interval(self, confidence: float = 0.95) -> Interval:
        """Two-sided."""
        reach = self.reach((1 - confidence) / 2)
        return ratio_of(self.log_ratio - reach), ratio_of(self.log_ratio + reach)

    def chance_beyond(self, margin: float) -> float:
        """The chance of an estimate so far out where the truth is `margin` from equal at most."""
        return t_above((abs(self.log_ratio) - margin) / self.error, self.freedom)


def ratio_of(logarithm: float) -> float:
    """A ratio from its logarithm, which a few wild samples may take beyond what a number can hold."""
    return exp(min(logarithm, LARGEST_LOG))


def estimate(generations: Sequence[Sequence[GatePair]], seed: int = 0) -> Estimate:
    """The ratio of the new side to the base.

    Args:
        generations: pairs by generation, at least two generations with at least one pair.
        seed: of the resampling; the same samples always give the same estimate.

    Raises:
        ValueError: there are fewer than two generations.
    """
    logs = [np.array([log(pair.new_s / pair.base_s) for pair in pairs]) for pairs in generations if pairs]
    if len(logs) < 2:
        raise ValueError("an interval needs at least two generations")
    middles = np.sort([interquartile_mean(values) for values in logs])
    cut = max(1, int(OUTERMOST * len(middles))) if len(middles) >= LEAST_CUT else 0
    kept = middles[cut : len(middles) - cut]
    winsorised = np.clip(middles, kept[0], kept[-1])
    between = float(winsorised.std(ddof=1)) * sqrt(len(middles)) / len(kept)
    return Estimate(
        log_ratio=float(kept.mean()),
        error=max(between, _within(logs, seed), LEAST_ERROR),
        generations=len(middles),
        freedom=len(kept) - 1,
    )


def interquartile_mean(values: np.ndarray) -> float:
    """The mean of the middle half."""
    return float(_interquartile_means(values[np.newaxis])[0])


def _interquartile_means(rows: np.ndarray) -> np.ndarray:
    """Of each row."""
    cut = rows.shape[1] // 4
    means: np.ndarray = np.sort(rows, axis=1)[:, cut : rows.shape[1] - cut].mean(axis=1)
    return means


def _within(logs: Sequence[np.ndarray], seed: int) -> float:
    """Standard error of the mean of the middles where only the pairs are drawn anew."""
    random = np.random.default_rng(seed)
    variance = 0.0
    for values in logs:
        if len(values) > 1:
            drawn = random.choice(values, size=(RESAMPLES, len(values)))
            variance += float(_interquartile_means(drawn).var())
    return sqrt(variance) / len(logs)

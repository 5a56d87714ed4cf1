"""Cut-offs between the tiers, searched by simulation on the training trace.

The declared objective (fixed before any run): least 95th percentile of the slowdown of short
requests, while the 95th percentile of the response time of long ones stays at most twice that of one
shared queue with as many workers. Slowdown is response over service time. Choices within 5 % of the
best count as equal; among them the one with the fewest ambiguous training requests wins, counted in steps
of 2 % of the trace, then the one in the widest gaps between service times (the product of both, in steps of a
quarter), then the one that cuts lowest. The steps keep cut-offs where they were when measured times differ a
little between runs.

The simulation knows queues and workers, not that workers share cores; what it expected stands in the
record beside what was measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor, log

import numpy as np

from tiergate.routing import TIERS, Cutoffs

LONG_LIMIT = 2.0
EQUAL = 1.05
AMBIGUOUS_STEP = 0.02
GAP_STEP = 1.25
CANDIDATES = 24
MIN_SHARES = (0.05, 0.05, 0.01)
"""Share of the training requests that hot, warm and cold must hold at least. Two tiers with resident workers
need traffic to be worth them; heavy requests are rare by nature."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair of cut-offs, and what the simulation expects of it.

    Attributes:
        gap: ratio of the service times on either side of one cut, times that of the other. The narrower
            alone would say nothing of where the other cut should lie.
    """

    cutoffs: Cutoffs
    short_slowdown_p95: float
    long_ratio: float
    ambiguous: int
    gap: float

    @property
    def is_allowed(self) -> bool:
        """Whether long requests keep what they are owed."""
        return self.long_ratio <= LONG_LIMIT


@dataclass(frozen=True, slots=True)
class TrainingTrace:
    """What the search needs of the training trace, one entry per request.

    Attributes:
        starts: intended starts in seconds, at the rate that will be offered.
        service: sealed service time in seconds.
        low: lower end of its interval.
        high: upper end of its interval.
    """

    starts: Sequence[float]
    service: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]

    @property
    def short_s(self) -> float:
        """Requests at or below this are short."""
        return float(np.quantile(self.service, 0.5))

    @property
    def long_s(self) -> float:
        """Requests at or above this are long."""
        return float(np.quantile(self.service, 0.95))


def search(training: TrainingTrace, workers: dict[str, int]) -> Candidate:
    """The best cut-offs for a number of workers by tier.

    Where no choice keeps the limit for long requests, the one that comes nearest; its `is_allowed` says so.

    Raises:
        ValueError: there are fewer than three distinct service times.
    """
    points = cut_points(training.service)
    found = [
        judge(training, workers, hot, warm)
        for hot, warm in combinations(points, 2)
        if _shares_suffice(training.service, hot, warm)
    ]
    if not found:
        raise ValueError("the training requests are too alike to be parted into three tiers")
    allowed = [candidate for candidate in found if candidate.is_allowed]
    if not allowed:
        return min(found, key=lambda candidate: candidate.long_ratio)
    best = min(candidate.short_slowdown_p95 for candidate in allowed)
    equal = [candidate for candidate in allowed if candidate.short_slowdown_p95 <= best * EQUAL]
    return min(equal, key=lambda candidate: _rank(candidate, len(training.service)))


def all_hot(training: TrainingTrace, workers: dict[str, int]) -> Candidate:
    """Cut-offs above every service time, for requests that are too alike to be parted."""
    longest = max(training.service)
    return judge(training, workers, 2 * longest, 4 * longest)


def _rank(candidate: Candidate, requests: int) -> tuple[int, int, float, float]:
    """Orders candidates that are equal by the objective; what measuring anew would change hardly counts."""
    return (
        ceil(candidate.ambiguous / requests / AMBIGUOUS_STEP),
        -floor(log(candidate.gap, GAP_STEP)),
        candidate.cutoffs.hot_s,
        candidate.cutoffs.warm_s,
    )


def cut_points(service: Sequence[float]) -> list[float]:
    """Seconds at which to cut: the middles, on a log scale, of the widest gaps and of even quantiles."""
    ordered = np.unique(np.asarray(service))
    if len(ordered) < 3:
        return []
    middles = np.sqrt(ordered[:-1] * ordered[1:])
    widest = np.argsort(np.log(ordered[1:] / ordered[:-1]))[::-1][: CANDIDATES // 2]
    evenly = np.linspace(0, len(middles) - 1, CANDIDATES // 2).astype(int)
    return [float(middles[index]) for index in sorted({*widest.tolist(), *evenly.tolist()})]


def judge(training: TrainingTrace, workers: dict[str, int], hot_s: float, warm_s: float) -> Candidate:
    """Simulate one pair of cut-offs."""
    cutoffs = Cutoffs(hot_s, warm_s)
    service = np.asarray(training.service)
    starts = np.asarray(training.starts)
    tiers = np.digitize(service, [hot_s, warm_s])
    response = np.empty_like(service)
    for index, tier in enumerate(TIERS):
        chosen = tiers == index
        response[chosen] = simulate(starts[chosen], service[chosen], workers[tier])
    shared = simulate(starts, service, sum(workers.values()))
    short, long = service <= training.short_s, service >= training.long_s
    low, high = np.asarray(training.low), np.asarray(training.high)
    crossed = (np.digitize(low, [hot_s, warm_s]) != np.digitize(high, [hot_s, warm_s])).sum()
    return Candidate(
        cutoffs,
        float(np.quantile(response[short] / service[short], 0.95)),
        float(np.quantile(response[long], 0.95) / np.quantile(shared[long], 0.95)),
        int(crossed),
        _gap(service, hot_s) * _gap(service, warm_s),
    )


def simulate(starts: np.ndarray, service: np.ndarray, workers: int) -> np.ndarray:
    """Response times of one first-come-first-served queue with that many workers."""
    free_at = [0.0] * workers
    response = np.empty_like(service)
    for index, (start, work) in enumerate(zip(starts.tolist(), service.tolist(), strict=True)):
        ends = max(start, free_at[0]) + work
        heapq.heapreplace(free_at, ends)
        response[index] = ends - start
    return response


def _shares_suffice(service: Sequence[float], hot_s: float, warm_s: float) -> bool:
    counts = np.bincount(np.digitize(service, [hot_s, warm_s]), minlength=3)
    return bool((counts >= np.array(MIN_SHARES) * len(service)).all())


def _gap(service: np.ndarray, at: float) -> float:
    """Ratio of the service times on either side of a cut."""
    below, above = service[service < at], service[service >= at]
    return float(above.min() / below.max()) if len(below) and len(above) else 1.0

"""When requests are meant to start: patterns of arrivals that workloads choose from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, islice
from random import Random

NOMINAL_RPS = 100.0
"""Rate of a generated trace before a run stretches it, in requests a second."""

BURST_PEAK = 4.0
"""Rate within a burst over the mean rate."""

BURST_SHARE = 0.2
"""Share of the time that bursts take; the rest is calm, at a quarter of the mean rate."""

BURST_S = 0.1
"""Mean length of a burst in seconds at the nominal rate: 40 requests."""


def poisson(seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> list[float]:
    """Start times in seconds of `count` requests that arrive independently of each other."""
    random = Random(f"arrivals {seed}")
    return list(accumulate(random.expovariate(rate_rps) for _ in range(count)))


def bursts(seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> list[float]:
    """Start times in seconds of `count` requests that arrive in bursts with calm between them.

    A Markov-modulated Poisson process of two states, burst and calm, each of exponentially distributed
    length (Fischer & Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook, Performance
    Evaluation 18, 1993). With `BURST_PEAK`, `BURST_SHARE` and `BURST_S` the squared coefficient of variation
    of its gaps is 5, where that of Poisson arrivals is 1. The times are stretched as a whole so that `count`
    requests take ``count / rate_rps`` seconds exactly: how many bursts a short trace happens to meet must
    not decide how much load it offers.
    """
    starts = list(islice(_modulated(Random(f"bursts {seed}"), rate_rps), count))
    stretch = count / rate_rps / starts[-1] if starts else 1.0
    return [start * stretch for start in starts]


def _modulated(random: Random, rate_rps: float) -> Iterator[float]:
    """Arrivals of the process, for ever; it begins in either state with the share of time that state has."""
    calm_rate = rate_rps * (1 - BURST_PEAK * BURST_SHARE) / (1 - BURST_SHARE)
    burst_s = BURST_S * NOMINAL_RPS / rate_rps
    calm_s = burst_s * (1 - BURST_SHARE) / BURST_SHARE
    in_burst = random.random() < BURST_SHARE
    now = 0.0
    while True:
        ends = now + random.expovariate(1 / (burst_s if in_burst else calm_s))
        rate = BURST_PEAK * rate_rps if in_burst else calm_rate
        # A gap that would pass the end of the state is drawn anew in the next one: it has no memory.
        while (now := now + random.expovariate(rate)) < ends:
            yield now
        now, in_burst = ends, not in_burst

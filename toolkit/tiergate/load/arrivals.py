"""When requests are meant to start."""

from __future__ import annotations

from itertools import accumulate
from random import Random

NOMINAL_RPS = 100.0
"""Rate of a trace before a run stretches it."""


def poisson(seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> list[float]:
    """Start times in seconds of `count` requests that arrive independently of each other."""
    random = Random(f"arrivals {seed}")
    return list(accumulate(random.expovariate(rate_rps) for _ in range(count)))

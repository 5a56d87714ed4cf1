"""How much a run does: quick, default or thorough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Numbers of a run.

    Attributes:
        tasks: in the generated store.
        training: requests of the training trace.
        requests: requests of the judged trace.
        passes: how often each request is run alone.
        rounds: how often every variant goes through the judged trace.
        sweep_rounds: how often it goes through the beginning of it at each rate of a sweep.
    """

    tasks: int
    training: int
    requests: int
    passes: int
    rounds: int
    sweep_rounds: int = 3


EFFORTS = {
    "quick": Effort(tasks=3000, training=300, requests=300, passes=5, rounds=3, sweep_rounds=1),
    "default": Effort(tasks=3000, training=500, requests=1200, passes=6, rounds=5),
    "thorough": Effort(tasks=3000, training=1000, requests=5000, passes=9, rounds=8, sweep_rounds=5),
}

MIN_JUDGED = 15
"""Requests with a sure label that each tier needs, so that its recall means something."""

MIN_SHORT = 200
"""Short requests that one round needs: ten above the 95th percentile."""

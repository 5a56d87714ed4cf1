"""What a trace is like: operations, sessions, length, rate, burstiness."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import fmean, pvariance
from typing import Literal

import msgspec

from tiergate.load.trace import Trace


class TraceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one trace.

    Attributes:
        operations: requests by operation, the most frequent first.
        sessions: that at least one request names.
        tasks: of its generated sessions; None where the sessions are somebody's own.
        duration_s: from the first intended start to the last.
        mean_rps: requests a second; None where all start at one moment.
        burstiness: squared coefficient of variation of the gaps between starts: 0 for a clock, about 1 for
            Poisson arrivals, more for bursts; None where there is no gap.
        sha256: of the trace as tiergate writes it.
    """

    schema: Literal["tiergate.trace-facts/1"] = "tiergate.trace-facts/1"
    workload: str
    seed: int
    requests: int
    operations: dict[str, int]
    sessions: int
    tasks: int | None
    duration_s: float
    mean_rps: float | None
    burstiness: float | None
    sha256: str


def trace_facts(trace: Trace) -> TraceFacts:
    """Count and measure a trace."""
    operations = Counter(request.operation for request in trace.requests)
    sessions = {request.session for request in trace.requests if request.session is not None}
    return TraceFacts(
        workload=trace.head.workload,
        seed=trace.head.seed,
        requests=len(trace.requests),
        operations=dict(operations.most_common()),
        sessions=len(sessions),
        tasks=None if trace.head.tasks is msgspec.UNSET else trace.head.tasks,
        duration_s=round(trace.duration_s, 6),
        mean_rps=trace.rate_rps,
        burstiness=_burstiness(trace),
        sha256=trace.sha256,
    )


def _burstiness(trace: Trace) -> float | None:
    gaps = [later - earlier for earlier, later in pairwise(trace.starts)]
    mean = fmean(gaps) if gaps else 0.0
    return pvariance(gaps) / mean**2 if mean else None
